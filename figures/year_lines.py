"""Lines and bars of years over the days or months that they share, and what is usual of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.compare import Compare
from data.arrays import Floats
from data.catalogue import Sensor
from data.time.epoch import DAY_MS
from figures.arrays import measured, typed
from figures.canvas import Plot, axis_key
from figures.subjects import HOVER, number_with_unit, period_doors
from figures.template import Style, series_colour, translucent
from i18n import gettext as _
from i18n import short_months

FORMS: Final = ("overlay", "side by side", "difference")

MOST_COLOURED: Final = 8  # with more years all but the latest are grey
_USUAL: Final = 3  # years of which a median and a spread say something
_LATEST: Final = "#D55E00"
_YEARS: Final = ("#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A6FB0", "#7A8B3A")
LEAP: Final = "2000-"  # a year with all days


@dataclass(frozen=True)
class YearsPlace:
    """Where and how the years of one subject are drawn; ``number`` is that of its axes."""

    answer: Answer
    subject: SubjectAnswer
    sensor: Sensor
    plot: Plot
    number: int
    style: Style
    years: tuple[int, ...]  # of all subjects
    form: str
    only: int | None = None

    @property
    def result(self) -> Compare:
        found: Compare = self.subject.result
        return found

    @property
    def values(self) -> Floats:
        return self.result.anomaly if self.form == "difference" else self.result.values

    @property
    def axes(self) -> dict[str, str]:
        return {"xaxis": axis_key("x", self.number), "yaxis": axis_key("y", self.number)}

    @property
    def monthly(self) -> bool:
        return bool(self.answer.options.get("bucket") == "1mo")


def year_traces(place: YearsPlace, *, with_legend: bool) -> list[dict[str, Any]]:
    """Return the traces of the years of one plot, what is usual of them first."""
    traces = _usual(place, with_legend=with_legend) if place.form != FORMS[2] else []
    doors = _doors(place)
    shown = [place.only] if place.only is not None else list(place.result.years)
    older = list(place.years[:-1])
    for year in shown:
        look = _look(place, int(year))
        one = {**_year(place, int(year), doors), **look}
        if place.only is None:
            one |= _legend_entry(place, int(year), older, with_legend=with_legend)
        traces.append(one)
    return [*traces[:1], *traces[2:], traces[1]] if "fill" in traces[0] else traces  # the median over the years


def _legend_entry(place: YearsPlace, year: int, older: list[int], *, with_legend: bool) -> dict[str, Any]:
    """The name of a year in the legend; one for all grey years together."""
    if len(place.years) > MOST_COLOURED and year != place.years[-1]:
        name = f"{older[0]}–{older[-1]}"
        return {"name": name, "legendgroup": "older", "showlegend": with_legend and year == place.result.years[0]}
    return {"name": str(year), "legendgroup": str(year), "showlegend": with_legend}


def _look(place: YearsPlace, year: int) -> dict[str, Any]:
    """The latest year is strong; others are thinner, each in its colour while they are few."""
    latest = year == place.years[-1] or place.only is not None
    back = len(place.years) - 1 - place.years.index(year)
    if latest:
        colour, width, alpha = series_colour(_LATEST, place.style), 2.0, 1.0
    elif len(place.years) <= MOST_COLOURED:
        colour, width, alpha = series_colour(_YEARS[(back - 1) % len(_YEARS)], place.style), 1.2, 0.8
    else:
        colour, width, alpha = place.style.muted, 0.9, 0.4
    if as_bars(place):
        return {"marker": {"color": translucent(colour, alpha)}}
    look: dict[str, Any] = {"line": {"color": translucent(colour, alpha), "width": width}}
    if place.monthly:
        look["marker"] = {"color": translucent(colour, alpha), "size": 6 if latest else 4}
    return look


def as_bars(place: YearsPlace) -> bool:
    """Months of a sum, of few years, are bars beside each other."""
    sums = place.sensor.aggregation == "sum" and not place.answer.options.get("cumulative")
    return place.monthly and sums and (len(place.years) <= MOST_COLOURED or place.only is not None)


def _year(place: YearsPlace, year: int, doors: dict[tuple[int, str], list[int]]) -> dict[str, Any]:
    """The values of one year; a day that it lacks by the calendar breaks no line."""
    result = place.result
    row = place.values[result.years.index(year)]
    kept = [at for at, label in enumerate(result.labels) if label != "02-29" or np.isfinite(row[at])]
    labels = [result.labels[at] for at in kept]
    values = row[kept]
    words = [_words(place, year, label, value) for label, value in zip(labels, values.tolist(), strict=True)]
    x, y, at = _with_breaks(labels, values)
    points: list[Any] = [[*doors.get((year, labels[n]), [0, 0]), words[n]] if n >= 0 else None for n in at]
    kind = {"type": "bar"} if as_bars(place) else {"type": "scatter", "mode": "lines+markers" if place.monthly else "lines"}
    y_array = measured(y, place.sensor.decimals + 1)
    return {**kind, **place.axes, "x": x, "y": y_array, "customdata": points, "hovertemplate": HOVER}


def _words(place: YearsPlace, year: int, label: str, value: float) -> str:
    names = short_months()
    month = names[int(label[:2]) - 1]
    when = f"{int(label[3:])} {month} {year}" if len(label) > 2 else f"{month} {year}"
    sign = "+" if place.form == FORMS[2] and value > 0 else ""
    return f"<b>{when}</b><br>{sign}{number_with_unit(value, place.sensor)}"


def label_days(labels: Sequence[str]) -> np.ndarray:
    """Labels as days of the leap year."""
    days = [f"{LEAP}{label}" if len(label) > 2 else f"{LEAP}{label}-01" for label in labels]
    return np.array(days, "datetime64[D]")


def _with_breaks(labels: Sequence[str], values: Floats) -> tuple[Any, Floats, list[int]]:
    """Places on the axis, values, and the place of each in ``labels``; -1 and NaN where days or
    months lie between two that are not in the answer, so that no line crosses them.
    """
    days = label_days(labels)
    step = 31 if labels and len(labels[0]) == 2 else 2
    after = (np.flatnonzero(np.diff(days.astype(np.int64)) > step) + 1).tolist()
    x = np.insert(days.astype(np.int64) * float(DAY_MS), after, [float(days[n - 1].astype(np.int64) + 1) * DAY_MS for n in after])
    y = np.insert(values, after, np.nan)
    at = np.insert(np.arange(len(labels)), after, -1).tolist()
    return typed(x, "f8"), y, at


def _doors(place: YearsPlace) -> dict[tuple[int, str], list[int]]:
    """The window of each year's days or months."""
    dates, windows = period_doors(place.answer, "1mo" if place.monthly else "1d", place.sensor)
    texts = [str(date) for date in dates]
    label = slice(-5, -3) if place.monthly else slice(-5, None)
    return {(int(text[:-6]), text[label]): window for text, window in zip(texts, windows.tolist(), strict=True)}


