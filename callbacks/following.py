"""Going on by itself: a load of the same selection, with what has come since
(docs/decisions/0059-who-follows-polls.md). assets/follow.js says when.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import structlog
from dash import ClientsideFunction, Dash, Input, Output
from sqlalchemy.exc import SQLAlchemyError

from access.restricted_site import widened_to_buckets
from callbacks.form import preset_span
from callbacks.presets import PRESETS
from callbacks.submit import start_load
from data.request import HistoryRequest
from data.time.epoch import EARLIEST_MS, LATEST_MS, MINUTE_MS, epoch_ms
from errors import RiwayatError
from jobs.authorized import authorized_job
from jobs.services import Services
from layouts import ids
from layouts.notices import Notice

log = structlog.get_logger(__name__)


def register(app: Dash, services: Services) -> None:
    """Add the callback of a step, and those that tell assets/follow.js what is shown."""

    @app.callback(Output(ids.FOLLOW_NEXT, "data"), Input(ids.FOLLOW_STEP, "data"), prevent_initial_call=True)
    def step(asked: Any) -> dict[str, Any]:
        known = asked if isinstance(asked, dict) else {}
        return {"number": known.get("number"), **next_load(services, known.get("job"), known.get("preset"))}

    told = (Input(ids.FOLLOWED, "data"), Input(ids.ROLLING, "data"))
    app.clientside_callback(ClientsideFunction("page", "followed"), *told, prevent_initial_call=True)
    app.clientside_callback(ClientsideFunction("page", "wentOn"), Input(ids.FOLLOW_NEXT, "data"), prevent_initial_call=True)


def next_load(services: Services, job_id: object, preset: object) -> dict[str, Any]:
    """Return the job, and its status, that loads what a job does, with the range that a preset
    (or the last so many ms) means now; a status of None where there is none.
    """
    try:
        identity = services.identify()
        job = authorized_job(services.ledger, identity, job_id)
        request = widened_to_buckets(identity.rights, _of_now(services, job.request, preset))
        begun = start_load(services, identity, request, reuse=True)
    except (RiwayatError, SQLAlchemyError) as error:  # what is drawn stays; the next change asks again
        log.info("a page does not go on", reason=str(error))
        return {"job": None, "status": None}
    return {"job": None, "status": None} if isinstance(begun, Notice) else {"job": begun.id, "status": begun.status.value}


def _of_now(services: Services, request: HistoryRequest, preset: object) -> HistoryRequest:
    """Return the request with the range of a preset, or of the last so many ms, whole minutes, so
    that it stays the same load while that is on its way.
    """
    if isinstance(preset, int) and not isinstance(preset, bool) and 0 < preset <= LATEST_MS:
        end_ms = (epoch_ms() // MINUTE_MS + 1) * MINUTE_MS
        return replace(request, start_ms=max(end_ms - preset, EARLIEST_MS), end_ms=end_ms)
    if not isinstance(preset, str) or preset not in PRESETS:
        return request
    span = preset_span(services, preset, request.stations, request.sensors, request.timezone)
    return replace(request, start_ms=span[0], end_ms=span[1]) if span else request
