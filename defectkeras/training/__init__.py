"""Stage 5, a model and examples to a trained model.

Takes an untrained `keras.Model`, the examples of a training and a validation
split and a configuration; gives a `TrainingRun` with the best weights, its
history and its run folder; may import: losses, metrics, models, pipelines, core.
"""
