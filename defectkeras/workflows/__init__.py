"""Stage 9, the stages in a row; each function is one thing that a user wants done.

Takes paths and settings; gives results and the files that hold them. May
import: everything below the command line.
"""
