"""What a page shows before anything is loaded: the stations there are, each a click away from a sensible choice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from data.catalogue import Catalogue
from data.inventory import StationInventory
from figures.words import bucket_name
from i18n import current_language, format_date, format_short
from i18n import gettext as _
from layouts.status import alert, no_data

MOST_STATIONS = 12  # more are in the form, where they can be searched


def start(stations: Sequence[StationInventory], catalogue: Catalogue, timezone: str) -> Component | None:
    """One sentence and the stations, real ones with the newest data first; without data, how to bring some in."""
    known = [station for station in stations if station.rows and station.last_ms is not None]
    if not known:
        return alert(no_data())
    known.sort(key=lambda station: (station.synthetic, -(station.last_ms or 0), station.name))
    hidden = len(known) - MOST_STATIONS
    return html.Div(
        [
            html.P(_("Choose a station: the form then holds the last 30 days of its data, ready to load.")),
            html.Ul([html.Li(_station(station, catalogue, timezone)) for station in known[:MOST_STATIONS]]),
            *(
                [html.P(_("{count} more stations are in the form.").format(count=hidden), className="start-more")]
                if hidden > 0
                else []
            ),
        ],
        className="start",
    )


def start_id(station: Any) -> dict[str, Any]:
    """The id of a station's button."""
    return {"type": "start", "station": station}


def first_sensors(catalogue: Catalogue, measured: Collection[str]) -> list[str]:
    """What a first look shows: the catalogue's first line and first bars that the station measures; else its first sensor."""
    known = [sensor for sensor in catalogue if sensor.name in measured]
    found = [next((sensor.name for sensor in known if sensor.drawing == drawing), None) for drawing in ("line", "bars")]
    return [name for name in found if name] or [sensor.name for sensor in known[:1]]


def _station(station: StationInventory, catalogue: Catalogue, timezone: str) -> html.Button:
    labels = [catalogue[name].label(current_language()) for name in catalogue.ordered(station.sensors) if name in catalogue]
    name: list[Component] = [html.Span(station.name)]
    if station.synthetic:
        name.append(html.Small(_("synthetic"), className="start-synthetic"))
    return html.Button(
        [
            html.Span(name, className="start-name"),
            html.Span(_span(station, timezone), className="start-span"),
            html.Span(_rows(station), className="start-rows"),
            html.Span(", ".join(labels), className="start-sensors"),
        ],
        id=start_id(station.name),
        type="button",
        n_clicks=0,
        className="start-station",
        **{"data-start": ""},
    )


def _span(station: StationInventory, timezone: str) -> str:
    if station.first_ms is None or station.last_ms is None:
        return ""
    return f"{format_date(station.first_ms, timezone)} – {format_date(station.last_ms, timezone)}"


def _rows(station: StationInventory) -> str:
    rows = _("{rows} rows").format(rows=format_short(station.rows))
    if not station.step_ms:
        return rows
    return f"{rows} · {_('every {step}').format(step=_step(station.step_ms))}"


def _step(step_ms: int) -> str:
    """``1 min``, ``1 h``: the longest unit that divides it; seconds otherwise."""
    for unit, unit_ms in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if step_ms % unit_ms == 0:
            return bucket_name(f"{step_ms // unit_ms}{unit}")
    return bucket_name(f"{max(1, round(step_ms / 1000))}s")
