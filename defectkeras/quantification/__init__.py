"""Stage 8, a class map to numbers with units.

Takes class maps (H, W), a label scheme and a calibration; gives one row per
object and per line, and the quantities of the micrograph with their intervals,
methods and, where one cannot be given, the reason. May import: core. It knows
no files and no TensorFlow. Formulas: docs/quantification.md.
"""
