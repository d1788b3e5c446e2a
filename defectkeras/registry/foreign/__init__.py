"""Models of Keras 2 and 3, tensorflow-addons and TensorFlow 1, read as data.

Takes a file that something else saved a model in; gives a `keras.Model` with logits.
Nothing in the file is run: its description is read as JSON, every layer must stand in
a table, and the weights are arrays.
"""
