"""Observations that arrive by themselves: kept on the disk at once, stored soon after
(docs/decisions/0050).

Who sends them, and how they are checked, belongs to api/ and commands/; files that somebody imports
belong to data.ingest.
"""
