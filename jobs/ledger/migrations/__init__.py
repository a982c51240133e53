"""Alembic scripts of the ledger's tables; run by :func:`jobs.ledger.ledger.migrate_jobs`."""
