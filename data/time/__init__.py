"""Arithmetic of time: the present in ms, UTC months as numbers, resolutions,
buckets of a wall clock, and the offsets of time zones.

Numbers go in and come out; nothing here reads a file or a database.
How texts become times belongs to data.cells.
"""
