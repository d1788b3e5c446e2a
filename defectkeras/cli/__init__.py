"""Stage 10, words to calls.

Takes a command line; gives exit status 0, 1 (something failed) or 2 (wrong
usage), data on stdout and talk on stderr. Each command parses, calls one
workflow and prints; the workflows are imported inside the commands, so that
help is quick. May import: workflows, core, and what completion needs.
"""