def _usual(place: YearsPlace, *, with_legend: bool) -> list[dict[str, Any]]:
    """The median of all years, and behind it a band from the 10th to the 90th percentile."""
    result = place.result
    if len(result.years) < _USUAL:
        return []
    every = [at for at, label in enumerate(result.labels) if label != "02-29"]  # of leap years alone, it would be a spike
    labels = [result.labels[at] for at in every]
    grey = place.style.muted
    shared = {**place.axes, "type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": with_legend}
    x, median, _at = _with_breaks(labels, result.median[every])
    band_x, band_y = _band(labels, result.p10[every], result.p90[every])
    band = {"fill": "toself", "fillcolor": translucent(grey, 0.16), "line": {"width": 0}}
    line = {"line": {"color": translucent(grey, 0.9), "width": 1.4, "dash": "4px,3px"}}
    names = _("10–90 % of years"), _("Median of years")
    return [
        {**shared, **band, "x": band_x, "y": band_y, "name": names[0], "legendgroup": "band"},
        {**shared, **line, "x": x, "y": typed(median, "f8"), "name": names[1], "legendgroup": "median"},
    ]


def _band(labels: Sequence[str], low: Floats, high: Floats) -> tuple[Any, Any]:
    """Closed outlines of each stretch without a break, with NaN between them."""
    _x_all, lows, places = _with_breaks(labels, low)
    days = label_days(labels).astype(np.int64) * float(DAY_MS)
    highs = np.array([high[n] if n >= 0 else np.nan for n in places])
    x = np.array([days[n] if n >= 0 else np.nan for n in places])
    there = np.isfinite(lows) & np.isfinite(highs)
    pieces_x: list[Floats] = []
    pieces_y: list[Floats] = []
    for run in np.split(np.arange(len(x)), np.flatnonzero(np.diff(there.astype(np.int8))) + 1):
        if len(run) and there[run[0]]:
            pieces_x += [x[run], x[run][::-1], np.array([np.nan])]
            pieces_y += [lows[run], highs[run][::-1], np.array([np.nan])]
    nothing = np.empty(0)
    return typed(np.concatenate(pieces_x or [nothing]), "f8"), typed(np.concatenate(pieces_y or [nothing]), "f8")
