"""Stage 7 without a network: thresholds, filters and a random forest.

Takes a whole normalized micrograph, or annotated examples; gives a `PredictFn`, so
that prediction and evaluation treat it like a network. May import: core. No
TensorFlow.
"""
