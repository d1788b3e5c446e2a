"""Stage 1, files to micrographs.

Takes files of microscopes and of annotators; gives `Micrograph`s with their
calibration, class maps and label maps; may import: core.
"""
