"""A version as TensorFlow's SavedModel: written, warmed up, and read with suspicion.

Takes a `keras.Model` and how its images are prepared; gives a folder with named
signatures, which a server reads as it is.
"""
