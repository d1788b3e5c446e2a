"""Stage 2, data specs: which micrographs and annotations are a set, and its split.

Takes a TOML file and a folder of files; gives a `DatasetSpec` whose examples are
found, paired and split, and tells all that is wrong with them; may import:
micrographs, core.
"""
