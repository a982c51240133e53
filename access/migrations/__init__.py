"""Alembic scripts of who may see what, in the database of jobs; run by :func:`access.store.migrate_access`."""
