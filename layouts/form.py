"""The form: which stations and sensors, which range, which resolution."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from data.catalogue import Catalogue
from data.inventory import StationInventory
from data.time.resolution import RESOLUTIONS, Resolution
from escaping import visible
from i18n import current_language, format_date, zone_name
from i18n import gettext as _
from layouts import ids
from layouts.controls import button, close_button, field, options, text_input
from layouts.formulas import formula_button
from layouts.notes import notes_section
from layouts.notices import action_id
from layouts.start import first_sensors, with_data

DEFAULT_PRESET = "30d"
TIME_HINT = "2019-03-31 14:30"
STATION_TIME, SITE_TIME, UTC = ZONES = ("station", "site", "utc")  # whose clock the form's times are of


def form(
    stations: Sequence[StationInventory],
    catalogue: Catalogue,
    *,
    timezone: str,
    zones: Sequence[dict[str, str]],
    start: str = "",
    end: str = "",
    hidden: bool = False,
    finest: Resolution = RESOLUTIONS[0],
    lists: Any = None,
) -> html.Aside:
    """The form in its first state: the first station with data, what to look at first of it,
    and the range.

    ``start`` and ``end`` are wall-clock times of the station; ``zones`` are as of
    :func:`zone_options`, ``timezone`` is the site's.

    ``hidden``: for whom there is nothing to choose;
    ``finest``: the finest resolution that may be chosen, and is at first; ``lists``: what stands
    beneath.
    """
    chosen = with_data(stations)[:1]
    return html.Aside(
        [
            html.Div([html.H2(_("Select data")), close_button("sheet-close")], className="sheet-head"),
            field(_("Stations"), ids.STATION, _stations(stations, timezone, chosen)),
            field(_("Sensors"), ids.SENSOR, _sensors(catalogue, chosen)),
            formula_button(),
            _range(zones, start, end),
            field(_("Resolution"), ids.RESOLUTION, _resolution(finest)),
            html.Div(id=ids.ESTIMATE, className="estimate", role="status", **{"aria-live": "polite"}),
            button(_("Load history"), "btn btn-primary load", ids.LOAD),
            button(
                _("Read again from the source"),
                "btn btn-link reload",
                action_id("reload"),
                hidden=True,  # until a job is shown (callbacks/run.py)
                title=_("Read the loaded months again, even if they look unchanged."),
            ),
            _rail(),
            notes_section(),
            html.Div(lists, id=ids.SAVED_LISTS, className="saved-lists"),
        ],
        id=ids.FORM,
        className="form-panel",
        hidden=hidden,
        **{"aria-label": _("Select data")},
    )


def _rail() -> html.Div:
    """Return the place of the series that are drawn, with the words that assets/rail.js needs."""
    says = {
        "data-series": _("Series"),
        "data-only": _("Show only this one; once more shows all"),
        "data-hide": _("Hide {name}"),
    }
    return html.Div(id=ids.RAIL, className="rail", hidden=True, **says)


def station_options(stations: Sequence[StationInventory], timezone: str) -> list[dict[str, Any]]:
    """Return one option a station: its name, and from when to when it has data.

    These are text, which the style sheet sets out: Dash takes a minute for a thousand components
    that are chosen together.
    """
    return [
        {"value": one.name, "search": one.name, "label": visible(one.name), "title": _station_note(one, timezone)}
        for one in stations
    ]


def sensor_options(catalogue: Catalogue, measured: Collection[str]) -> list[dict[str, Any]]:
    """Return one option a sensor of the catalogue with its unit;
    those that nothing measured are last and disabled.
    """
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
        "raw": _("All readings"),
        "1min": _("1 min"),
        "10min": _("10 min"),
        "1h": _("1 h"),
        "1d": _("1 d"),
        "1mo": _("1 mo"),
        "1y": _("1 y"),
    }


def preset_names() -> dict[str, str]:
    """Words for each range preset, shortest first."""
    return {
        "24h": _("24 h"),
        "7d": _("7 d"),
        "30d": _("30 d"),
        "month": _("Month"),
        "season": _("Season"),
        "ytd": _("Year"),
        "all": _("All"),
    }


def _station_note(station: StationInventory, timezone: str) -> str:
    if station.first_ms is None or station.last_ms is None:
        return _("no data yet")
    first, last = station.usual or (station.first_ms, station.last_ms)
    span = f"{format_date(first, timezone)} – {format_date(last, timezone)}"
    return f"{span} · {_('synthetic')}" if station.synthetic else span


def _stations(stations: Sequence[StationInventory], timezone: str, chosen: Sequence[StationInventory]) -> dcc.Dropdown:
    value = [station.name for station in chosen]
    return _several(ids.STATION, station_options(stations, timezone), value, _("Choose stations"))


def _sensors(catalogue: Catalogue, chosen: Sequence[StationInventory]) -> dcc.Dropdown:
    measured = {sensor for station in chosen for sensor in station.sensors}
    value = first_sensors(catalogue, measured)
    return _several(ids.SENSOR, sensor_options(catalogue, measured), value, _("Choose sensors"))


def _several(component_id: str, known: list[dict[str, Any]], value: list[str], hint: str) -> dcc.Dropdown:
    words = _dropdown_words()
    return dcc.Dropdown(id=component_id, options=known, value=value, multi=True, placeholder=hint, maxHeight=320, labels=words)


def _resolution(finest: Resolution) -> dcc.Dropdown:
    # all readings are loaded, and the page draws what the screen has room for
    names, first = resolution_names() | {"raw": _("Auto: all readings")}, RESOLUTIONS.index(finest)
    return dcc.Dropdown(
        id=ids.RESOLUTION,
        options=[{"value": name, "label": names[name], "disabled": at < first} for at, name in enumerate(RESOLUTIONS)],
        value=finest,
        clearable=False,
        searchable=False,
        maxHeight=260,
    )


def _range(zones: Sequence[dict[str, str]], start: str, end: str) -> html.Fieldset:
    return html.Fieldset(
        [
            html.Legend([_("Range"), _zone(zones)]),
            html.Div(_presets(), role="radiogroup", **{"aria-label": _("Range")}),
            html.Div(
                [_time(_("From"), ids.RANGE_START, start), _time(_("To"), ids.RANGE_END, end)],
                className="times",
            ),
        ],
        className="field",
    )


def _presets() -> dbc.RadioItems:
    """Return the presets; of one name, so that they are one stop of the keyboard's way."""
    words = options(preset_names())
    return dbc.RadioItems(id=ids.RANGE_PRESET, name=ids.RANGE_PRESET, options=words, value=DEFAULT_PRESET, className="presets")


