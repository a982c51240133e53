"""Load, Cancel, and the actions of notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import structlog
from dash import ALL, Dash, Input, Output, State, ctx, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity
from access.seen import widened
from callbacks.form import preset_text
from callbacks.services import Services
from callbacks.start import leave, refusal, start_again, start_load, start_reload
from data.request import request_of
from errors import Conflict, JobNotFound, LedgerUnavailable, NotPermitted, RiwayatError
from jobs.job import Job
from jobs.manager import asking_page
from jobs.start import cancel_job
from jobs.visible import visible_job
from layouts import ids
from layouts.status import Notice, action_id, alert

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
        Input(ids.LOAD, "n_clicks"),
        State(ids.STATION, "value"),
        State(ids.SENSOR, "value"),
        State(ids.RANGE_START, "value"),
        State(ids.RANGE_END, "value"),
        State(ids.RESOLUTION, "value"),
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
        preset: Any,
        of_preset: Any,
        previous: Any,
    ) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 6
        fresh = fresh_range(services, preset, stations or (), [start, end], of_preset)

        def begin(identity: Identity) -> Job | Notice:
            request = request_of(
                stations or (), sensors or (), fresh[0], fresh[1], resolution or "raw", services.settings.timezone
            )
            return start_load(services, identity, widened(identity.rights, request))

        changed = (*fresh, fresh) if fresh != [start, end] else (no_update,) * 3
        return (*_show(services, previous, begin), *changed)


def fresh_range(
    services: Services, preset: str | None, stations: Sequence[str], written: list[str], of_preset: list[str] | None
) -> list[str]:
    """[from, to] that a load means: what is written, but a preset's times as they are now; data may have come since."""
    if not preset or written != of_preset:
        return written
    return preset_text(services, preset, stations) or written


def _show(services: Services, previous: object, begin: Callable[[Identity], Job | Notice]) -> tuple[Any, Any, Any]:
    """Values of job-id, the URL's query and the alert after an attempt to begin a load."""
    try:
        identity = services.identify()
        begun = begin(identity)
    except RiwayatError as error:
        services.note(error)
        begun = refusal(error, services.settings.timezone)
    except SQLAlchemyError as error:
        log.warning("a database does not answer a page", error=str(error))
        begun = refusal(LedgerUnavailable(), services.settings.timezone)
    if isinstance(begun, Notice):
        return no_update, no_update, alert(begun)
    try:
        leave(services, identity, previous, begun, asking_page())
    except SQLAlchemyError as error:  # then the other job goes on; this one has begun all the same
        log.warning("a job could not be left", error=str(error))
    return begun.id, f"?{urlencode({'job': begun.id})}", None


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
        cancel_job(services.ledger, visible_job(services.ledger, services.identify(), job_id), services.wake)
    except (Conflict, JobNotFound) as error:  # it has ended meanwhile, which the page is about to see
        services.note(error)
    except NotPermitted as error:
        services.note(error)
        return alert(refusal(error, services.settings.timezone))
    except SQLAlchemyError as error:
        log.warning("a database does not answer a page", error=str(error))
        return alert(refusal(LedgerUnavailable(), services.settings.timezone))
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
        clicked = any(trigger["value"] for trigger in ctx.triggered)  # a button that just appeared has no click yet
        name = ctx.triggered_id["name"] if ctx.triggered_id else None
        if not clicked or name not in ("retry", "resume", "again", "reload") or (name == "reload" and not job_id):
            return no_update, no_update, no_update

        def begin(identity: Identity) -> Job | Notice:
            job = visible_job(services.ledger, identity, job_id)
            if name == "reload":
                return start_reload(services, identity, job)
            return start_load(services, identity, job.request) if name == "again" else start_again(services, identity, job)

        return _show(services, job_id, begin)


def _register_jump(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.RANGE_START, "value", allow_duplicate=True),
        Output(ids.RANGE_END, "value", allow_duplicate=True),
        Output(ids.RANGE_OF_PRESET, "data", allow_duplicate=True),
        Output(ids.RANGE_PRESET, "value", allow_duplicate=True),
        Output(ids.ALERT, "children", allow_duplicate=True),
        Input({"type": "action", "name": ALL}, "n_clicks"),
        State(ids.STATION, "value"),
        prevent_initial_call=True,
    )
    def jump(_clicks: list[int], stations: list[str] | None) -> Any:
        clicked = any(trigger["value"] for trigger in ctx.triggered)
        found = preset_text(services, "all", stations or ()) if clicked and ctx.triggered_id == action_id("jump") else None
        return (*found, found, "all", None) if found else (no_update,) * 5
