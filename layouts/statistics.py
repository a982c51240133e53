"""Exact statistics of the visible window: a table, cards on a phone, and the same as tab-separated text."""

from __future__ import annotations

from typing import Final

from dash import html
from dash.development.base_component import Component

from data.catalogue import Catalogue, Sensor
from data.drawn import HistoryView, SeriesStatistics
from data.months import iso_utc
from data.spreadsheet import safe_text
from figures.template import series_colour, style_of
from figures.words import in_order
from i18n import THIN_SPACE, current_language, format_number, format_time
from i18n import gettext as _

NOTHING: Final = "–"
_PLAIN_HEADS: Final = (
    *("station", "sensor", "unit", "rows", "complete", "flagged"),
    *("min", "min_time", "max", "max_time", "mean", "sum", "last", "last_time"),
)


def statistics_table(view: HistoryView, catalogue: Catalogue, theme: str = "light") -> Component | None:
    """One row a series; None when there is no series. ``data-tsv`` holds the text that the copy button takes."""
    if not view.statistics:
        return None
    heads = _heads()
    head = html.Thead(html.Tr([html.Th(text, scope="col", className=kind) for text, kind in heads]))
    stations = sorted({one.station for one in view.statistics})
    rows = []
    for one in in_order(view.statistics, catalogue):
        colour = series_colour(catalogue[one.sensor].color, style_of(theme), stations.index(one.station))
        rows.append(_row(one, catalogue[one.sensor], view.timezone, [text for text, _kind in heads], colour))
    return html.Table([head, html.Tbody(rows)], className="stats-table", **{"data-tsv": statistics_tsv(view, catalogue)})


def statistics_tsv(view: HistoryView, catalogue: Catalogue) -> str:
    """The statistics as tab-separated lines for a spreadsheet: plain numbers, times ISO 8601 UTC."""
    heads = _PLAIN_HEADS
    lines = ["\t".join(heads)]
    for one in in_order(view.statistics, catalogue):
        sensor = catalogue[one.sensor]
        total = one.sum if sensor.aggregation == "sum" else None
        mean = None if sensor.aggregation == "sum" else one.mean
        fields = [safe_text(one.station), one.sensor, sensor.unit, str(one.rows), _plain(one.completeness), str(one.flagged)]
        fields += [_plain(one.min), _iso(one.min_time), _plain(one.max), _iso(one.max_time)]
        fields += [_plain(mean), _plain(total), _plain(one.last), _iso(one.last_time)]
        lines.append("\t".join(" ".join(field.splitlines()).replace("\t", " ") for field in fields))
    return "\n".join(lines) + "\n"


def share_text(share: float) -> str:
    """``99.1 %``. Only what is whole is 100 %, only nothing is 0 %."""
    percent = share * 100
    if 0 < share < 1:
        percent = min(max(percent, 0.1), 99.9)
    return f"{format_number(percent, 0 if share in (0, 1) else 1)}{THIN_SPACE}%"


def value_text(value: float | None, sensor: Sensor) -> str:
    """A value with its unit: ``23.4 °C``."""
    if value is None:
        return NOTHING
    return f"{format_number(value, sensor.decimals)}{THIN_SPACE}{sensor.unit}"


def _heads() -> list[tuple[str, str]]:
    return [
        (_("Series"), "text"),
        (_("Rows"), "number"),
        (_("Complete"), "number"),
        (_("Flagged"), "number"),
        (_("Minimum"), "number"),
        (_("Maximum"), "number"),
        (_("Mean or total"), "number"),
        (_("Last"), "number"),
    ]


def _row(one: SeriesStatistics, sensor: Sensor, timezone: str, heads: list[str], colour: str) -> html.Tr:
    complete = NOTHING if one.completeness is None else share_text(one.completeness)
    middle = _total(one, sensor) if sensor.aggregation == "sum" else _value(one.mean, None, sensor, timezone, _("mean"))
    cells: list[list[Component | str]] = [
        [format_number(one.rows)],
        [complete],
        [format_number(one.flagged)],
        _value(one.min, one.min_time, sensor, timezone),
        _value(one.max, one.max_time, sensor, timezone),
        middle,
        _value(one.last, one.last_time, sensor, timezone),
    ]
    name = html.Th(
        [
            html.Span(className="stats-key", style={"backgroundColor": colour}),
            html.Span(one.station, className="stats-station"),
            html.Span(sensor.label(current_language()), className="stats-sensor"),
        ],
        scope="row",
        className="text",
    )
    numbers = [html.Td(cell, className="number", **{"data-label": head}) for cell, head in zip(cells, heads[1:], strict=True)]
    return html.Tr([name, *numbers])


def _value(value: float | None, time_ms: int | None, sensor: Sensor, timezone: str, note: str = "") -> list[Component | str]:
    parts: list[Component | str] = [html.Span(value_text(value, sensor), className="stats-value")]
    if value is not None and (time_ms is not None or note):
        parts.append(html.Small(note if time_ms is None else format_time(time_ms, timezone), className="stats-time"))
    return parts


def _total(one: SeriesStatistics, sensor: Sensor) -> list[Component | str]:
    return _value(one.sum, None, sensor, "UTC", _("total"))


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _iso(time_ms: int | None) -> str:
    return "" if time_ms is None else iso_utc(time_ms)
