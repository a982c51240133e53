"""The callbacks of the Jobs page. One of them shows: it asks the ledger,
and again only while something waits or runs.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity, may_see_details
from callbacks.job_rows import job_row, seconds_words
from callbacks.job_words import no_worker
from callbacks.submit import refused, was_pressed
from data.time.epoch import epoch_ms
from errors import RiwayatError
from figures.queue import depth_figure, wait_figure
from i18n import current_language, format_number
from i18n import gettext as _
from jobs.authorized import authorized_job, authorized_jobs
from jobs.job import Job, Status
from jobs.monitoring.wait_times import QueueDay, queue_day
from jobs.services import Services
from jobs.start import cancel_job, retry_job
from layouts import ids
from layouts.jobs import FIRST_JOBS, count_words, job_details, queue_graph, queue_numbers
from layouts.notices import Notice, alert

MOST_JOBS = 1_000  # rows that one page holds; older jobs are for ``manage.py queue list``


@dataclass(frozen=True)
class JobsPageQuery:
    """What the page holds: all of it untrusted."""

    presses: object  # of "Show older jobs"
    selected: object
    seen: object
    theme: str

    @property
    def jobs(self) -> int:
        """How many jobs to show."""
        presses = self.presses if isinstance(self.presses, int) else 0
        return min(FIRST_JOBS * (1 + max(presses, 0)), MOST_JOBS)

    @property
    def selected_id(self) -> str:
        """The id of the row whose details are shown, or an empty text."""
        first = self.selected[0] if isinstance(self.selected, list) and self.selected else None
        return str(first.get("id", "")) if isinstance(first, dict) else ""


@dataclass(frozen=True)
class JobsPageAnswer:
    """What the page shows; :data:`SHOWN_OUTPUTS` says where."""

    idle: bool
    queue: Any
    rows: Any = no_update
    seen: Any = no_update
    empty_hidden: Any = no_update
    table_hidden: Any = no_update
    count: Any = no_update
    no_older: Any = no_update
    details: Any = no_update


SHOWN_OUTPUTS = {
    "idle": Output(ids.JOBS_TICK, "disabled"),
    "queue": Output(ids.JOBS_QUEUE, "children"),
    "rows": Output(ids.JOBS_GRID, "rowData"),
    "seen": Output(ids.JOBS_SEEN, "data"),
    "empty_hidden": Output(ids.JOBS_EMPTY, "hidden"),
    "table_hidden": Output(ids.JOBS_TABLE, "hidden"),
    "count": Output(ids.JOBS_COUNT, "children"),
    "no_older": Output(ids.JOBS_OLDER, "hidden"),
    "details": Output(ids.JOB_DETAILS, "children"),
}


def shown(services: Services, identity: Identity, asked: JobsPageQuery, now_ms: int) -> JobsPageAnswer:
    """The newest jobs that the identity may see, the queue, and the details of the selected job."""
    owner = None if identity.admin else identity.user
    found = authorized_jobs(services.ledger, identity, owner, None, asked.jobs + 1)
    more, found = len(found) > asked.jobs, found[: asked.jobs]
    rows = _rows(services, identity, found, now_ms)
    selected = next((row for row in rows if row["id"] == asked.selected_id), None)
    seen = {"rows": _digest(rows), "details": _digest(selected)}
    known = asked.seen if isinstance(asked.seen, dict) else {}
    active = any(not job.status.is_final for job in found)
    return JobsPageAnswer(
        rows=no_update if known.get("rows") == seen["rows"] else rows,
        seen=seen,
        idle=not active,
        queue=_queue(services, asked.theme, active=active),
        empty_hidden=bool(found),
        table_hidden=not found,
        count=count_words(len(found), more=more) if found else "",
        no_older=not more or asked.jobs >= MOST_JOBS,
        details=no_update if known.get("details") == seen["details"] else _details(identity, selected),
    )


def unavailable(services: Services, error: SQLAlchemyError) -> JobsPageAnswer:
    """Return what the page shows while the ledger does not answer: what it has, and why."""
    return JobsPageAnswer(idle=False, queue=[alert(refused(services, error))])


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()


def _details(identity: Identity, selected: dict[str, Any] | None) -> Any:
    return job_details(selected, with_owner=identity.admin) if selected else None


def act(services: Services, identity: Identity, job_id: object, action: object) -> Notice | None:
    """Cancel or retry a job that the identity may see; return a notice of failure, or None."""
    try:
        job = authorized_job(services.ledger, identity, job_id)
        if action == "cancel":
            cancel_job(services.ledger, job, services.wake)
        elif action == "retry":
            retry_job(services.ledger, identity, job, services.wake)
    except (RiwayatError, SQLAlchemyError) as error:
        return refused(services, error)
    return None


def _rows(services: Services, identity: Identity, jobs: list[Job], now_ms: int) -> list[dict[str, Any]]:
    positions = services.ledger.positions(jobs)
    settings = services.settings
    return [
        job_row(
            job,
            services.site.catalogue,
            prefix=settings.url_prefix,
            timezone=settings.timezone,
            now_ms=now_ms,
            position=positions.get(job.id),
            with_details=may_see_details(settings, identity),
        )
        for job in jobs
    ]


def _queue(services: Services, theme: str, *, active: bool) -> list[Any]:
    day = queue_day(services.ledger)
    workers = services.ledger.workers()
    running = sum(counts.get(Status.RUNNING, 0) for counts in services.ledger.counts().values())
    slots = sum(worker.slots for worker in workers)
    numbers = {
        _("Waiting now"): format_number(day.waiting),
        _("Running now"): _("{running} of {slots}").format(running=format_number(running), slots=format_number(slots)),
        _("Longest wait now"): seconds_words(day.longest_now_ms / 1000) if day.waiting else "–",
        _("Typical wait, last 24 h"): _usual_wait(day),
    }
    waits = [(wait.queued_ms, wait.until_ms or day.now_ms) for wait in day.waits]
    ended = [(wait.queued_ms, wait.until_ms or day.now_ms) for wait in day.ended]
    span = (day.since_ms, day.now_ms, services.settings.timezone, theme)
    language = current_language()
    return [
        queue_numbers(numbers),
        queue_graph(depth_figure(waits, *span), _("Jobs waiting, last 24 h"), language),
        queue_graph(wait_figure(ended, *span), _("Longest wait, last 24 h"), language),
        *([alert(no_worker())] if active and not workers else []),
    ]


def _usual_wait(day: QueueDay) -> str:
    """The median of the jobs that began."""
    waits = sorted((wait.until_ms or 0) - wait.queued_ms for wait in day.ended)
    return seconds_words(waits[len(waits) // 2] / 1000) if waits else "–"


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the Jobs page."""
    _register_show(app, services)
    _register_act(app, services)
    app.clientside_callback(
        ClientsideFunction("jobs", "close"),
        Output(ids.JOBS_GRID, "selectedRows"),
        Input({"type": "job-action", "name": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )


def _register_show(app: Dash, services: Services) -> None:
    @app.callback(
        output=SHOWN_OUTPUTS,
        inputs={
            "_tick": Input(ids.JOBS_TICK, "n_intervals"),
            "_done": Input(ids.JOBS_DONE, "data"),
            "presses": Input(ids.JOBS_OLDER, "n_clicks"),
            "selected": Input(ids.JOBS_GRID, "selectedRows"),
            "theme": Input(ids.THEME, "data"),
        },
        state={"seen": State(ids.JOBS_SEEN, "data")},
    )
    def show(_tick: Any, _done: Any, presses: Any, selected: Any, theme: Any, seen: Any) -> dict[str, Any]:
        asked = JobsPageQuery(presses, selected, seen, str(theme))
        try:
            found = shown(services, services.identify(), asked, epoch_ms())
        except SQLAlchemyError as error:
            found = unavailable(services, error)
        return vars(found)


def _register_act(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.JOBS_DONE, "data"),
        Output(ids.JOBS_ALERT, "children"),
        Input(ids.JOBS_PRESS, "data"),
        Input({"type": "job-action", "name": ALL}, "n_clicks"),
        State(ids.JOBS_GRID, "selectedRows"),
        prevent_initial_call=True,
    )
    def do(pressed: Any, _clicks: Any, selected: Any) -> tuple[Any, Any]:
        if not was_pressed():  # buttons that just appeared
            return no_update, no_update
        if ctx.triggered_id == ids.JOBS_PRESS:
            press = pressed or {}
            job_id, name = press.get("job"), press.get("name")
        else:
            job_id, name = JobsPageQuery(None, selected, None, "").selected_id, ctx.triggered_id["name"]
        if name not in ("cancel", "retry"):
            return no_update, no_update
        return time.time_ns(), alert(act(services, services.identify(), job_id, name))
