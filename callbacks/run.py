"""Following a job: attach to whatever job-id holds, poll while it is active, and say how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from flask import has_request_context
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity, may_see_details
from callbacks.services import Services
from callbacks.start import refusal
from callbacks.states import (
    ACTIVE_STATUS,
    Situation,
    expired,
    fraction,
    job_notice,
    job_state,
    not_found,
    panel_status,
    progress_words,
    request_title,
)
from data.plan import plan
from data.rollup import rollups_missing
from errors import JobNotFound, NotPermitted, RiwayatError
from jobs.child import make_callback_job
from jobs.job import Job, Status
from jobs.manager import QueueManager
from jobs.visible import visible_job
from layouts import ids
from layouts.status import Notice, action_id, alert

POLL_MS = 500

log = structlog.get_logger(__name__)

# What a poll changes while a job is active, in the order of render_progress.
PROGRESS_OUTPUTS = (
    Output(ids.PROGRESS_TEXT, "children"),
    Output(ids.PROGRESS, "value"),
    Output(ids.JOB_BEAT, "data"),
    Output(ids.QUEUE_NOTE, "children"),
)

# What the end of a job changes, in the order of render_result.
RESULT_OUTPUTS = (
    Output(ids.JOB_STATE, "data"),
    Output(ids.PROGRESS_TEXT, "children"),
    Output(ids.PROGRESS, "value"),
    Output(ids.JOB_BEAT, "data"),
    Output(ids.QUEUE_NOTE, "children"),
    Output(ids.ALERT, "children"),
)


class JobRenderer:
    """Turns a job of the ledger into values of the page's components, in the language of the request in hand."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def situation(self, job: Job) -> Situation:
        """Place in the line and live workers; asked only while the job has not ended.

        A job that runs needs a worker as well: when that one died, its attempt is only given up by another.
        """
        if job.status.is_final:
            return Situation()
        ledger = self._services.ledger
        position = ledger.position(job) if job.status is Status.QUEUED else None
        return Situation(position, len(ledger.workers(job.queue)))

    def _notice(self, job: Job | None, situation: Situation) -> Notice | None:
        return job_notice(job, situation, _now_ms(), with_details=self._with_details(job))

    def _with_details(self, job: Job | None) -> bool:
        """Asked only where there are any: in the process of a stock manager (jobs/child.py) there is nobody to be identified."""
        if job is None or job.error is None:
            return False
        return may_see_details(self._services.settings, self._services.identify() if has_request_context() else Identity(""))

    def progress(self, job: Job) -> tuple[Any, ...]:
        """Values of :data:`PROGRESS_OUTPUTS`."""
        situation = self.situation(job)
        notice = None if job.status.is_final else self._notice(job, situation)
        return progress_words(job, situation), fraction(job), job.version, alert(notice)

    def result(self, job: Job) -> tuple[Any, ...]:
        """Values of :data:`RESULT_OUTPUTS`; an alert about something else stays when the job ended well."""
        situation = Situation()
        notice = self._notice(job, situation)
        shown = alert(notice) if notice else no_update
        return job_state(job), progress_words(job, situation), fraction(job), job.version, None, shown

    def attached(self, job: Job | None, notice: Notice | None) -> tuple[Any, ...]:
        """Values of :data:`RESULT_OUTPUTS` for a job that the page has just turned to, or for none."""
        situation = self.situation(job) if job else Situation()
        active = job is not None and not job.status.is_final
        found = self._notice(job, situation)
        said = notice or (None if active else found)
        return (
            job_state(job),
            progress_words(job, situation),
            fraction(job),
            job.version if job else None,
            alert(found) if active else None,
            alert(said) if job or said else no_update,  # without a job, whoever took it away speaks
        )


