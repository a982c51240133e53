"""A job as a row of the Jobs page: words for people, numbers for sorting. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from data.catalogue import Catalogue
from data.request import HistoryRequest
from data.time.epoch import MINUTE_MS
from data.time.months import iso_utc
from figures.words import sensor_words, station_words
from i18n import (
    THIN_SPACE,
    format_duration,
    format_number,
    format_range,
    format_short,
    format_time,
    translate_error,
)
from i18n import gettext as _
from jobs.job import Job, Status
from jobs.policy import ANALYSIS, FILE_FORMATS, FILE_NAMES, PICTURE, REPORT
from layouts.form import resolution_names
from layouts.jobs_grid import status_names

_LEAST_SECONDS = 0.05  # a shorter reading has no speed worth telling


def job_row(
    job: Job, catalogue: Catalogue, *, prefix: str, timezone: str, now_ms: int, position: int | None, with_details: bool
) -> dict[str, Any]:
    """Fields of the grid's columns (layouts/jobs_grid.py);
    times in the site's zone, ``…_order`` are what sorts.

    ``with_details``: for those who may see an error's traceback.
    """
    metrics, stations = job.metrics, station_words(job.request.stations)
    file = _file(job) if job.status is Status.COMPLETED else ""
    seconds = _seconds(job, now_ms)
    rows = metrics.get("rows", job.progress.rows if job.progress else None)
    speed = _rows_a_second(metrics)
    memory = metrics.get("peak_memory_mb")
    return {
        "id": job.id,
        "version": job.version,
        "status": job.status.value,
        "status_words": _status_words(job),
        "fraction": job.progress.fraction if job.progress and job.status is Status.RUNNING else None,
        "stations": _what(job).format(stations=stations),
        "sensors": sensor_words(job.request.sensors, catalogue),
        "range": format_range(job.request.start_ms, job.request.end_ms, job.request.timezone),
        "range_order": job.request.start_ms,
        "resolution": resolution_names()[job.request.resolution],
        "queue": job.queue if position is None else _("{queue}, position {position}").format(queue=job.queue, position=position),
        "owner": job.owner,
        "created": format_time(job.created_ms // MINUTE_MS * MINUTE_MS, timezone),
        "created_order": job.created_ms,
        "duration": "" if seconds is None else seconds_words(seconds),
        "duration_order": seconds,
        "rows": "" if rows is None else format_number(rows),
        "rows_order": rows,
        "speed": "" if speed is None else format_short(speed),
        "speed_order": speed,
        "memory": "" if memory is None else f"{format_number(memory)}{THIN_SPACE}MB",
        "memory_order": memory,
        "attempts": _attempts(job),
        "attempts_order": job.attempt,
        "error": translate_error(job.error, timezone) if job.error else "",
        "details": job.error.details if job.error and with_details else "",
        "open": prefix + (f"api/jobs/{quote(job.id)}/{file}" if file else f"?job={quote(job.id)}"),
        "is_file": bool(file),
        "repeat": f"{prefix}?{repeat_query(job.request)}",
        "can_cancel": not job.status.is_final,
        "can_retry": job.status in (Status.FAILED, Status.CANCELLED),
    }


def _file(job: Job) -> str:
    """Return where in the API, below the job, the file is that it writes; empty of one that writes
    none.
    """
    if job.kind in (PICTURE, REPORT):
        return job.kind
    return f"data?format={FILE_FORMATS[job.kind]}" if job.kind in FILE_FORMATS else ""


def _what(job: Job) -> str:
    """What the job makes, with the field ``stations``."""
    if job.kind in FILE_NAMES:
        return _("{name} file of {stations}").replace("{name}", FILE_NAMES[job.kind])
    if job.kind == PICTURE:
        return _("Picture of {stations}")
    if job.kind == REPORT:
        return _("Report of {stations}")
    return _("Analysis of {stations}") if job.kind == ANALYSIS else "{stations}"


def repeat_query(request: HistoryRequest) -> str:
    """The query that fills the form with a request and starts nothing."""
    fields = {
        "station": request.stations,
        "sensor": request.sensors,
        "from": iso_utc(request.start_ms),
        "to": iso_utc(request.end_ms),
        "resolution": request.resolution,
        "zone": request.timezone,
    }
    return urlencode(fields, doseq=True, safe="/")


def _status_words(job: Job) -> str:
    word = status_names()[job.status.value]
    if job.status is Status.RUNNING and job.progress:
        return f"{word} {int(100 * job.progress.fraction)}{THIN_SPACE}%"
    return word


def _seconds(job: Job, now_ms: int) -> float | None:
    """Return the time from the latest attempt's start to the end, or now; None without one."""
    if job.started_ms is None or not job.attempt:
        return None
    until = job.finished_ms if job.finished_ms is not None else now_ms
    return max(0.0, (until - job.started_ms) / 1000)


def seconds_words(seconds: float) -> str:
    """A duration; a short one with a tenth of a second."""
    return f"{format_number(max(0.0, seconds), 1)}{THIN_SPACE}{_('s')}" if seconds < 10 else format_duration(seconds)


def _rows_a_second(metrics: Mapping[str, float | int]) -> float | None:
    """Observations × sensors a second; None where nothing was read."""
    seconds = metrics.get("seconds_reading", 0)
    if not metrics.get("tiles_read") or seconds < _LEAST_SECONDS:
        return None
    return metrics.get("rows", 0) / seconds


def _attempts(job: Job) -> str:
    return (
        str(job.attempt)
        if not job.failures
        else _("{attempt}, {failures} failed").format(attempt=job.attempt, failures=job.failures)
    )
