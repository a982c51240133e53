"""What who asks again is told of a job that ended a moment ago without what it was to make."""

from __future__ import annotations

from typing import Final

from data.time.epoch import MINUTE_MS, epoch_ms
from i18n import translate_error
from jobs.job import Job, Status

_TOLD_MS: Final = MINUTE_MS  # so long a failure is told to those who ask again; then it is tried anew


def ended_badly_just_now(job: Job) -> bool:
    """Return whether a job failed or was cancelled so short a time ago that it is told, and not
    tried anew.
    """
    is_bad = job.status in (Status.CANCELLED, Status.FAILED)
    return is_bad and job.finished_ms is not None and epoch_ms() - job.finished_ms < _TOLD_MS


def why_failed(job: Job) -> str:
    """Return why a job failed, in the current language."""
    return translate_error(job.error) if job.error else job.id
