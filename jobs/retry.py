"""Whether a job that failed is tried again, and when: pure decisions; chance is passed in."""

from __future__ import annotations

FIRST_DELAY_MS = 1_000
LONGEST_DELAY_MS = 60_000
# part of a delay that chance may take off, so that jobs that failed together do not return together
JITTER = 0.25


def backoff_ms(failures: int, jitter: float) -> int:
    """Return the wait before the next attempt: 1, 2, 4 … 60 s,
    less up to a quarter (``jitter``).
    """
    delay_ms = min(FIRST_DELAY_MS << max(0, min(failures, 32) - 1), LONGEST_DELAY_MS)
    return round(delay_ms * (1 - JITTER * jitter))


def retry_delay_ms(failures: int, tries: int, retryable: bool, jitter: float) -> int | None:
    """Return how long to wait before trying again after the ``failures``-th failure;
    None when the job fails for good.
    """
    return backoff_ms(failures, jitter) if retryable and failures < tries else None
