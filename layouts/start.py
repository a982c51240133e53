"""What a page shows before a load: the stations, each a click away from its last 30 days."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from dash import dcc, html
from dash.development.base_component import Component

from data.catalogue import Catalogue
from data.inventory import StationInventory
from data.time.epoch import DAY_MS, HOUR_MS, MINUTE_MS
from escaping import visible
from figures.words import bucket_name
from i18n import current_language, format_date, format_short, local_time
from i18n import gettext as _
from layouts import ids
from layouts.controls import text_input
from layouts.notices import alert, no_data

SEARCHED: Final = 8  # so many stations are seen at a glance; more can be searched
_LEAST_PLACES: Final = 2  # that make a map
_SCALE: Final = 1000  # places on the bar of the site's whole span


def start(stations: Sequence[StationInventory], catalogue: Catalogue, timezone: str) -> Component | None:
    """Return the list of the stations that have data, real ones with the newest first, and a search
    in it where they are many; without data, how to bring some in.

    Above it is a map of those whose place is known, where there are some. assets/start.js draws
    the list, assets/map.js the map.
    """
    known = with_data(stations)
    if not known:
        return alert(no_data())
    span, rows = _whole_span(known), station_rows(known, catalogue, timezone)
    words = _("Search stations and sensors")
    label = html.Label(words, htmlFor=ids.STATION_SEARCH, className="visually-hidden")
    heads = [html.Span(word) for word in _heads(span, timezone)]
    search = text_input(ids.STATION_SEARCH, css="station-search", placeholder=words)
    parts = [
        html.P(_("Pick a station to see its last 30 days.")),
        html.Div([label, search], hidden=len(known) <= SEARCHED),
        dcc.Store(id=ids.STATION_ROWS, data=rows),
        dcc.Store(id=ids.STATION_CHOICE),
        *_map(rows["places"]),
        html.Div(heads, className="station-row station-heads", **{"aria-hidden": "true"}),
        html.Ul(id=ids.STATION_LIST, className="station-list", **{"data-synthetic": _("synthetic")}),
        html.P(_("Nothing found"), id=ids.STATION_NONE, hidden=True, role="status"),
    ]
    return html.Div(parts, className="start")


def station_rows(known: Sequence[StationInventory], catalogue: Catalogue, timezone: str) -> dict[str, Any]:
    """Return the rows of the list as assets/start.js takes them, from the inventory alone.

    ``rows`` are [name, name as it is shown, beginning and length of the coverage bar (of 1000, in
    the span of all), completeness, last date, readings, usual step, position in ``sensors``,
    whether it is synthetic]; ``sensors`` are the labels of stations that measure the same;
    ``places`` are [position in ``rows``, degrees north, degrees east, metres of elevation or None].
    """
    low, high = _whole_span(known)
    scale = _SCALE / max(1, high - low)
    kinds: dict[tuple[str, ...], int] = {}
    rows = []
    for station in known:
        first, last = _span(station)
        rows.append(
            [
                station.name,
                visible(station.name),
                round((first - low) * scale),
                max(1, round((last - first) * scale)),
                _completeness(station),
                format_date(last, timezone),
                format_short(station.rows),
                _step(station.step_ms) if station.step_ms else "",
                kinds.setdefault(station.sensors, len(kinds)),
                int(station.synthetic),
            ]
        )
    places = [
        [at, *place, metadata.elevation]
        for at, station in enumerate(known)
        if (metadata := catalogue.stations.get(station.name)) and (place := metadata.position)
    ]
    return {"rows": rows, "sensors": [_labels(sensors, catalogue) for sensors in kinds], "places": places}


def with_data(stations: Sequence[StationInventory]) -> list[StationInventory]:
    """The stations that have data, real ones with the newest first:
    the first of them is what the form begins with.
    """
    known = [station for station in stations if station.rows and station.last_ms is not None]
    return sorted(known, key=lambda station: (station.synthetic, -(station.usual or (0, -1))[1], station.name))


def first_sensors(catalogue: Catalogue, measured: Collection[str]) -> list[str]:
    """What a first look shows: the catalogue's first line and first bars that the station measures;
    else its first sensor.
    """
    known = [sensor for sensor in catalogue if sensor.name in measured]
    found = [next((sensor.name for sensor in known if sensor.drawing == drawing), None) for drawing in ("line", "bars")]
    return [name for name in found if name] or [sensor.name for sensor in known[:1]]


def _map(places: Sequence[object]) -> list[Component]:
    """Return the place of a map; of one station alone there is none."""
    if len(places) < _LEAST_PLACES:
        return []
    words = _("Press a station on the map, or draw a box around several, to choose them in the form.")
    label = {"aria-label": _("Map of the stations; the list below has the same")}
    return [html.P(words), html.Div(id=ids.STATION_MAP, className="station-map", role="group", **label)]


def _heads(span: tuple[int, int], timezone: str) -> list[str]:
    """Return what stands over the columns; over the bars the years that they span."""
    first, last = (local_time(time_ms, timezone).year for time_ms in span)
    years = f"{first:04d}" if first == last else f"{first:04d} – {last:04d}"
    return [_("Station"), years, _("Complete"), _("Last reading"), _("Readings"), _("Interval"), _("Sensors")]


def _span(station: StationInventory) -> tuple[int, int]:
    """First and last time (ms UTC) of a station with data, outlying rows left out."""
    return station.usual or station.span or (0, 0)


def _whole_span(known: Sequence[StationInventory]) -> tuple[int, int]:
    spans = [_span(station) for station in known]
    return min(first for first, _last in spans), max(last for _first, last in spans)


def _completeness(station: StationInventory) -> str:
    """Return how many of the readings that are due at the usual step there are, in whole percent,
    rounded down; empty where there is no usual step.
    """
    if not station.step_ms:
        return ""
    first, last = _span(station)
    due = (last - first) // station.step_ms + 1
    rows = station.rows - (station.outlying.rows if station.outlying else 0)
    return _("{percent} %").format(percent=min(100, 100 * rows // due))


def _labels(sensors: Sequence[str], catalogue: Catalogue) -> str:
    language = current_language()
    return ", ".join(catalogue[name].label(language) for name in catalogue.ordered(sensors) if name in catalogue)


def _step(step_ms: int) -> str:
    """``1 min``, ``1 h``: the longest unit that divides it; seconds otherwise."""
    for unit, unit_ms in (("d", DAY_MS), ("h", HOUR_MS), ("min", MINUTE_MS)):
        if step_ms % unit_ms == 0:
            return bucket_name(f"{step_ms // unit_ms}{unit}")
    return bucket_name(f"{max(1, round(step_ms / 1000))}s")
