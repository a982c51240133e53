"""How cells of files and tables become values and times:
numbers, units, running totals and formats.

Import profiles and mappings of tables share it, so that a cell means the same in both.
Where cells come from is not known here.
"""
