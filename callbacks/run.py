"""Following a job: attach to whatever job-id holds, poll while it is active,
and say how it ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from flask import has_request_context
from sqlalchemy.exc import SQLAlchemyError

from access.grants import Purpose
from access.identity import Identity, may_see_details
from analysis.registry import ANALYSES, Named
from callbacks.job_words import (
    ACTIVE_STATUS,
    QueueState,
    expired,
    fraction,
    job_notice,
    job_state,
    not_found,
    panel_status,
    progress_words,
    request_title,
)
from callbacks.submit import refused, without_data
from data.load_plan import plan
from data.range_rows import stations_looked_at
from data.request import HistoryRequest
from data.time.epoch import DAY_MS, epoch_ms
from data.time.resolution import RESOLUTIONS
from data.view.rollup import rollups_missing
from errors import JobNotFound, NotPermitted, RiwayatError
from i18n import gettext as _
from i18n import translate_error
from jobs.authorized import may_embed
from jobs.job import Job, Status
from jobs.manager import QueueManager
from jobs.services import Services
from jobs.worker.child import make_callback_job
from layouts import ids
from layouts.notices import Notice, action_id, alert
from layouts.table import TABLE
from layouts.views import drawn_analyses

POLL_MS = 500

LIVE_MS = 2 * DAY_MS  # after the end of a range whose readings may still come

log = structlog.get_logger(__name__)

# What a poll changes while a job is active, in the order of render_progress.
PROGRESS_OUTPUTS = (
    Output(ids.PROGRESS_TEXT, "children"),
    Output(ids.PROGRESS, "value"),
    Output(ids.JOB_BEAT, "data"),
)

# What the end of a job changes, in the order of render_result.
RESULT_OUTPUTS = (
    Output(ids.JOB_STATE, "data"),
    Output(ids.PROGRESS_TEXT, "children"),
    Output(ids.PROGRESS, "value"),
    Output(ids.JOB_BEAT, "data"),
    Output(ids.ALERT, "children"),
)


class JobRenderer:
    """Turns a job of the ledger into values of the page's components,
    in the language of the request in hand.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def queue_state(self, job: Job) -> QueueState:
        """Place in the line and live workers; asked only while the job has not ended.

        A job that runs needs a worker as well: when that one died,
        its attempt is only given up by another.
        """
        if job.status.is_final:
            return QueueState()
        ledger = self._services.ledger
        position = ledger.position(job) if job.status is Status.QUEUED else None
        return QueueState(position, len(ledger.workers(job.queue)))

    def _notice(self, job: Job | None, queue_state: QueueState) -> Notice | None:
        found = job_notice(job, queue_state, epoch_ms(), with_details=self._with_details(job))
        tells = found is None and job is not None and job.status is Status.COMPLETED and has_request_context()
        return without_data(self._services, job.request) if tells and job is not None else found

    def _with_details(self, job: Job | None) -> bool:
        """Asked only where there are any: in the process of a stock manager (jobs/worker/child.py)
        nobody is identified.
        """
        if job is None or job.error is None:
            return False
        return may_see_details(self._services.settings, self._services.identify() if has_request_context() else Identity(""))

    def progress(self, job: Job) -> tuple[Any, ...]:
        """Values of :data:`PROGRESS_OUTPUTS`."""
        queue_state = self.queue_state(job)
        notice = None if job.status.is_final else self._notice(job, queue_state)
        return progress_words(job, queue_state), fraction(job), _beat(job, notice)

    def result(self, job: Job) -> tuple[Any, ...]:
        """Return :data:`RESULT_OUTPUTS`; another alert stays when the job ended well."""
        queue_state = QueueState()
        notice = self._notice(job, queue_state)
        shown = alert(notice) if notice else no_update
        return job_state(job), progress_words(job, queue_state), fraction(job), _beat(job), shown

    def attached(self, job: Job | None, notice: Notice | None) -> tuple[Any, ...]:
        """Return :data:`RESULT_OUTPUTS` of a job that the page turned to, or of none."""
        queue_state = self.queue_state(job) if job else QueueState()
        active = job is not None and not job.status.is_final
        found = self._notice(job, queue_state)
        said = notice or (None if active else found)
        return (
            job_state(job),
            progress_words(job, queue_state),
            fraction(job),
            _beat(job, found if active else None),
            alert(said) if job or said else no_update,  # without a job, whoever took it away speaks
        )


def _beat(job: Job | None, note: Notice | None = None) -> dict[str, Any]:
    """What a poll sees that is shown only when it is new: each time a note with a button is set,
    Dash runs what listens to its buttons.
    """
    return {"version": job.version if job else None, "note": alert(note)}


