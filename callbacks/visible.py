"""A job that the one who asks may see: jobs/visible.py, under the name that callbacks know it by."""

from __future__ import annotations

from jobs.visible import visible_job

__all__ = ["visible_job"]