def zone_options(time_ms: int, station_zone: str, site_zone: str) -> list[dict[str, str]]:
    """Return the clocks that the form's times can be of, named as they are at ``time_ms`` (ms
    UTC); the station's only where it is not the site's.
    """
    own = _("Station time ({zone})") if station_zone != site_zone else _("Site time ({zone})")
    found = {STATION_TIME: own.format(zone=zone_name(time_ms, station_zone))}
    if station_zone != site_zone:
        found[SITE_TIME] = _("Site time ({zone})").format(zone=zone_name(time_ms, site_zone))
    return options(found | {UTC: "UTC"})


def _zone(zones: Sequence[dict[str, str]]) -> html.Span:
    label = html.Label(_("Time zone"), htmlFor=ids.ZONE, className="visually-hidden")
    return html.Span([label, dbc.Select(id=ids.ZONE, options=zones, value=STATION_TIME, size="sm", className="zone")])


def _time(label: str, component_id: str, value: str) -> html.Div:
    control = text_input(component_id, value, "time-input", debounce=True, placeholder=TIME_HINT)
    words = _("Such as 2013-07-31 14:30, 31 Jul 2013, 2013-07, last July or now-7d; To is the end of what is written")
    return html.Div([html.Label(label, htmlFor=component_id), control], title=words)


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
