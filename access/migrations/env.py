"""Alembic's entry: runs on the connection that data.database.engine.upgrade hands over."""

from data.database.engine import run_environment

run_environment()
