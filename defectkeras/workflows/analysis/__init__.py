"""The parts of `analyze`: the plan, one micrograph, montages, the results on disk.

Takes files and settings; gives a folder of results for each. `analyze` deals the
files out to the workers and writes what is told of all of them.
"""
