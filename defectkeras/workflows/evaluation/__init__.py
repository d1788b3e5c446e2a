"""How well micrographs were segmented: what each adds, the scores, their files.

Takes annotations and what was predicted; gives scores per micrograph and pooled.
"""
