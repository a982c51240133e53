"""Tiles: the files that hold a month of one sensor each, their summaries, checksums and indices,
and the store that keeps them.

docs/tiles.md describes every byte. Where the rows come from (source, ingest)
and how they are drawn (view) is not known here.
"""
