"""What a load would take, said before the click."""

from __future__ import annotations

import threading
import time
from statistics import median

from data.load_plan import Plan
from i18n import format_duration, format_short
from i18n import gettext as _
from jobs.job import Job, Status
from jobs.ledger.ledger import Ledger

# observations × sensors; measured on two cores with SQLite (docs/performance.md)
DEFAULT_ROWS_A_SECOND = 3_000_000.0
_REMEMBER_S = 30.0
_JOBS = 20
_LEAST_ROWS = 50_000  # smaller jobs measure the start of a process, not reading
_START_S = 0.3  # from click to the first row


class Speed:
    """How fast recent jobs read, in observations × sensors a second; kept for half a minute."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._value = DEFAULT_ROWS_A_SECOND
        self._until = 0.0

    def rows_a_second(self) -> float:
        """The median of the latest jobs that read something, or a measured default."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._value = measured_speed(self._ledger.jobs(status=Status.COMPLETED, limit=_JOBS))
                self._until = time.monotonic() + _REMEMBER_S
            return self._value


def measured_speed(jobs: list[Job]) -> float:
    """Median rows a second of jobs that read enough to tell; the default when none did."""
    speeds = [
        job.metrics["rows"] / job.metrics["seconds_reading"]
        for job in jobs
        if job.metrics.get("tiles_read")
        and job.metrics.get("rows", 0) >= _LEAST_ROWS
        and job.metrics.get("seconds_reading", 0) > 0
    ]
    return float(median(speeds)) if speeds else DEFAULT_ROWS_A_SECOND


def estimate_words(plan: Plan, rows_a_second: float) -> str:
    """Return ``≈ 10.5 M rows · 40 % on disk · about 3 s``, and which stations lack data."""
    parts = [_("≈ {rows} rows").format(rows=format_short(plan.rows_total))]
    if plan.is_complete:
        parts.append(_("ready"))
    else:
        on_disk = 100 * (1 - plan.rows_missing / plan.rows_tiles) if plan.rows_tiles else 0.0
        parts.append(_("{percent} % ready").format(percent=min(99, max(0, int(on_disk)))))
        parts.append(_("about {duration}").format(duration=format_duration(_START_S + plan.rows_missing / rows_a_second)))
    if plan.without_data and not plan.sync_due:
        parts.append(_("no data in this range: {stations}").format(stations=", ".join(plan.without_data)))
    return " · ".join(parts)
