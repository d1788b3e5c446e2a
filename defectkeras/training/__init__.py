"""Stage 5, a model and examples to a trained model.

Takes an untrained `keras.Model`, the examples of a training and a validation
split and a configuration; gives a `TrainingRun` with the best weights, its
history and its run folder; may import: losses, metrics, models, pipelines, core.

Where to look:

- What is told: `config`, from the `settings` of defaults, files and flags; a `plan` is
  proposed by `rules`.
- A run: `train` lets `prepare` put its parts together, and `loop` go over `step`,
  `validation`, `checkpoint` and `run_folder`; `progress`, `records`, `interruption`.
- A step: `optimizer` at the rate of `schedule`, `loss_scale`, `average`.
- The machine: `strategy` and `cluster`, `precision`, `jit`, `kernels`, `environment`;
  how fast it is: `step_time`, `step_profile`, `input_speed`.
- The log for TensorBoard: `event_log` of `details`, drawn by `panel`, `plots` and
  `figure`, within `log_budget`.
- An encoder without annotations: `pretrain`.
"""
