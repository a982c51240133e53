"""The form answers before the click: which sensors there are, what a preset means,
what a load would cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.formulas.own_formula import own_formulas
from access.grants import Purpose
from access.restricted_site import own_zone, require_permission, widened_to_buckets
from callbacks.estimate import Speed, estimate_words
from callbacks.presets import bounds, preset_range, wall_clock
from data.load_plan import plan
from data.request import HistoryRequest, date_alone, written_time
from data.time.epoch import epoch_ms
from data.user_formula import is_formula_name
from errors import RiwayatError
from i18n import format_range, translate_error
from i18n import gettext as _
from jobs.services import Services
from layouts import ids
from layouts.form import SITE_TIME, STATION_TIME, UTC, ZONES, sensor_options, zone_options

log = structlog.get_logger(__name__)


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the form."""
    _register_options(app, services)
    _register_range(app, services)
    _register_estimate(app, services)


def _register_options(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.SENSOR, "options"),
        Output(ids.ZONE, "options"),
        Input(ids.STATION, "value"),
        State(ids.SENSOR, "value"),
        prevent_initial_call=True,
    )
    def options(stations: list[str] | None, chosen: list[str] | None) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
        site = services.seen().knowing(formula_names(services, chosen or ()))
        found = site.inventory.known(stations or None).stations
        last_ms = max((station.last_ms for station in found if station.last_ms is not None), default=0)
        zones = zone_options(last_ms, form_zone(services, stations or ()), services.settings.timezone)
        return sensor_options(site.catalogue, {sensor for station in found for sensor in station.sensors}), zones


def _register_range(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.RANGE_START, "value"),
        Output(ids.RANGE_END, "value"),
        Output(ids.RANGE_OF_PRESET, "data"),
        Input(ids.STATION, "value"),
        Input(ids.SENSOR, "value"),
        Input(ids.RANGE_PRESET, "value"),
        Input(ids.ZONE, "value"),
        State(ids.RANGE_START, "value"),
        State(ids.RANGE_END, "value"),
        State(ids.RANGE_OF_PRESET, "data"),
        prevent_initial_call=True,
    )
    def times(
        stations: list[str] | None,
        sensors: list[str] | None,
        preset: str | None,
        zone: str | None,
        start: str,
        end: str,
        of_preset: list[str] | None,
    ) -> Any:
        own_range = [start, end] != (of_preset or [start, end])
        if not preset or (own_range and ctx.triggered_id != ids.RANGE_PRESET):
            return no_update, no_update, no_update
        found = preset_text(services, preset, stations or (), sensors or (), zone)
        return (*found, found) if found else (no_update, no_update, no_update)


def formula_names(services: Services, chosen: Iterable[object] = ()) -> list[str]:
    """Return the sensors of the formulas that a form offers: one's own, and those chosen in it."""
    try:
        own = [one.sensor for one in own_formulas(services.access, services.identify())]
    except (RiwayatError, SQLAlchemyError) as error:  # the form is there all the same
        log.warning("formulas cannot be listed", error=str(error))
        own = []
    return list(dict.fromkeys([*own, *(name for name in chosen if isinstance(name, str) and is_formula_name(name))]))


def form_zone(services: Services, stations: Sequence[str], choice: object = STATION_TIME) -> str:
    """Return the zone (IANA) of the form's times: the stations' own where they share one, else the
    site's; or by choice the site's, or UTC.
    """
    if choice == UTC:
        return "UTC"
    site = services.settings.timezone
    return site if choice == SITE_TIME else own_zone(services.site.catalogue, services.identify().rights, stations, site)


def zone_choice(services: Services, stations: Sequence[str], timezone: str) -> str:
    """Return the choice of the form that means a zone (IANA), or the name of a choice; the
    stations' own where there is none.
    """
    if timezone in ZONES:
        return timezone
    meant = {form_zone(services, (), SITE_TIME): SITE_TIME, "UTC": UTC, form_zone(services, stations): STATION_TIME}
    return meant.get(timezone, STATION_TIME)


