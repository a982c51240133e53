"""A first profile for a file that nobody has described yet:
what its columns, times and units seem to be.

A guess is tried on the file and written as TOML for a person to correct.
An import itself never guesses.
"""
