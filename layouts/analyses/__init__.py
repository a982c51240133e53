"""What the page shows of an analysis beside its picture: the file of its name has its controls and
the lists beneath. Numbers come from the answer alone.
"""
