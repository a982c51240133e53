"""A first visit: a press on a station of its list draws the last 30 days of it, those of its map
fill the form. Whoever is the first to visit a new site sees such a chart without a press.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from dash import Dash, Input, Output, State, no_update

from access.identity import Identity
from access.restricted_site import widened_to_buckets
from callbacks.form import form_zone, preset_text
from callbacks.submit import show_begun, start_load
from data.inventory import StationInventory
from data.request import HistoryRequest, request_of
from errors import RiwayatError
from jobs.first_visit import is_first_visit, take_first_visit
from jobs.job import Job
from jobs.services import Services
from jobs.start import start_job
from layouts import ids
from layouts.form import DEFAULT_PRESET, STATION_TIME
from layouts.notices import Notice
from layouts.start import first_sensors, with_data

log = structlog.get_logger(__name__)


def register(app: Dash, services: Services) -> None:
    """Add the callback of list and map."""

    @app.callback(
        Output(ids.JOB_ID, "data", allow_duplicate=True),
        Output(ids.URL, "search", allow_duplicate=True),
        Output(ids.ALERT, "children", allow_duplicate=True),
        Output(ids.STATION, "value", allow_duplicate=True),
        Output(ids.SENSOR, "value", allow_duplicate=True),
        Output(ids.RANGE_PRESET, "value", allow_duplicate=True),
        Output(ids.RANGE_START, "value", allow_duplicate=True),
        Output(ids.RANGE_END, "value", allow_duplicate=True),
        Output(ids.RANGE_OF_PRESET, "data", allow_duplicate=True),
        Output(ids.ROLLING, "data", allow_duplicate=True),
        Input(ids.STATION_CHOICE, "data"),
        State(ids.RESOLUTION, "value"),
        State(ids.ZONE, "value"),
        State(ids.JOB_ID, "data"),
        prevent_initial_call=True,
    )
    def choose(choice: Any, resolution: Any, zone: Any, previous: Any) -> tuple[Any, ...]:
        values = start_values(services, chosen_stations(choice), zone)
        if values[0] is no_update or not choice.get("load"):
            return (*(no_update,) * 3, *values, no_update)

        def begin(identity: Identity) -> Job | Notice:
            return start_load(services, identity, _request(services, identity, values, resolution or "raw", zone))

        begun = show_begun(services, previous, begin)
        rolling = no_update if begun[0] is no_update else {"job": begun[0], "preset": DEFAULT_PRESET}
        return (*begun, *values, rolling)


def greet(services: Services, stations: Sequence[StationInventory], *, plain: bool) -> Job | None:
    """Begin the load that the first visitor of a new site sees: of the first of ``stations`` with
    data. None for every other visit, also where the address is not ``plain``.

    It waits for a worker that is still on its way, as is after ``make run``.
    """
    settings, known = services.settings, with_data(stations)
    if not is_first_visit(settings) or not known:
        return None
    identity = services.identify()
    has_loaded = bool(services.ledger.jobs(owner=identity.user, limit=1))
    if not take_first_visit(settings) or has_loaded or not plain:
        return None
    values = start_values(services, [known[0].name])
    try:
        request = _request(services, identity, values, identity.rights.finest)
        return start_job(services.site, services.ledger, identity, request, services.wake)
    except RiwayatError as error:  # the list of stations is there all the same
        log.warning("the first visit begins without a chart", error=error.message)
        return None


def _request(
    services: Services, identity: Identity, values: tuple[Any, ...], resolution: str, zone: object = STATION_TIME
) -> HistoryRequest:
    stations, sensors, _preset, start, end, _range = values
    request = request_of(stations, sensors, start, end, resolution, form_zone(services, stations, zone))
    return widened_to_buckets(identity.rights, request)


def chosen_stations(choice: object) -> list[str]:
    """Return the names in what the page's store holds; none where it is nothing of the kind."""
    names = choice.get("stations") if isinstance(choice, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def start_values(services: Services, names: Sequence[str], zone_choice: object = STATION_TIME) -> tuple[Any, ...]:
    """Return stations, sensors, preset, from, to, and the two again: what a first look at stations
    is. No updates where there is no data of them.
    """
    site = services.seen()
    stations = site.inventory.known(names).stations
    sensors = first_sensors(site.catalogue, {sensor for station in stations for sensor in station.sensors})
    chosen = [station.name for station in stations]
    found = preset_text(services, DEFAULT_PRESET, chosen, sensors, zone_choice) if chosen else None
    if found is None:  # they have gone since the page was made
        return (no_update,) * 6
    return chosen, sensors, DEFAULT_PRESET, *found, found
