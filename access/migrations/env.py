"""Alembic's entry: runs on the connection that data.engine.upgrade hands over."""

from data.engine import run_environment

run_environment()