def register(app: Dash, services: Services, manager: QueueManager, renderer: JobRenderer) -> None:
    """Add attaching, following and the deduplication of versions."""
    _register_attach(app, services, renderer)
    run_job = make_callback_job(services.settings, renderer.progress, renderer.result)
    _register_run(app, manager, run_job)
    page = partial(ClientsideFunction, "page")  # of assets/page.js
    # Polls repeat what they saw; only what is new passes: the version to the view, and the note.
    app.clientside_callback(
        page("newBeat"),
        Output(ids.JOB_VERSION, "data"),
        Output(ids.QUEUE_NOTE, "children"),
        Input(ids.JOB_BEAT, "data"),
        State(ids.JOB_VERSION, "data"),
        prevent_initial_call=True,
    )

    app.clientside_callback(
        page("cannotReload"),
        Output(action_id("reload"), "hidden"),
        Input(ids.JOB_STATE, "data"),
        prevent_initial_call=True,
    )

    app.clientside_callback(page("attach"), Input(ids.JOB_ID, "data"), prevent_initial_call=True)
    app.clientside_callback(page("ended"), Output(ids.JOB_ENDED, "data"), Input(ids.JOB_STATE, "data"), prevent_initial_call=True)
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
        Output(ids.EMBED_OPEN, "hidden"),
        Output(ids.VIEWS, "data-fits"),
        Output(ids.FOLLOWED, "data"),
        Input(ids.JOB_ID, "data"),
        State(ids.POLL_ID, "data"),
        State(ids.ROLLING, "data"),
        prevent_initial_call=True,
    )
    def attach(job_id: Any, followed: Any, rolling: Any) -> tuple[Any, ...]:
        goes_on = isinstance(rolling, dict) and rolling.get("job") == job_id  # then it needs no notice of what is new
        job, notice = _find(services, job_id, goes_on=goes_on)
        active = panel_status(job) == ACTIVE_STATUS
        # None ends the following of another job; where nothing is followed, nothing is said,
        # so that nothing is polled.
        follow = job_id if active else (None if followed else no_update)
        title = request_title(job.request, services.site.catalogue) if job else _("Stations")
        shown = list(renderer.attached(job, notice))
        if job is None:
            # so that the page knows that this answers for what job-id holds
            shown[0] |= {"id": job_id}
        hidden = job is None or not may_embed(services.identify(), job)
        fits = tab_fits(services, job.request) if job else "{}"
        return (*shown, follow, title, hidden, fits, _followed(services, job) if job else None)


def tab_fits(services: Services, request: HistoryRequest) -> str:
    """Return as JSON what assets/tabs.js makes of the row of views: ``unfit`` are sentences of
    those that do not fit the series, ``absent`` those that are not granted.
    """
    catalogue, rights = services.site.catalogue.knowing(request.sensors), services.identify().rights
    absent = [] if rights.allows(request, Purpose.EXPORT) else [TABLE]
    if rights.floor(request) != RESOLUTIONS[0]:  # analyses tell of single readings
        absent += drawn_analyses()
    series = [Named(station, catalogue[sensor]) for station, sensor in request.series if sensor in catalogue]
    lacks = {name: ANALYSES[name].lack(series) for name in drawn_analyses()}
    unfit = {name: translate_error(error) for name, error in lacks.items() if error}
    return json.dumps({"unfit": unfit, "absent": absent})


def _followed(services: Services, job: Job) -> dict[str, Any] | None:
    """Return what assets/follow.js asks about: the stations that a job's picture is made of; None
    where nothing tells that they have changed, or the range has ended long ago, as archives have:
    their pages ask nothing.
    """
    if services.site.mapped is not None or job.request.end_ms < epoch_ms() - LIVE_MS:
        return None
    stations = stations_looked_at(services.site.catalogue.knowing(job.request.sensors), job.request)
    return {"job": job.id, "stations": list(stations), "ahead": job.request.end_ms > epoch_ms()}


def _find(services: Services, job_id: Any, *, goes_on: bool = False) -> tuple[Job | None, Notice | None]:
    if job_id is None:
        return None, None
    try:
        job = services.job(job_id)
    except JobNotFound as error:
        services.note(error)
        return None, not_found()
    except NotPermitted as error:
        return None, refused(services, error)
    if job.status is Status.COMPLETED and not goes_on and _incomplete(services, job):
        return job, expired()
    return job, None


def _incomplete(services: Services, job: Job) -> bool:
    """Return whether a finished job's tiles were evicted, or its data changed since."""
    site = services.site
    try:
        return bool(not plan(site, job.request).is_complete or rollups_missing(site, job.request))
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
        # what a worker runs; QueueManager itself leaves it to the workers
        return run_job(job_id, report)
