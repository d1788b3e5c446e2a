"""Stage 1, synthetic micrographs of foils whose contents are known.

Takes a preset, a field, a foil and a seed; gives a micrograph with its annotation
and its three-dimensional truth; may import: core.
"""
