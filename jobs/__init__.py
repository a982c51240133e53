"""The queue: job, policy, retry, start and manager, and the rooms of the ledger,
the workers and what jobs do.

What a job may do is decided here; observations are read by data. Pages and HTTP are not known.
"""
