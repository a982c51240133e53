"""What is drawn of a request: a window of tiles as pixel columns, bars,
directions or resampled points, and its statistics.

Everything is made of tiles, never of a database (docs/view.md).
Plotly and pages belong to figures and layouts.
"""
