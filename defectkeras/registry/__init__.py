"""Stage 6, runs to model versions that never change.

Takes a trained `keras.Model` and its `ModelCard`; gives a `ModelVersion`, a folder
that TensorFlow Serving reads as it is, and from a version a `PredictFn`.
May import: losses, metrics, models, micrographs, core.

Names, cards and the store itself import no TensorFlow, so that listing and completion
are quick.

Where to look:

- The store: `store` of each `version`, found by `names`, kept by `folders` and
  `manifest`, called by `aliases`; `collect`, `compare` and `verify` look after it.
- A version is written by `bundle`: the `card`, also as `card_markdown`, a `golden` and
  a `saved_model`. Before it is promoted stands the `gate`.
- It is read by `load` and its `variants`, as far as `safe_config` lets it, and right up
  to `rounding`; by other `engines`; by a server, for which `server_config` is.
- Elsewhere: `archive` carries versions, which `unpack` distrusts; `foreign` are models
  of other programs.
"""
