"""Stage 0, the nouns and rules that every stage shares.

May import: nothing of ours.
"""
