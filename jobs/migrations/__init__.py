"""Alembic scripts of the observations database; run by :func:`data.engine.migrate_observations`, without an alembic.ini."""
