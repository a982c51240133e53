"""The queue as numbers: jobs of the last minutes, and how long they waited.

All is read back from the ledger's rows. How the numbers are served belongs to api.monitoring.
"""
