"""Alembic scripts of who may see what; run by :func:`access.store.migrate_access`."""
