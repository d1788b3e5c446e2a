"""Stage: model versions of a registry behind TensorFlow Serving's interface.

Takes a registry and gives a server that speaks the REST and gRPC API of TensorFlow
Serving, the files to deploy TensorFlow Serving itself, and clients for both, each of
which is a `PredictFn`. It needs the extra `serving`.
"""
