"""Files of text: encoding, headers, sections and how lines are cut into cells.

Cells leave here as they were written. What they mean belongs to
data.cells and to the plan of the file.
"""
