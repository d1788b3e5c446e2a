"""Stage 7, a micrograph of any size to maps.

Takes a `PredictFn` and a micrograph; gives a `Prediction`: probabilities, classes
and, when asked for, how far eight views of the same field disagree.
May import: micrographs, core. No TensorFlow.
"""
