"""When a model is to be trusted, learned from examples that it has not seen.

Takes a trained model and what was held out; gives its temperature, its thresholds
and how its training micrographs look, with which others are compared.
"""
