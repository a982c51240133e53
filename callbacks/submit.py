"""Load, Cancel and the actions of notices: a job (jobs/start.py), or the notice saying why not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import structlog
from dash import ALL, Dash, Input, Output, State, ctx, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.grants import Purpose
from access.identity import Identity
from access.restricted_site import require_permission, widened_to_buckets
from callbacks.form import preset_text, written_request
from callbacks.job_words import no_worker
from data.load_plan import plan, stations_without_data
from data.request import HistoryRequest
from data.sync_due import reload
from errors import Conflict, JobNotFound, LedgerUnavailable, NoData, NotPermitted, NoWorker, RiwayatError
from i18n import gettext as _
from i18n import translate_error
from jobs.authorized import authorized_job
from jobs.job import Job
from jobs.manager import requesting_page
from jobs.policy import queue_of
from jobs.services import Services
from jobs.start import cancel_job, retry_job, start_job
from layouts import ids
from layouts.form import STATION_TIME
from layouts.notices import ActionName, Notice, action_id, alert

log = structlog.get_logger(__name__)


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the buttons."""
    _register_load(app, services)
    _register_cancel(app, services)
    _register_actions(app, services)
    _register_jump(app, services)


def _register_load(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.JOB_ID, "data", allow_duplicate=True),
        Output(ids.URL, "search"),
        Output(ids.ALERT, "children", allow_duplicate=True),
        Output(ids.RANGE_START, "value", allow_duplicate=True),
        Output(ids.RANGE_END, "value", allow_duplicate=True),
        Output(ids.RANGE_OF_PRESET, "data", allow_duplicate=True),
        Output(ids.ROLLING, "data"),
        Input(ids.LOAD, "n_clicks"),
        State(ids.STATION, "value"),
        State(ids.SENSOR, "value"),
        State(ids.RANGE_START, "value"),
        State(ids.RANGE_END, "value"),
        State(ids.RESOLUTION, "value"),
        State(ids.ZONE, "value"),
        State(ids.RANGE_PRESET, "value"),
        State(ids.RANGE_OF_PRESET, "data"),
        State(ids.JOB_ID, "data"),
        running=[(Output(ids.LOAD, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def load(
        clicks: int | None,
        stations: Any,
        sensors: Any,
        start: str,
        end: str,
        resolution: str,
        zone: Any,
        preset: Any,
        of_preset: Any,
        previous: Any,
    ) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 7
        fresh = fresh_range(services, preset, stations or (), sensors or (), [start, end], of_preset, zone)

        def begin(identity: Identity) -> Job | Notice:
            request = written_request(services, stations or (), sensors or (), fresh, resolution or "raw", zone)
            return start_load(services, identity, widened_to_buckets(identity.rights, request))

        changed = (*fresh, fresh) if fresh != [start, end] else (no_update,) * 3
        begun = show_begun(services, previous, begin)
        rolling = {"job": begun[0], "preset": preset} if preset and [start, end] == of_preset else None
        return (*begun, *changed, no_update if begun[0] is no_update else rolling)


def was_pressed() -> bool:
    """Return whether a button of a pattern was pressed; one that just appeared has no click yet."""
    return bool(ctx.triggered_id) and any(trigger["value"] for trigger in ctx.triggered)


def fresh_range(
    services: Services,
    preset: str | None,
    stations: Sequence[str],
    sensors: Sequence[str],
    written: list[str],
    of_preset: list[str] | None,
    zone_choice: object = STATION_TIME,
) -> list[str]:
    """[from, to] that a load means: what is written, but a preset's times as they are now;
    data may have come since.
    """
    if not preset or written != of_preset:
        return written
    return preset_text(services, preset, stations, sensors, zone_choice) or written


def show_begun(services: Services, previous: object, begin: Callable[[Identity], Job | Notice]) -> tuple[Any, Any, Any]:
    """Values of job-id, the URL's query and the alert after an attempt to begin a load."""
    try:
        identity = services.identify()
        begun = begin(identity)
    except (RiwayatError, SQLAlchemyError) as error:
        begun = refused(services, error)
    if isinstance(begun, Notice):
        return no_update, no_update, alert(begun)
    try:
        release_job(services, identity, previous, begun, requesting_page())
    except SQLAlchemyError as error:  # then the other job goes on; this one has begun all the same
        log.warning("a job could not be left", error=str(error))
    return begun.id, f"?{urlencode({'job': begun.id})}", alert(without_data(services, begun.request))


def _register_cancel(app: Dash, services: Services) -> None:
    # Dash's own cancel= knows a job only after its first poll was answered; this one always does.
    @app.callback(
        Output(ids.ALERT, "children", allow_duplicate=True),
        Input(ids.CANCEL, "n_clicks"),
        State(ids.JOB_ID, "data"),
        prevent_initial_call=True,
    )
    def cancel(clicks: int | None, job_id: Any) -> Any:
        return _cancelled(services, job_id) if clicks else no_update


def _cancelled(services: Services, job_id: object) -> Any:
    """Cancel a job; the alert that says why it could not be, if that is to be said."""
    try:
        cancel_job(services.ledger, services.job(job_id), services.wake)
    except (Conflict, JobNotFound) as error:
        # it has ended meanwhile, which the page is about to see
        services.note(error)
    except (NotPermitted, SQLAlchemyError) as error:
        return alert(refused(services, error))
    return no_update


def _register_actions(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.JOB_ID, "data", allow_duplicate=True),
        Output(ids.URL, "search", allow_duplicate=True),
        Output(ids.ALERT, "children", allow_duplicate=True),
        Input({"type": "action", "name": ALL}, "n_clicks"),
        State(ids.JOB_ID, "data"),
        prevent_initial_call=True,
    )
    def act(_clicks: list[int], job_id: Any) -> tuple[Any, Any, Any]:
        name = ctx.triggered_id["name"] if was_pressed() else None
        if name not in ("retry", "resume", "again", "reload") or (name == "reload" and not job_id):
            return no_update, no_update, no_update

        def begin(identity: Identity) -> Job | Notice:
            job = authorized_job(services.ledger, identity, job_id)
            if name == "reload":
                return start_reload(services, identity, job)
            return start_load(services, identity, job.request) if name == "again" else start_again(services, identity, job)

        return show_begun(services, job_id, begin)


def _register_jump(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.RANGE_START, "value", allow_duplicate=True),
        Output(ids.RANGE_END, "value", allow_duplicate=True),
        Output(ids.RANGE_OF_PRESET, "data", allow_duplicate=True),
        Output(ids.RANGE_PRESET, "value", allow_duplicate=True),
        Output(ids.ALERT, "children", allow_duplicate=True),
        Input({"type": "action", "name": ALL}, "n_clicks"),
        State(ids.STATION, "value"),
        State(ids.SENSOR, "value"),
        State(ids.ZONE, "value"),
        prevent_initial_call=True,
    )
    def jump(_clicks: list[int], stations: list[str] | None, sensors: list[str] | None, zone: Any) -> Any:
        clicked = was_pressed() and ctx.triggered_id == action_id("jump")
        found = preset_text(services, "all", stations or (), sensors or (), zone) if clicked else None
        return (*found, found, "all", None) if found else (no_update,) * 5


def start_load(services: Services, identity: Identity, request: HistoryRequest, *, reuse: bool = False) -> Job | Notice:
    """A job for the request, or the notice that says why there is none; ``reuse`` as
    :func:`jobs.start.start_job`.

    Raises:
        RiwayatError: as :func:`jobs.start.start_job`.
    """
    try:
        return start_job(services.site, services.ledger, identity, request, services.wake, by_page=True, reuse=reuse)
    except NoWorker:
        return no_worker()


def start_again(services: Services, identity: Identity, job: Job) -> Job | Notice:
    """A failed or cancelled job queued once more; what it had read stays read.
    Any other job: its request anew.
    """
    if job.status.is_final and services.ledger.workers(job.queue):
        # it completed, or an equal one is on its way: then submitting joins it
        with contextlib.suppress(Conflict):
            return retry_job(services.ledger, identity, job, services.wake, by_page=True)
    return start_load(services, identity, job.request)


def start_reload(services: Services, identity: Identity, job: Job) -> Job | Notice:
    """The job's months read from the database again, whatever the tiles hold.

    Where nothing would run it, or there is no room for another job (QueueFull), nothing changes.
    """
    seen = require_permission(services.site, identity, job.request, Purpose.LOAD)
    whole_months = plan(seen, job.request).rows_tiles  # all of them will be missing
    if not services.ledger.workers(queue_of(whole_months, services.site.settings.large_job_rows)):
        return no_worker()
    services.ledger.check_room(identity.user, job.request)
    reload(services.site, job.request)
    return start_load(services, identity, job.request)


def release_job(services: Services, identity: Identity, previous: object, now: Job, page: str) -> None:
    """Cancel the job of one's own that this tab showed until now,
    unless another page still asks for it.

    An administrator who has looked at somebody's job and goes on ends nothing; only Cancel does.
    Nor does who has looked at a job of the API's or the command line's: nobody but its program
    knows whether it is still wanted.
    """
    if not isinstance(previous, str) or previous == now.id:
        return
    with contextlib.suppress(JobNotFound, Conflict):
        ledger, job = services.ledger, services.ledger.get(previous)
        mine = identity.user == job.owner and ledger.is_of_page(job.id)
        if job.status.is_final or not mine or ledger.watched(job.id, except_page=page):
            return
        cancel_job(ledger, job, services.wake)


def refusal(error: RiwayatError, timezone: str) -> Notice:
    """The notice of an error that kept a load from starting; its times in ``timezone``."""
    action: ActionName | None = None
    if isinstance(error, NoData | NotPermitted):
        action = "jump" if error.field == "start" else "form" if isinstance(error, NotPermitted) and error.field else None
    return Notice("warning", translate_error(error, timezone), action=action)


def refused(services: Services, error: RiwayatError | SQLAlchemyError, **where: Any) -> Notice:
    """Return the notice of an error that ended a callback;
    note a refusal in the audit log, and a silent database in ours.
    """
    if isinstance(error, SQLAlchemyError):
        log.warning("a database does not answer a page", error=str(error))
        error = LedgerUnavailable()
    services.note(error, **where)
    return refusal(error, services.settings.timezone)


def without_data(services: Services, request: HistoryRequest) -> Notice | None:
    """Which of several stations have nothing in the range, so that none is taken for drawn;
    None where all have something.
    """
    if len(request.stations) == 1:
        return None
    try:
        names = stations_without_data(services.seen(), request)
    except (RiwayatError, SQLAlchemyError):  # the load goes on all the same
        return None
    return Notice("info", _("No data in this range: {stations}.").format(stations=", ".join(names))) if names else None
