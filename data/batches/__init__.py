"""Imports and deletions as batches: each is undone as one (docs/decisions/0023).

Reading files belongs to data.ingest. What a batch changed is kept for a while only.
"""
