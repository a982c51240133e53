"""The ledger: the table of jobs, its records, queries,
leases and the order in which users take turns.

It is the single truth about jobs. Who runs a job (jobs.worker, jobs.celery)
and what it does (jobs.kinds) is not known here.
"""
