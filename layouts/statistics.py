"""Exact statistics of the visible window: a table, cards on a phone, tab-separated text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from dash import html
from dash.development.base_component import Component

from analysis.drawn_points import DrawnStatistics
from analysis.summary import Summary
from data.catalogue import Catalogue, Sensor
from data.export_names import export_names
from data.time.epoch import HOUR_MS
from data.time.months import iso_utc_or_none
from data.view.records import HistoryView, SeriesStatistics
from escaping import safe_text, visible
from figures.words import bucket_ms, bucket_words, drawn_as, in_order
from i18n import THIN_SPACE, current_language, format_date, format_number, format_time, ngettext
from i18n import gettext as _
from layouts.controls import door

NOTHING: Final = "–"
MOST_SUMMARISED: Final = 500_000  # readings that a view reads for quantiles and gaps: some 30 ms
_SHARE_DIGITS: Final = 4
_AROUND_MS: Final = 12 * HOUR_MS  # on either side of a reading that is looked at
_PLAIN_HEADS: Final = (
    *("station", "sensor", "unit", "rows", "complete", "flagged"),
    *("min", "min_time", "max", "max_time", "mean", "sum", "last", "last_time"),
)
_SUMMARY_HEADS: Final = ("gaps", "min_count", "max_count", "p10", "median", "p90", "std")

Summaries = Mapping[tuple[str, str], Summary]  # by station and sensor
_NONE: Final[Summaries] = {}
_NO_COLOURS: Final[Mapping[str, str]] = {}


def statistics_table(
    view: HistoryView,
    catalogue: Catalogue,
    colours: Mapping[str, str] = _NO_COLOURS,
    *,
    charted: bool = True,
    summaries: Summaries | None = _NONE,
) -> Component | None:
    """Return a table with one row a series; None when there is no series. ``colours`` are those in
    which series are drawn, by their keys. ``charted`` says that the points of the view stand above
    it; ``summaries`` are of the same window, None where that has more than ``MOST_SUMMARISED``
    readings. ``data-tsv`` holds the text that the copy button takes.
    """
    notes = [*(_of_what(view) if charted else []), *([] if summaries is not None else [_too_many()])]
    return _table(DrawnStatistics(view, summaries or _NONE, {}), catalogue, colours, notes)


def drawn_statistics_table(found: DrawnStatistics, catalogue: Catalogue, colours: Mapping[str, str]) -> Component | None:
    """Return the same of what is drawn."""
    words = _("Where the chart shows {drawn}, these numbers are computed from those that begin in this window.")
    return _table(found, catalogue, colours, [words.format(drawn=drawn_as(found.view.series))])


def _table(found: DrawnStatistics, catalogue: Catalogue, colours: Mapping[str, str], notes: list[str]) -> Component | None:
    if not found.view.statistics:
        return None
    heads = _heads(summarised=bool(found.summaries))
    head = html.Thead(html.Tr([html.Th(text, scope="col", className=kind) for text, kind in heads]))
    row = _Row(found, catalogue, colours, [text for text, _kind in heads])
    return html.Table(
        [
            head,
            html.Tbody([row.of(one) for one in in_order(found.view.statistics, catalogue)]),
            *([html.Caption(" ".join(notes), className="stats-note")] if notes else []),
        ],
        className="stats-table",
        **{"data-tsv": statistics_tsv(found.view, catalogue, found.summaries, found.buckets)},
    )


def _of_what(view: HistoryView) -> list[str]:
    """Where points stand for buckets: that the numbers are of what was stored."""
    drawn = drawn_as(view.series)
    text = _("These numbers are computed from all stored values, not from the {drawn} in the chart.")
    return [text.format(drawn=drawn)] if drawn else []


def _too_many() -> str:
    words = _("Zoom to {number} readings or fewer to see gaps, median and standard deviation.")
    return words.format(number=format_number(MOST_SUMMARISED))


def statistics_tsv(
    view: HistoryView, catalogue: Catalogue, summaries: Summaries = _NONE, buckets: Mapping[tuple[str, str], str] | None = None
) -> str:
    """The statistics as tab-separated lines for a spreadsheet:
    the numbers that are shown, times ISO 8601 UTC. ``buckets`` are what series are counted in.

    A number has all its digits, no thousands marks, and the decimal mark of the language,
    as its reader's spreadsheet takes it.
    """
    heads = (*_PLAIN_HEADS, *(_SUMMARY_HEADS if summaries else ()), *(("bucket",) if buckets else ()))
    lines = ["\t".join(heads)]
    sensors = catalogue.ordered({one.sensor for one in view.statistics})
    names = dict(zip(sensors, export_names(catalogue, sensors), strict=True))
    for one in in_order(view.statistics, catalogue):
        sensor = catalogue[one.sensor]
        total = one.sum if sensor.aggregation == "sum" else None
        bucket = (buckets or {}).get((one.station, one.sensor), "")
        mean = None if sensor.aggregation == "sum" and not bucket else one.mean
        times = (iso_utc_or_none(time_ms) or "" for time_ms in (one.min_time, one.max_time, one.last_time))
        least_time, greatest_time, last_time = times
        fields = [
            safe_text(visible(one.station, keep="\t\r\n")),
            names[one.sensor],
            sensor.unit,
            str(one.rows),
            _plain(one.completeness, _SHARE_DIGITS),
            str(one.flagged),
            _plain(one.min, sensor.decimals),
            least_time,
            _plain(one.max, sensor.decimals),
            greatest_time,
            *(_plain(value, sensor.decimals) for value in (mean, total, one.last)),
            last_time,
            *_plain_summary(summaries.get((one.station, one.sensor)), sensor),
            *([bucket or "raw"] if buckets else []),
        ]
        lines.append("\t".join(" ".join(field.splitlines()).replace("\t", " ") for field in fields))
    return "\n".join(lines) + "\n"


def _plain_summary(found: Summary | None, sensor: Sensor) -> list[str]:
    if found is None:
        return []
    counts = [str(found.gaps), *(str(count or "") for count in (found.min_count, found.max_count))]
    numbers = (found.p10, found.median, found.p90, found.std)
    return [*counts, *(_plain(number if math.isfinite(number) else None, sensor.decimals) for number in numbers)]


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


def _heads(*, summarised: bool) -> list[tuple[str, str]]:
    median = [(_("Median"), "number")] if summarised else []
    return [
        (_("Series"), "text"),
        (_("Rows"), "number"),
        (_("Complete"), "number"),
        (_("Flagged"), "number"),
        (_("Minimum"), "number"),
        *median,
        (_("Mean or total"), "number"),
        (_("Maximum"), "number"),
        (_("Last"), "number"),
    ]


@dataclass(frozen=True)
class _Row:
    """How a series is told: of which numbers, in which colour, under which heads."""

    found: DrawnStatistics
    catalogue: Catalogue
    colours: Mapping[str, str]
    heads: Sequence[str]

    def of(self, one: SeriesStatistics) -> html.Tr:
        """Return the row of a series."""
        named, sensor = (one.station, one.sensor), self.catalogue[one.sensor]
        bucket, found = self.found.buckets.get(named, ""), self.found.summaries.get(named)
        value = partial(_value, sensor=sensor, timezone=self.found.view.timezone, bucket=bucket)
        least, greatest = (_ties(found.min_count), _ties(found.max_count)) if found else ("", "")
        complete = NOTHING if one.completeness is None else share_text(one.completeness)
        counted = [html.Small(bucket_words(bucket, sums=sensor.aggregation == "sum"), className="stats-time")] if bucket else []
        cells: list[list[Component | str]] = [
            [format_number(one.rows), *counted],
            [complete, *([] if bucket else _gaps(found))],
            [NOTHING if bucket else format_number(one.flagged)],
            value(one.min, one.min_time, more=least),
            *([_median(found, sensor)] if self.found.summaries else []),
            _middle(one, found, sensor, self.found.view.timezone, bucket),
            value(one.max, one.max_time, more=greatest),
            value(one.last, one.last_time),
        ]
        numbers = [
            html.Td(cell, className="number", **{"data-label": head}) for cell, head in zip(cells, self.heads[1:], strict=True)
        ]
        return html.Tr([self._name(one, sensor), *numbers])

    def _name(self, one: SeriesStatistics, sensor: Sensor) -> html.Th:
        key = f"{one.station}.{one.sensor}"
        colour = self.colours.get(key)
        mark = html.Span(className="stats-key", style={"backgroundColor": colour}, **{"data-series": key})
        words = [
            html.Span(visible(one.station), className="stats-station"),
            html.Span(sensor.label(current_language()), className="stats-sensor"),
        ]
        return html.Th([*([mark] if colour else []), *words], scope="row", className="text")


def _gaps(found: Summary | None) -> list[Component | str]:
    if found is None:
        return []
    words = ngettext("{count} gap", "{count} gaps", found.gaps) if found.gaps else _("no gap")
    return [html.Small(words.format(count=format_number(found.gaps)), className="stats-time")]


def _ties(count: int | None) -> str:
    """That an extreme was there more than once: of these the time is the first."""
    return _("first of {count}").format(count=format_number(count)) if count and count > 1 else ""


def _median(found: Summary | None, sensor: Sensor) -> list[Component | str]:
    """The median, with the 10th and the 90th percentile."""
    if found is None or not math.isfinite(found.median):
        return [NOTHING]
    low, high = (format_number(value, sensor.decimals) for value in (found.p10, found.p90))
    small = _("10–90 %: {low} … {high}").format(low=low, high=high).replace(" … ", "\u00a0…\u00a0")
    return [html.Span(value_text(found.median, sensor), className="stats-value"), html.Small(small, className="stats-time")]


def _middle(one: SeriesStatistics, found: Summary | None, sensor: Sensor, timezone: str, bucket: str) -> list[Component | str]:
    """The mean with the standard deviation; of readings that are summed the total."""
    if sensor.aggregation == "sum" and not bucket:
        return _value(one.sum, None, sensor, timezone, _("total"))
    words = _("mean")
    if found is not None and math.isfinite(found.std):
        words += f", σ {format_number(found.std, sensor.decimals)}"
    return _value(one.mean, None, sensor, timezone, words)


def _value(
    value: float | None, time_ms: int | None, sensor: Sensor, timezone: str, note: str = "", more: str = "", bucket: str = ""
) -> list[Component | str]:
    """A number, which leads to the day around its time where it has one, or to its ``bucket`` where
    that is longer; ``more`` is said of it.
    """
    text = value_text(value, sensor)
    number = text if time_ms is None else door(text, *_around(time_ms, bucket_ms(bucket)))
    parts: list[Component | str] = [html.Span(number, className="stats-value")]
    if value is not None and (time_ms is not None or note):
        parts.append(html.Small(note if time_ms is None else _when(time_ms, timezone), className="stats-time"))
    if value is not None and more:
        parts.append(html.Small(more, className="stats-time"))
    return parts


def _around(time_ms: int, length_ms: int) -> tuple[int, int]:
    """Return the window that shows a reading, or a bucket that begins then."""
    if length_ms >= 2 * _AROUND_MS:
        return time_ms, time_ms + length_ms
    return time_ms - _AROUND_MS, time_ms + _AROUND_MS


def _when(time_ms: int, timezone: str) -> list[Component | str]:
    """A time of which a narrow column breaks no other place than between date and clock."""
    date = format_date(time_ms, timezone)
    return [html.Span(date), " ", html.Span(format_time(time_ms, timezone).removeprefix(date).strip())]


def _plain(value: float | None, decimals: int) -> str:
    if value is None:
        return ""
    whole, _mark, fraction = f"{value:.{decimals}f}".partition(".")
    fraction = fraction.rstrip("0")
    if not fraction:
        return "0" if whole == "-0" else whole
    return f"{whole}{',' if current_language() == 'id' else '.'}{fraction}"
