"""Candidates compared on equal terms, and how fast patches are made.

Takes a data spec and what is compared; gives a row of scores for each candidate and
fold, and the files that show them.
"""
