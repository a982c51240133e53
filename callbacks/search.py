"""The search in the header: what words such as ``last July`` mean. Everything else is found in
the browser (assets/search.js), from what the page has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State
from sqlalchemy.exc import SQLAlchemyError

from callbacks.form import form_zone
from callbacks.presets import bounds, wall_clock
from data.request import HistoryRequest
from data.time.epoch import epoch_ms
from data.time.range_words import parse_range_words
from errors import RiwayatError
from i18n import format_range
from jobs.services import Services
from layouts import ids
from layouts.form import STATION_TIME


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the search."""

    @app.callback(
        Output(ids.SEARCH_RANGE, "data"),
        Input(ids.SEARCH_TEXT, "data"),
        State(ids.JOB_ID, "data"),
        State(ids.STATION, "value"),
        State(ids.ZONE, "value"),
        prevent_initial_call=True,
    )
    def meant(text: Any, job_id: Any, stations: Any, zone: Any) -> dict[str, Any] | None:
        return meant_range(services, text, job_id, stations or (), zone)

    app.clientside_callback(ClientsideFunction("search", "range"), Input(ids.SEARCH_RANGE, "data"), prevent_initial_call=True)


def meant_range(
    services: Services, text: object, job_id: object, stations: Sequence[str] = (), zone_choice: object = STATION_TIME
) -> dict[str, Any] | None:
    """Return the range that a text means: ms UTC, the form's two texts, and how it is said; None
    where it means none. Words without a year count from the newest data of the job's series where
    one is shown, else of the form's stations.
    """
    if not isinstance(text, str):
        return None
    request = _shown(services, job_id)
    form = form_zone(services, stations, zone_choice)
    zone = request.timezone if request else form
    wanted, now_ms = request.stations if request else stations, epoch_ms()
    known = services.seen().inventory.known(wanted or None).stations
    found = bounds(known, wanted, request.sensors if request else ())
    span = parse_range_words(text, zone, now_ms=now_ms, newest_ms=found[1] if found else now_ms)
    if span is None:
        return None
    start, end = (wall_clock(time_ms, form) for time_ms in span)
    return {"text": text, "start": span[0], "end": span[1], "from": start, "to": end, "words": format_range(*span, zone)}


def _shown(services: Services, job_id: object) -> HistoryRequest | None:
    """The request of the job that the page shows, if there is one that may be seen."""
    try:
        return services.job(job_id).request if job_id else None
    except (RiwayatError, SQLAlchemyError):
        return None
