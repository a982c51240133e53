"""The form: which stations and sensors, which range, which resolution."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from data.catalogue import Catalogue
from data.inventory import StationInventory
from data.request import RESOLUTIONS, Resolution
from i18n import current_language, format_date
from i18n import gettext as _
from layouts import ids
from layouts.status import action_id

PRESETS: tuple[str, ...] = ("24h", "7d", "30d", "1y", "ytd", "all")
DEFAULT_PRESET = "30d"
TIME_HINT = "2019-03-31 14:30"


def form(
    stations: Sequence[StationInventory],
    catalogue: Catalogue,
    *,
    timezone: str,
    zone: str,
    start: str = "",
    end: str = "",
    hidden: bool = False,
    finest: Resolution = RESOLUTIONS[0],
) -> html.Aside:
    """The form in its first state; ``start`` and ``end`` are wall-clock times in ``timezone`` (named ``zone`` for short).

    ``hidden``: for whom there is nothing to choose; ``finest``: the finest resolution that may be chosen, and is at first.
    """
    return html.Aside(
        [
            html.Div(
                [
                    html.H2(_("Select data")),
                    html.Button("×", type="button", className="drawer-close", **{"aria-label": _("Close")}),
                ],
                className="drawer-head",
            ),
            _field(_("Stations"), ids.STATION, _stations(stations, timezone)),
            _field(_("Sensors"), ids.SENSOR, _sensors(catalogue, stations)),
            _range(timezone, zone, start, end),
            _field(_("Resolution"), ids.RESOLUTION, _resolution(finest)),
            html.Div(id=ids.ESTIMATE, className="estimate", role="status", **{"aria-live": "polite"}),
            html.Button(_("Load history"), id=ids.LOAD, type="button", n_clicks=0, className="btn btn-primary load"),
            html.Button(
                _("Reload from the database"),
                id=action_id("reload"),
                type="button",
                n_clicks=0,
                className="btn btn-link reload",
                hidden=True,  # until a job is shown (callbacks/run.py)
                title=_("Read the months that are shown again, also where they look unchanged."),
            ),
        ],
        id=ids.FORM,
        className="form-panel",
        hidden=hidden,
        **{"aria-label": _("Select data")},
    )


def station_options(stations: Sequence[StationInventory], timezone: str) -> list[dict[str, Any]]:
    """One option a station: its name, and from when to when it has data."""
    return [
        {
            "value": station.name,
            "search": station.name,
            "label": html.Span([html.Span(station.name), html.Small(_station_note(station, timezone))], className="option"),
        }
        for station in stations
    ]


def sensor_options(catalogue: Catalogue, measured: Collection[str]) -> list[dict[str, Any]]:
    """One option a sensor of the catalogue with its unit; those that nothing measured are last and disabled."""
    language = current_language()
    ordered = sorted(catalogue, key=lambda sensor: sensor.name not in measured)
    return [
        {
            "value": sensor.name,
            "search": f"{sensor.label(language)} {sensor.name} {sensor.unit}",
            "label": html.Span(
                [html.Span(sensor.label(language)), html.Small(sensor.unit, className="unit")],
                className="option",
                style={"--sensor": sensor.color},
            ),
            "disabled": sensor.name not in measured,
        }
        for sensor in ordered
    ]


def resolution_names() -> dict[str, str]:
    """Words for each resolution, finest first."""
    return {
        "raw": _("Every observation"),
        "1min": _("1 minute"),
        "10min": _("10 minutes"),
        "1h": _("1 hour"),
        "1d": _("1 day"),
        "1mo": _("1 month"),
    }


def preset_names() -> dict[str, str]:
    """Words for each range preset, shortest first."""
    return {
        "24h": _("24 h"),
        "7d": _("7 d"),
        "30d": _("30 d"),
        "1y": _("1 y"),
        "ytd": _("YTD"),
        "all": _("All"),
    }


def _station_note(station: StationInventory, timezone: str) -> str:
    if station.first_ms is None or station.last_ms is None:
        return _("no data yet")
    span = f"{format_date(station.first_ms, timezone)} – {format_date(station.last_ms, timezone)}"
    return f"{span} · {_('synthetic')}" if station.synthetic else span


def _stations(stations: Sequence[StationInventory], timezone: str) -> dcc.Dropdown:
    return dcc.Dropdown(
        id=ids.STATION,
        options=station_options(stations, timezone),
        value=[],
        multi=True,
        placeholder=_("Choose stations"),
        maxHeight=320,
        labels=_dropdown_words(),
    )


def _sensors(catalogue: Catalogue, stations: Sequence[StationInventory]) -> dcc.Dropdown:
    measured = {sensor for station in stations for sensor in station.sensors}
    return dcc.Dropdown(
        id=ids.SENSOR,
        options=sensor_options(catalogue, measured),
        value=[],
        multi=True,
        placeholder=_("Choose sensors"),
        maxHeight=320,
        labels=_dropdown_words(),
    )


def _resolution(finest: Resolution) -> dcc.Dropdown:
    names, first = resolution_names(), RESOLUTIONS.index(finest)
    return dcc.Dropdown(
        id=ids.RESOLUTION,
        options=[{"value": name, "label": names[name], "disabled": at < first} for at, name in enumerate(RESOLUTIONS)],
        value=finest,
        clearable=False,
        searchable=False,
        maxHeight=260,
    )


def _range(timezone: str, zone: str, start: str, end: str) -> html.Fieldset:
    names = preset_names()
    return html.Fieldset(
        [
            html.Legend([_("Range"), html.Small(zone, title=timezone)]),
            dcc.RadioItems(
                id=ids.RANGE_PRESET,
                options=[{"value": preset, "label": names[preset]} for preset in PRESETS],
                value=DEFAULT_PRESET,
                className="presets",
                inputClassName="preset-input",
                labelClassName="preset-label",
            ),
            html.Div(
                [_time(_("From"), ids.RANGE_START, start), _time(_("To"), ids.RANGE_END, end)],
                className="times",
            ),
        ],
        className="field",
    )


def _time(label: str, component_id: str, value: str) -> html.Div:
    return html.Div(
        [
            html.Label(label, htmlFor=component_id),
            dcc.Input(
                id=component_id,
                type="text",
                value=value,
                debounce=True,
                placeholder=TIME_HINT,
                autoComplete="off",
                spellCheck="false",
                className="form-control form-control-sm time-input",
            ),
        ]
    )


def _field(label: str, component_id: str, control: Component) -> html.Div:
    return html.Div([html.Label(label, htmlFor=component_id), control], className="field")


def _dropdown_words() -> dict[str, str]:
    return {
        "select_all": _("Select all"),
        "deselect_all": _("Select none"),
        "selected_count": "{num_selected}",  # the names stand beside it
        "search": _("Search"),
        "clear_search": _("Clear the search"),
        "clear_selection": _("Clear the selection"),
        "no_options_found": _("Nothing found"),
    }
