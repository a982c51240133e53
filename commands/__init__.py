"""The commands of manage.py, one file a noun: parse, call one plain function, print.

Each file registers its commands itself. What a command does belongs to data, jobs or access.
"""
