"""Existing tables of others, read-only, as a mapping describes them:
columns, times, changes, totals, and checks for their owner.

It is read through data.source.connection. Nothing here writes to the table or knows of tiles.
"""