def register(app: Dash, services: Services, manager: QueueManager, renderer: JobRenderer) -> None:
    """Add attaching, following and the deduplication of versions."""
    _register_attach(app, services, renderer)
    run_job = make_callback_job(services.settings, renderer.progress, renderer.result)
    _register_run(app, manager, run_job)
    # The view listens to job-version; polls repeat what they saw, so only a new version passes.
    app.clientside_callback(
        "function(beat, version) { return beat === version ? window.dash_clientside.no_update : beat; }",
        Output(ids.JOB_VERSION, "data"),
        Input(ids.JOB_BEAT, "data"),
        State(ids.JOB_VERSION, "data"),
        prevent_initial_call=True,
    )

    app.clientside_callback(
        "function(state) { return !(state && state.status); }",  # nothing is shown that could be read again
        Output(action_id("reload"), "hidden"),
        Input(ids.JOB_STATE, "data"),
        prevent_initial_call=True,
    )

    page = partial(ClientsideFunction, "page")  # of assets/page.js
    app.clientside_callback(page("attach"), Input(ids.JOB_ID, "data"), prevent_initial_call=True)
    app.clientside_callback(
        page("state"),
        Input(ids.JOB_ID, "data"),
        Input(ids.JOB_STATE, "data"),
        Input(ids.PROGRESS, "value"),
        prevent_initial_call=True,
    )


def _register_attach(app: Dash, services: Services, renderer: JobRenderer) -> None:
    @app.callback(
        *RESULT_OUTPUTS,
        Output(ids.POLL_ID, "data"),
        Output(ids.TITLE, "children"),
        Input(ids.JOB_ID, "data"),
        State(ids.POLL_ID, "data"),
        prevent_initial_call=True,
    )
    def attach(job_id: Any, followed: Any) -> tuple[Any, ...]:
        job, notice = _find(services, job_id)
        active = panel_status(job) == ACTIVE_STATUS
        # None ends the following of another job; where nothing is followed, nothing is said, so that nothing is polled.
        follow = job_id if active else (None if followed else no_update)
        title = request_title(job.request, services.site.catalogue) if job else ""
        shown = list(renderer.attached(job, notice))
        if job is None:
            shown[0] |= {"id": job_id}  # so that the page knows that this answers for what job-id holds
        return (*shown, follow, title)


def _find(services: Services, job_id: Any) -> tuple[Job | None, Notice | None]:
    if job_id is None:
        return None, None
    try:
        job = visible_job(services.ledger, services.identify(), job_id)
    except JobNotFound as error:
        services.note(error)
        return None, not_found()
    except NotPermitted as error:
        services.note(error)
        return None, refusal(error, services.settings.timezone)
    if job.status is Status.COMPLETED and _incomplete(services, job):
        return job, expired()
    return job, None


def _incomplete(services: Services, job: Job) -> bool:
    """Whether tiles or rollups of a finished job were evicted, or the data have changed since."""
    site = services.site
    try:
        return bool(
            not plan(site, job.request).is_complete or rollups_missing(site.tiles, site.catalogue, site.source.id, job.request)
        )
    except RiwayatError:  # a station that is gone: the view says so
        return False
    except SQLAlchemyError as error:  # its tiles draw all the same
        log.warning("the observations do not answer a page", error=str(error))
        return False


def _register_run(app: Dash, manager: QueueManager, run_job: Callable[[str, Callable[[Any], None]], Any]) -> None:
    @app.callback(
        *(Output(output.component_id, output.component_property, allow_duplicate=True) for output in RESULT_OUTPUTS),
        Input(ids.POLL_ID, "data"),
        background=True,
        manager=manager,
        progress=list(PROGRESS_OUTPUTS),
        running=[(Output(ids.CANCEL, "disabled"), False, True)],
        cancel=[Input(ids.CANCEL, "n_clicks")],
        interval=POLL_MS,
        prevent_initial_call=True,
    )
    def run(report: Any, job_id: str) -> Any:
        return run_job(job_id, report)  # what a worker runs; QueueManager itself leaves it to the workers


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