def written_request(
    services: Services,
    stations: Sequence[str],
    sensors: Sequence[str],
    written: Sequence[str],
    resolution: str,
    zone_choice: object,
) -> HistoryRequest:
    """Return the request that the form's fields mean; ``written`` are From and To.

    Raises:
        InvalidRequest: with ``field`` one of stations, sensors, start, end, resolution.
    """
    zone = form_zone(services, stations, zone_choice)

    def newest() -> int:
        found = bounds(services.seen().inventory.known(stations or None).stations, stations, sensors)
        return found[1] if found else epoch_ms()

    start, end = (
        written_time(text, zone, field=name, newest=newest) for text, name in zip(written, ("start", "end"), strict=True)
    )
    return HistoryRequest(tuple(stations), tuple(sensors), start, end, resolution, zone)  # type: ignore[arg-type]


def is_words(text: str | None) -> bool:
    """Return whether what is written into From or To is no plain time."""
    try:
        datetime.fromisoformat((text or "").strip())
    except ValueError:
        return True
    return date_alone((text or "").strip()) is not None


def preset_text(
    services: Services, preset: str, stations: Sequence[str], sensors: Sequence[str] = (), zone_choice: object = STATION_TIME
) -> list[str] | None:
    """[from, to] of a preset as the form writes them; None without data."""
    zone = form_zone(services, stations, zone_choice)
    span = preset_span(services, preset, stations, sensors, zone)
    return [wall_clock(time_ms, zone) for time_ms in span] if span else None


def preset_span(
    services: Services, preset: str, stations: Sequence[str], sensors: Sequence[str], zone: str
) -> tuple[int, int] | None:
    """[start, end) of a preset (ms UTC) in a zone, for the newest data of the stations and sensors
    that the one who asks may see; None without data.
    """
    site = services.seen().knowing(sensors)
    seen = {station.name: station for station in site.inventory.known(stations or None).stations}
    found = bounds(seen.values(), stations, sensors)
    if found is None:
        return None
    first_ms, last_ms = found
    if preset == "all":
        whole = services.site.knowing(sensors).inventory.known(seen).stations
        if found == bounds((each.of(seen[each.name].sensors) for each in whole), stations, sensors):
            # a row stamped at the start of a range may be of the interval before it;
            # a grant begins where it begins
            first_ms -= 1
    return preset_range(preset, first_ms, last_ms, zone)


def _register_estimate(app: Dash, services: Services) -> None:
    speed = Speed(services.ledger)
    # A refusal stands over the chart, with what can be done; in the form it need not be read again.
    app.clientside_callback(
        ClientsideFunction("page", "repeats"),
        Output(ids.ESTIMATE, "hidden"),
        Input(ids.ESTIMATE, "children"),
        Input(ids.ALERT, "children"),
    )

    @app.callback(
        Output(ids.ESTIMATE, "children"),
        Output(ids.ESTIMATE, "className"),
        Input(ids.STATION, "value"),
        Input(ids.SENSOR, "value"),
        Input(ids.RANGE_START, "value"),
        Input(ids.RANGE_END, "value"),
        Input(ids.RESOLUTION, "value"),
        Input(ids.ZONE, "value"),
        Input(ids.JOB_ENDED, "data"),
    )
    def estimate(stations: Any, sensors: Any, start: str, end: str, resolution: str, zone: Any, _ended: Any) -> tuple[str, str]:
        if not stations or not sensors:
            return _("Choose stations and sensors to see how long loading takes."), "estimate"
        try:
            request = written_request(services, stations, sensors, (start, end), resolution, zone)
            meant = (
                f"{format_range(request.start_ms, request.end_ms, request.timezone)} · "
                if is_words(start) or is_words(end)
                else ""
            )
            identity = services.identify()
            request = widened_to_buckets(identity.rights, request)
            seen = require_permission(services.site, identity, request, Purpose.LOAD)
            return meant + estimate_words(plan(seen, request), speed.rows_a_second()), "estimate"
        except RiwayatError as error:
            return translate_error(error, services.settings.timezone), "estimate estimate-wrong"
