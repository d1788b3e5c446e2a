"""Stage 8, a class map to numbers with units.

Takes class maps (H, W), a label scheme and a calibration; gives one row per
object and per line, and the quantities of the micrograph with their intervals,
methods and, where one cannot be given, the reason. May import: core. It knows
no files and no TensorFlow. Formulas: docs/quantification.md.

Where to look:

- A map in memory: `quantify` by `settings` gives `results`; `field` holds its classes.
- A map on the disk: `streamed`, `streamed_lines`; bands by `row_maps`, `sweep`.
- Objects: `runs` are what all is summed over; `objects` of `moments`, `feret`,
  `hulls`, `perimeters`, `loops` and `appearance`; `splitting`; `edges` of the frame.
- A region class: `region_class` to `region_counts`, `region_sizes`, `size_classes` and
  `region_volumes`, by the formulas of `densities`, `sizes`, `unfolding`, `swelling`
  and `foil_cut`; distributions in `size_fits` and `size_distances`.
- Lines: `skeletons` by `thinning`, `line_graph`, `lines`, `segments`, `line_widths`;
  their length in `line_totals` of `line_sums`, `intercepts` and `hidden_lines`; of
  all these `line_quantities`.
- Places: `places` of `neighbors`, `ripley` and `class_distances` in `windows`, held
  against `hard_core`; `orientations`.
- Error bars: `intervals`, `error_parts`; several fields in `field_set`.
- Against the truth: `agreement`, `line_agreement`, `errors`. People and models:
  `comparison` of `field_agreement`, `kappa`, `bland_altman`, `paired_tests` and
  `human_spread`.
"""
