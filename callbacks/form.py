"""The form answers before the click: which sensors there are, what a preset means, what a load would cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from access.grants import Purpose
from access.seen import permit, widened
from callbacks.estimate import Speed, estimate_words
from callbacks.presets import bounds, preset_range, wall_clock
from callbacks.services import Services
from data.plan import plan
from data.request import request_of
from errors import RiwayatError
from i18n import gettext as _
from i18n import translate_error
from layouts import ids
from layouts.form import DEFAULT_PRESET, sensor_options
from layouts.start import first_sensors, start_id


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the form."""
    _register_options(app, services)
    _register_range(app, services)
    _register_start(app, services)
    _register_estimate(app, services)


def _register_options(app: Dash, services: Services) -> None:
    @app.callback(Output(ids.SENSOR, "options"), Input(ids.STATION, "value"), prevent_initial_call=True)
    def options(stations: list[str] | None) -> list[dict[str, Any]]:
        wanted = set(stations or ())
        site = services.seen()
        known = site.inventory.known().stations
        found = [station for station in known if not wanted or station.name in wanted]
        return sensor_options(site.catalogue, {sensor for station in found for sensor in station.sensors})


def _register_range(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.RANGE_START, "value"),
        Output(ids.RANGE_END, "value"),
        Output(ids.RANGE_OF_PRESET, "data"),
        Input(ids.STATION, "value"),
        Input(ids.RANGE_PRESET, "value"),
        State(ids.RANGE_START, "value"),
        State(ids.RANGE_END, "value"),
        State(ids.RANGE_OF_PRESET, "data"),
        prevent_initial_call=True,
    )
    def times(stations: list[str] | None, preset: str | None, start: str, end: str, of_preset: list[str] | None) -> Any:
        own_range = [start, end] != (of_preset or [start, end])
        if not preset or (own_range and ctx.triggered_id != ids.RANGE_PRESET):
            return no_update, no_update, no_update
        found = preset_text(services, preset, stations or ())
        return (*found, found) if found else (no_update, no_update, no_update)


def preset_text(services: Services, preset: str, stations: Sequence[str]) -> list[str] | None:
    """[from, to] of a preset as the form writes them, for the newest data of the stations; None without data."""
    found = bounds(services.seen().inventory.known().stations, stations)
    if found is None:
        return None
    zone = services.settings.timezone
    return [wall_clock(time_ms, zone) for time_ms in preset_range(preset, *found, zone)]


def _register_start(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.STATION, "value", allow_duplicate=True),
        Output(ids.SENSOR, "value", allow_duplicate=True),
        Output(ids.RANGE_PRESET, "value", allow_duplicate=True),
        Output(ids.RANGE_START, "value", allow_duplicate=True),
        Output(ids.RANGE_END, "value", allow_duplicate=True),
        Output(ids.RANGE_OF_PRESET, "data", allow_duplicate=True),
        Input(start_id(ALL), "n_clicks"),
        prevent_initial_call=True,
    )
    def start(_clicks: list[int]) -> tuple[Any, ...]:
        if not any(trigger["value"] for trigger in ctx.triggered):
            return (no_update,) * 6
        return start_values(services, str(ctx.triggered_id["station"]))


def start_values(services: Services, name: str) -> tuple[Any, ...]:
    """Station, sensors, preset, from, to, and the two again: the start that the first visit's list offers for a station."""
    site = services.seen()
    station = next((each for each in site.inventory.known().stations if each.name == name), None)
    found = preset_text(services, DEFAULT_PRESET, [name])
    if station is None or found is None:  # it has gone since the page was made
        return (no_update,) * 6
    return [name], first_sensors(site.catalogue, station.sensors), DEFAULT_PRESET, *found, found


def _register_estimate(app: Dash, services: Services) -> None:
    speed = Speed(services.ledger)

    @app.callback(
        Output(ids.ESTIMATE, "children"),
        Output(ids.ESTIMATE, "className"),
        Input(ids.STATION, "value"),
        Input(ids.SENSOR, "value"),
        Input(ids.RANGE_START, "value"),
        Input(ids.RANGE_END, "value"),
        Input(ids.RESOLUTION, "value"),
        Input(ids.JOB_STATE, "data"),
    )
    def estimate(stations: Any, sensors: Any, start: str, end: str, resolution: str, _state: Any) -> tuple[str, str]:
        if not stations or not sensors:
            return _("Choose stations and sensors to see what a load takes."), "estimate"
        try:
            request = request_of(stations, sensors, start, end, resolution, services.settings.timezone)
            identity = services.identify()
            request = widened(identity.rights, request)
            seen = permit(services.site, identity, request, Purpose.LOAD)
            return estimate_words(plan(seen, request), speed.rows_a_second()), "estimate"
        except RiwayatError as error:
            return translate_error(error, services.settings.timezone), "estimate estimate-wrong"
