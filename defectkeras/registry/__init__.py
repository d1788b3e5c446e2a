"""Stage 6, runs to model versions that never change.

Takes a trained `keras.Model` and its `ModelCard`; gives a `ModelVersion`, a folder
that TensorFlow Serving reads as it is, and from a version a `PredictFn`.
May import: losses, metrics, models, micrographs, core.

Only `export`, `graph`, `golden` and `load` import TensorFlow; names, cards and the
store itself do not, so that listing and completion are quick.
"""
