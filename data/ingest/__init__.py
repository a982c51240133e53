"""Files become observations: a profile says how to read them, a whole file is checked,
then stored in short transactions.

What a cell means belongs to data.cells, tables that exist already to data.source.mapped.
"""
