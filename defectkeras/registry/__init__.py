"""Stage 6, runs to model versions that never change.

Takes a trained `keras.Model` and its `ModelCard`; gives a `ModelVersion`, a folder
that TensorFlow Serving reads as it is, and from a version a `PredictFn`.
May import: losses, metrics, models, micrographs, core.

`saved_model` writes what a server reads, `engines` are the others that run a version,
`foreign` reads what other programs saved. Names, cards and the store itself import no
TensorFlow, so that listing and completion are quick.
"""
