"""What the page says of a job: words, fraction, notice, title.
Pure: a job and the clock in, text out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.catalogue import Catalogue
from data.request import HistoryRequest
from escaping import visible
from figures.words import MOST_NAMES, sensor_words, station_words
from i18n import format_duration, format_month, format_range, format_short, ngettext, translate_error
from i18n import gettext as _
from jobs.job import Job, Progress, Status
from jobs.policy import ANALYSIS, FILE_NAMES, HISTORY, PICTURE
from layouts.notices import Notice

ACTIVE_STATUS = "active"  # queued or running: the page treats them alike
WORKER_COMMAND = ".venv/bin/python manage.py worker"
_QUEUE_SHOWN = 2_000  # ms that a job may wait before the page speaks of a missing worker


@dataclass(frozen=True)
class QueueState:
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
    name = ", ".join(map(visible, job.request.stations[:MOST_NAMES]))
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


def progress_words(job: Job | None, queue_state: QueueState) -> str:
    """Return one line: position in the queue, what is read and for how long, or what was done."""
    if job is None:
        return ""
    if job.status is Status.QUEUED:
        return _queued(job, queue_state)
    if job.status is Status.RUNNING:
        return _running(job, job.progress) if job.progress else _("Starting")
    if job.status is Status.COMPLETED:
        return _loaded(job) if job.kind == HISTORY else ""
    return ""


def job_notice(job: Job | None, queue_state: QueueState, now_ms: int, *, with_details: bool) -> Notice | None:
    """The notice that a job's state calls for, if any;
    a failure's details, or the job's id for those who may not see them.
    """
    if job is None:
        return None
    if not job.status.is_final and not queue_state.workers and now_ms - job.queued_ms >= _QUEUE_SHOWN:
        return no_worker()
    if job.status is Status.CANCELLED:
        return _cancelled(job)
    if job.status is Status.FAILED:
        return _failed(job, with_details=with_details)
    return None


def no_worker() -> Notice:
    """What the page says when nothing would run a job."""
    sentence = _("No worker is running, so nothing can be loaded. An administrator can start one with:")
    return Notice("warning", sentence, command=WORKER_COMMAND)


def not_found() -> Notice:
    """What the page says of a link whose job is gone."""
    return Notice("warning", _("This link has expired or is not yours. Select the data and load it."), action="form")


def saved_not_found() -> Notice:
    """What the page says of a saved view that is gone, private or not granted."""
    return Notice("warning", _("This saved view is gone or is not shared with you. Select the data and load it."), action="form")


def expired() -> Notice:
    """Return the notice of a finished job whose tiles were evicted or whose data changed."""
    sentence = _("Some of this data is out of date or no longer cached. Load again to see everything.")
    return Notice("info", sentence, action="again")


def request_title(request: HistoryRequest, catalogue: Catalogue) -> str:
    """Stations · sensors · range, in one line; at which resolution they are drawn tells the badge,
    which knows it.
    """
    span = format_range(request.start_ms, request.end_ms, request.timezone)
    return " · ".join((station_words(request.stations), sensor_words(request.sensors, catalogue), span))


def _queued(job: Job, queue_state: QueueState) -> str:
    if job.failures and job.error:
        return _("Attempt {attempt} failed ({cause}); trying again soon").format(
            attempt=job.failures, cause=translate_error(job.error).rstrip(".")
        )
    if queue_state.position is None:
        return _("Queued")
    return _("Queued at position {position}").format(position=queue_state.position)


def _running(job: Job, progress: Progress) -> str:
    if job.kind == HISTORY:
        return _reading(progress, len(job.request.sensors))
    if job.kind == PICTURE:
        return _("Drawing the picture")
    words = _("Analysing: {done} of {total} readings")
    if job.kind in FILE_NAMES:
        words = _("Writing the {name} file: {done} of {total} rows")
    return words.format(name=FILE_NAMES.get(job.kind), done=format_short(progress.rows), total=format_short(progress.rows_total))


def _reading(progress: Progress, sensors: int) -> str:
    """A month's tiles, one a sensor, are read together:
    so tiles by sensors are months (of all stations).
    """
    parts = []
    if progress.station and progress.month is not None:
        parts.append(
            _("Reading {station}, {month}").format(station=visible(progress.station), month=format_month(progress.month))
        )
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
    words = _("Read {rows} rows in {duration}").format(
        rows=format_short(metrics.get("rows", 0)), duration=format_duration((job.finished_ms - job.started_ms) / 1000)
    )
    values, times = int(metrics.get("bad_values", 0)), int(metrics.get("bad_times", 0))
    lost = {
        ngettext("{count} value could not be read", "{count} values could not be read", values): values,
        ngettext("{count} row has no time", "{count} rows have no time", times): times,
    }
    said = (sentence.format(count=format_short(count)) for sentence, count in lost.items() if count)
    return " · ".join((words, *said))


def _end_words(status: Status) -> str:
    """The notification of a long load's end; nothing for what the user did."""
    if status is Status.COMPLETED:
        return _("The history of {stations} is loaded.")
    return _("Loading the history of {stations} failed.") if status is Status.FAILED else ""


def _cancelled(job: Job) -> Notice:
    """A job that was cancelled in the line has no attempt: nothing of it can have arrived."""
    sentence = _("Cancelled. What was already loaded is shown.") if job.attempt else _("Cancelled before anything was read.")
    return Notice("info", sentence, action="resume")


def _failed(job: Job, *, with_details: bool) -> Notice:
    error = job.error
    if error is None:
        return Notice("danger", _("The load failed."), action="retry")
    words = _("The load failed: {cause}")
    if job.kind in FILE_NAMES:
        words = _("The {name} file could not be written: {cause}")
    elif job.kind == ANALYSIS:
        words = _("The analysis could not be made: {cause}")
    elif job.kind == PICTURE:
        words = _("The picture could not be drawn: {cause}")
    sentence = words.format(name=FILE_NAMES.get(job.kind), cause=translate_error(error))
    return Notice("danger", sentence, action="retry", details=error.details if with_details else f"{_('Job')} {job.id}")
