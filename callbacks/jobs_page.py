"""The callbacks of the Jobs page. One of them shows: it asks the ledger, and again only while something waits or runs."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

import structlog
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity, may_see_details
from callbacks.job_rows import job_row
from callbacks.services import Services
from callbacks.start import refusal
from callbacks.states import no_worker
from errors import LedgerUnavailable, RiwayatError
from figures.queue import depth_figure, wait_figure
from i18n import THIN_SPACE, current_language, format_duration, format_number
from i18n import gettext as _
from jobs.job import Job, Status
from jobs.start import cancel_job, retry_job
from jobs.visible import visible_job, visible_jobs
from jobs.waits import QueueDay, queue_day
from layouts import ids
from layouts.jobs import FIRST_JOBS, count_words, job_details, queue_graph, queue_numbers
from layouts.status import Notice, alert

MOST_JOBS = 1_000  # rows that one page holds; older jobs are for ``manage.py queue list``

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Asked:
    """What the page holds: all of it untrusted."""

    limit: object
    selected: object
    seen: object
    theme: str

    @property
    def jobs(self) -> int:
        """How many jobs to show."""
        return min(max(self.limit, 1), MOST_JOBS) if isinstance(self.limit, int) else FIRST_JOBS

    @property
    def selected_id(self) -> str:
        """The id of the row whose details are shown, or an empty text."""
        first = self.selected[0] if isinstance(self.selected, list) and self.selected else None
        return str(first.get("id", "")) if isinstance(first, dict) else ""


@dataclass(frozen=True)
class Shown:
    """What the page shows, in the order of the outputs of ``show``."""

    rows: Any
    seen: dict[str, str]
    idle: bool
    queue: Any
    empty_hidden: bool
    table_hidden: bool
    count: str
    no_older: bool
    details: Any


def shown(services: Services, identity: Identity, asked: Asked, now_ms: int) -> Shown:
    """The newest jobs that the identity may see, the queue, and the details of the selected job."""
    owner = None if identity.admin else identity.user
    found = visible_jobs(services.ledger, identity, owner, None, asked.jobs + 1)
    more, found = len(found) > asked.jobs, found[: asked.jobs]
    rows = _rows(services, identity, found, now_ms)
    selected = next((row for row in rows if row["id"] == asked.selected_id), None)
    seen = {"rows": _digest(rows), "details": _digest(selected)}
    known = asked.seen if isinstance(asked.seen, dict) else {}
    active = any(not job.status.is_final for job in found)
    return Shown(
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


def unavailable(services: Services) -> Shown:
    """What the page shows while the ledger does not answer: what it has, and so; it asks again."""
    notice = alert(refusal(LedgerUnavailable(), services.settings.timezone))
    rest: Any = no_update
    return Shown(rest, rest, False, [notice], rest, rest, rest, rest, rest)


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()


def _details(identity: Identity, selected: dict[str, Any] | None) -> Any:
    return job_details(selected, with_owner=identity.admin) if selected else None


def act(services: Services, identity: Identity, job_id: object, action: object) -> Notice | None:
    """Cancel or retry a job that the identity may see; the notice says why it could not be, or None."""
    try:
        job = visible_job(services.ledger, identity, job_id)
        if action == "cancel":
            cancel_job(services.ledger, job, services.wake)
        elif action == "retry":
            retry_job(services.ledger, identity, job, services.wake)
    except RiwayatError as error:
        services.note(error)
        return refusal(error, services.settings.timezone)
    except SQLAlchemyError as error:
        log.warning("the ledger does not answer a page", error=str(error))
        return refusal(LedgerUnavailable(), services.settings.timezone)
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
        _("Longest wait now"): _wait_words(day.longest_now_ms / 1000) if day.waiting else "–",
        _("Usual wait, last 24 h"): _usual_wait(day),
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
    return _wait_words(waits[len(waits) // 2] / 1000) if waits else "–"


def _wait_words(seconds: float) -> str:
    return f"{format_number(max(0.0, seconds), 1)}{THIN_SPACE}{_('s')}" if seconds < 10 else format_duration(seconds)


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the Jobs page."""
    _register_show(app, services)
    _register_act(app, services)
    app.clientside_callback(
        f"function(presses) {{ return Math.min({MOST_JOBS}, {FIRST_JOBS} * (1 + (presses || 0))); }}",
        Output(ids.JOBS_LIMIT, "data"),
        Input(ids.JOBS_OLDER, "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("jobs", "close"),
        Output(ids.JOBS_GRID, "selectedRows"),
        Input({"type": "job-action", "name": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )


def _register_show(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.JOBS_GRID, "rowData"),
        Output(ids.JOBS_SEEN, "data"),
        Output(ids.JOBS_TICK, "disabled"),
        Output(ids.JOBS_QUEUE, "children"),
        Output(ids.JOBS_EMPTY, "hidden"),
        Output(ids.JOBS_TABLE, "hidden"),
        Output(ids.JOBS_COUNT, "children"),
        Output(ids.JOBS_OLDER, "hidden"),
        Output(ids.JOB_DETAILS, "children"),
        Input(ids.JOBS_TICK, "n_intervals"),
        Input(ids.JOBS_DONE, "data"),
        Input(ids.JOBS_LIMIT, "data"),
        Input(ids.JOBS_GRID, "selectedRows"),
        Input(ids.THEME, "data"),
        State(ids.JOBS_SEEN, "data"),
    )
    def show(_tick: Any, _done: Any, limit: Any, selected: Any, theme: Any, seen: Any) -> tuple[Any, ...]:
        asked = Asked(limit, selected, seen, str(theme))
        try:
            found = shown(services, services.identify(), asked, time.time_ns() // 1_000_000)
        except SQLAlchemyError as error:
            log.warning("the ledger does not answer a page", error=str(error))
            found = unavailable(services)
        return tuple(vars(found).values())


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
        if not any(trigger["value"] for trigger in ctx.triggered):  # buttons that just appeared
            return no_update, no_update
        if ctx.triggered_id == ids.JOBS_PRESS:
            press = pressed or {}
            job_id, name = press.get("job"), press.get("name")
        else:
            job_id, name = Asked(None, selected, None, "").selected_id, ctx.triggered_id["name"]
        if name not in ("cancel", "retry"):
            return no_update, no_update
        return time.time_ns(), alert(act(services, services.identify(), job_id, name))
