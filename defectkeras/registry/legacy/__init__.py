"""Models of Keras 2, tensorflow-addons and TensorFlow 1, read as data.

Takes a file that an old model was saved in; gives a `keras.Model` of Keras 3 with
logits. Nothing in the file is run: its description is read as JSON, every layer must
stand in a table, and the weights are arrays.
"""
