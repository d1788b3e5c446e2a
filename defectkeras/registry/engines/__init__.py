"""Versions in other engines: ONNX, OpenVINO and LiteRT.

Takes a version; gives its files for an engine, and each engine as a `PredictFn`.
"""
