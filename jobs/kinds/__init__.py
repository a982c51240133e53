"""What jobs do: load a history into tiles, write a workbook, or keep an answer,
and how they tell how long it will take.

Each kind is a plain function with progress and a deadline.
How it is queued, forked and ended is decided elsewhere.
"""
