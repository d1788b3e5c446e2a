"""Stage 9, a Quantification to files that people read.

Takes measured micrographs; gives overlays, CSV tables, summary.json and one HTML
page that opens without a network.
May import: quantification, prediction, datasets, micrographs, core.
No TensorFlow.
"""
