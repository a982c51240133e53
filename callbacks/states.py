"""What the page says of a job: words, fraction, notice, title. Pure: a job and the clock in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.catalogue import Catalogue
from data.request import HistoryRequest
from i18n import current_language, format_duration, format_month, format_range, format_short, ngettext, translate_error
from i18n import gettext as _
from jobs.job import Job, Progress, Status
from jobs.policy import WORKBOOK
from layouts.form import resolution_names
from layouts.status import Notice

ACTIVE_STATUS = "active"  # queued or running: the page treats them alike
WORKER_COMMAND = ".venv/bin/python manage.py worker"
_QUEUE_SHOWN = 2_000  # ms that a job may wait before the page speaks of a missing worker
_MAX_NAMES = 4  # stations or sensors that a title names before it counts them


@dataclass(frozen=True)
class Situation:
    """What is around a job: its place in the queue (1 = next) and whether a worker is alive."""

    position: int | None = None
    workers: int = 1


def panel_status(job: Job | None) -> str:
    """Value of ``data-status`` on the page: empty, active, completed, failed or cancelled."""
    if job is None:
        return ""
    return job.status.value if job.status.is_final else ACTIVE_STATUS


def job_state(job: Job | None) -> dict[str, Any]:
    """What assets/page.js needs for the tab's title and the notification."""
    if job is None:
        return {"id": None, "status": "", "seconds": 0, "title": "", "message": ""}
    name = ", ".join(job.request.stations[:_MAX_NAMES])
    return {
        "id": job.id,
        "status": panel_status(job),
        "seconds": max(0.0, (job.finished_ms - job.queued_ms) / 1000) if job.finished_ms else 0.0,
        "title": name,
        "message": _end_words(job.status).format(stations=name),
    }


def fraction(job: Job | None) -> str:
    """Value of the progress bar, ``0`` to ``1`` as text."""
    if job is None:
        return "0"
    if job.status is Status.COMPLETED:
        return "1"
    return f"{job.progress.fraction:.4f}" if job.progress else "0"


def progress_words(job: Job | None, situation: Situation) -> str:
    """One line: place in the queue, what is being read and how long it takes, or what was done."""
    if job is None:
        return ""
    if job.status is Status.QUEUED:
        return _queued(job, situation)
    if job.status is Status.RUNNING:
        return _running(job, job.progress) if job.progress else _("Starting")
    if job.status is Status.COMPLETED:
        return "" if job.kind == WORKBOOK else _loaded(job)
    return ""


def job_notice(job: Job | None, situation: Situation, now_ms: int, *, with_details: bool) -> Notice | None:
    """The notice that a job's state calls for, if any; a failure's details, or the job's id for those who may not see them."""
    if job is None:
        return None
    if not job.status.is_final and not situation.workers and now_ms - job.queued_ms >= _QUEUE_SHOWN:
        return no_worker()
    if job.status is Status.CANCELLED:
        return _cancelled(job)
    if job.status is Status.FAILED:
        return _failed(job, with_details=with_details)
    return None


def no_worker() -> Notice:
    """What the page says when nothing would run a job."""
    sentence = _("No worker is running, so nothing can be loaded; whoever runs the site starts one with:")
    return Notice("warning", sentence, command=WORKER_COMMAND)


def not_found() -> Notice:
    """What the page says of a link whose job is gone."""
    return Notice("warning", _("The load of this link is no longer known; select the data and load it."), action="form")


def expired() -> Notice:
    """What the page says when the tiles of a finished job were evicted or the data have changed since."""
    sentence = _("Parts of this result have left the disk or have new data; load it again to see all of it.")
    return Notice("info", sentence, action="again")


def request_title(request: HistoryRequest, catalogue: Catalogue) -> str:
    """Stations · sensors · range · resolution, in one line."""
    language = current_language()
    labels = [catalogue[name].label(language) if name in catalogue else name for name in catalogue.ordered(request.sensors)]
    parts = [
        names_or_count(request.stations, ngettext("{count} station", "{count} stations", len(request.stations))),
        names_or_count(labels, ngettext("{count} sensor", "{count} sensors", len(labels))),
        format_range(request.start_ms, request.end_ms, request.timezone),
    ]
    if request.resolution != "raw":
        parts.append(resolution_names()[request.resolution])
    return " · ".join(parts)


def names_or_count(names: Sequence[str], counted: str) -> str:
    """The names, or how many they are (``counted``, with a field ``count``) when there are too many to read."""
    return ", ".join(names) if len(names) <= _MAX_NAMES else counted.format(count=len(names))


def _queued(job: Job, situation: Situation) -> str:
    if job.failures and job.error:
        return _("Attempt {attempt} failed ({cause}); trying again soon").format(
            attempt=job.failures, cause=translate_error(job.error).rstrip(".")
        )
    if situation.position is None:
        return _("Queued")
    return _("Queued at position {position}").format(position=situation.position)


def _running(job: Job, progress: Progress) -> str:
    if job.kind != WORKBOOK:
        return _reading(progress, len(job.request.sensors))
    words = _("Writing the Excel file: {done} of {total} rows")
    return words.format(done=format_short(progress.rows), total=format_short(progress.rows_total))


def _reading(progress: Progress, sensors: int) -> str:
    """A month's tiles, one a sensor, are read together: so tiles by sensors are months (of all stations)."""
    parts = []
    if progress.station and progress.month is not None:
        parts.append(_("Reading {station}, {month}").format(station=progress.station, month=format_month(progress.month)))
    else:
        parts.append(_("Reading"))
    months = {"done": progress.tiles_done // sensors, "total": -(-progress.tiles_total // sensors)}
    parts.append(_("{done} of {total} months").format(**months))
    parts.append(_("{rows} rows").format(rows=format_short(progress.rows)))
    if progress.seconds_left is not None:
        parts.append(_("about {duration} left").format(duration=format_duration(progress.seconds_left)))
    return " · ".join(parts)


def _loaded(job: Job) -> str:
    metrics: Mapping[str, float | int] = job.metrics
    read = int(metrics.get("tiles_read", 0))
    if not read or job.started_ms is None or job.finished_ms is None:
        return ""
    return _("Read {rows} rows in {duration}").format(
        rows=format_short(metrics.get("rows", 0)), duration=format_duration((job.finished_ms - job.started_ms) / 1000)
    )


def _end_words(status: Status) -> str:
    """The notification of a long load's end; nothing for what the user did."""
    if status is Status.COMPLETED:
        return _("The history of {stations} is loaded.")
    return _("Loading the history of {stations} failed.") if status is Status.FAILED else ""


def _cancelled(job: Job) -> Notice:
    """A job that was cancelled in the line has no attempt: nothing of it can have arrived."""
    sentence = _("Cancelled; what had arrived is shown and stays.") if job.attempt else _("Cancelled before anything was read.")
    return Notice("info", sentence, action="resume")


def _failed(job: Job, *, with_details: bool) -> Notice:
    error = job.error
    if error is None:
        return Notice("danger", _("The load failed."), action="retry")
    words = _("The Excel file could not be written: {cause}") if job.kind == WORKBOOK else _("The load failed: {cause}")
    sentence = words.format(cause=translate_error(error))
    return Notice("danger", sentence, action="retry", details=error.details if with_details else f"{_('Job')} {job.id}")
