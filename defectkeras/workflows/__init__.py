"""Stage 9, the stages in a row; each function is one thing that a user wants done.

Takes paths and settings; gives results and the files that hold them. May
import: everything below the command line.

Where to look:

- Micrographs: `analyze` by `analyze_settings`, in parts in `analysis`; `quantify` for
  class maps of other tools, on one page with those `measured_before`; a model is asked
  in `segment`, another `method` beside it, and either measured in `measure`.
  `serve_page` and `serve_upload` do it over HTTP.
- Training: `train`, `train_folds`, `finetune`, `pretrain`, `forest`. A run begins with
  `training_request` and `fresh_model`, may `refit`, and ends with `trust` and the
  `training_card`.
- Data: `draft_spec`, `own_fields`, `contact_sheet`, `plan`, `synthesize`; `annotated`
  reads what people drew, `convert_annotations` writes it; `stale_results` no longer
  fit their micrograph.
- Scores: `evaluate` and `evaluate_method` give an `evaluation`; `benchmark`; `compare`
  of `operands`, field by `rated_field`; `truth` of synthetic foils.
- Models: `promote`, `convert`, `import_model`. This computer: `doctor`, `tensorboard`.
"""
