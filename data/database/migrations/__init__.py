"""Alembic scripts of the observations database; run by
:func:`data.database.engine.migrate_observations`.
"""
