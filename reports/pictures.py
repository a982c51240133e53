"""Pictures of a report as SVG: they print sharp, need no script, and take a few kilobytes.

The rose is drawn from the figure that the page shows (figures/analyses/wind.py); days and
completeness are lines, bars and squares of the same colours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from analysis.answer import Answer
from analysis.calendar import Day
from analysis.distribution import nice_width
from data.catalogue import Catalogue
from data.sensor import Sensor
from figures.analysis_figure import analysis_figure
from figures.canvas import Canvas
from figures.template import STYLES, mixed, series_colour
from i18n import current_language, format_number
from i18n import gettext as _
from reports.document import ReportPicture
from reports.material import StationMaterial, sensor_label

STYLE: Final = STYLES["light"]
WIDTH: Final = 720.0  # px of a page's width
_LEFT: Final = 52.0
_RIGHT: Final = 8.0
_HEIGHT: Final = 120.0
_TOP: Final = 6.0
_BOTTOM: Final = 20.0
_STRIP: Final = 16.0
_LABEL: Final = 160.0
_SQUARE: Final = 3.0  # px of a day, from which each is a square of its own
_ROSE: Final = 340.0
_MOST_TICKS: Final = 4
_MARKUP: Final = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class _Scale:
    """From values to px: ``low`` at the bottom, ``high`` at the top."""

    low: float
    high: float

    def y(self, value: float) -> float:
        """Return px from the top."""
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (value - self.low) / (self.high - self.low))

    @property
    def ticks(self) -> list[float]:
        """Round values within."""
        step = nice_width(self.high - self.low, _MOST_TICKS)
        first = math.ceil(self.low / step - 1e-9)
        return [step * number for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def daily_pictures(station: StationMaterial) -> list[ReportPicture]:
    """Return a picture of each sensor's days: means between extremes, totals as bars."""
    catalogue = station.whole.catalogue
    return [
        picture
        for subject in station.whole_days
        if (picture := _daily(catalogue[subject.sensors[0]], subject.result.days)) is not None
    ]


def _daily(sensor: Sensor, days: Sequence[Day]) -> ReportPicture | None:
    sums, no_band = sensor.aggregation == "sum", sensor.is_direction
    lows = [day.total if sums else day.mean if no_band else day.min for day in days]
    highs = [day.total if sums else day.mean if no_band else day.max for day in days]
    there = [value for value in (*lows, *highs) if value is not None and math.isfinite(value)]
    if not there:
        return None
    scale = _Scale(0.0, 360.0) if no_band else _scale(0.0 if sums else min(there), max(there))
    colour = series_colour(sensor.color, STYLE)
    step = (WIDTH - _LEFT - _RIGHT) / len(days)
    body = [*_grid(scale, sensor), *_dates(days, step)]
    if sums:
        body += _bars(highs, scale, step, colour)
    elif no_band:
        known = [(place, day.mean) for place, day in enumerate(days) if math.isfinite(day.mean)]
        body.append(_dots([(_x(place, step), scale.y(mean)) for place, mean in known], colour))
    else:
        body += _band(lows, highs, scale, step, mixed(colour, STYLE.ground, 0.75))
        body += _line([day.mean for day in days], scale, step, colour)
    return ReportPicture(_svg(WIDTH, _HEIGHT, body), f"{sensor_label(sensor, current_language())}: {_drawn(sensor)}")


def _drawn(sensor: Sensor) -> str:
    if sensor.aggregation == "sum":
        return _("daily totals")
    return _("daily mean directions") if sensor.is_direction else _("daily means, between lowest and highest reading")


def completeness_strips(sensors: Sequence[tuple[str, Sequence[tuple[str, int, int | None]]]]) -> list[ReportPicture]:
    """Return a picture of each sensor's days (date, readings, those due) as a row of squares: dark
    where all are there, empty where none is. None of no days.
    """
    most = max((len(days) for _name, days in sensors), default=0)
    if not most:
        return []
    step = (WIDTH - _LABEL - _RIGHT) / most
    full = mixed(STYLE.ink, STYLE.hues[2], 0.6)
    body = []
    for row, (name, days) in enumerate(sensors):
        top = row * _STRIP
        body.append(_text(_LABEL - 6, top + 11, name, "end"))
        for share, first, number in _equal_days(days, whole=step > _SQUARE):
            fill = mixed(STYLE.ground, full, 0.15 + 0.085 * share) if share else STYLE.ground
            left, width = _LABEL + first * step, number * step - (1 if step > _SQUARE else 0)
            body.append(f'<rect x="{left:.2f}" y="{top:.0f}" width="{width:.2f}" height="{_STRIP - 2:.0f}" fill="{fill}"/>')
    days = max((days for _name, days in sensors), key=len)
    foot = len(sensors) * _STRIP + 11
    body += [_text(_LABEL, foot, days[0][0], "start"), _text(WIDTH - _RIGHT, foot, days[-1][0], "end")]
    return [ReportPicture(_svg(WIDTH, foot + 5, body), _("Readings of each day: dark where all are there, white where none is"))]


def _equal_days(days: Sequence[tuple[str, int, int | None]], *, whole: bool) -> Iterator[tuple[int, int, int]]:
    """Yield tenths of what was due (at least one where there is any reading), the first day with
    them, and how many days; each day by itself where it is ``whole``.
    """
    tenths = [_tenths(rows, expected) for _date, rows, expected in days]
    first = 0
    for place in range(1, len(tenths) + 1):
        if place == len(tenths) or whole or tenths[place] != tenths[first]:
            yield tenths[first], first, place - first
            first = place


def _tenths(rows: int, expected: int | None) -> int:
    if not rows:
        return 0
    return max(1, math.floor(10 * min(1.0, rows / expected))) if expected else 10


def rose_picture(answer: Answer, catalogue: Catalogue) -> ReportPicture:
    """Return the rose of an answer of one station, as its figure has it."""
    figure = analysis_figure(answer, catalogue, Canvas(STYLE, round(_ROSE)))
    polar = figure["layout"]["polar"]
    most, hole = float(polar["radialaxis"]["range"][1]), float(polar["hole"])
    centre, radius = (_ROSE / 2, _ROSE / 2), _ROSE / 2 - 24
    bars = [each for each in figure["data"] if each["type"] == "barpolar"]

    def reach(percent: float) -> float:
        return radius * (hole + (1 - hole) * percent / most)

    body = [
        f'<circle cx="{centre[0]}" cy="{centre[1]}" r="{reach(ring):.1f}" fill="none" stroke="#d8dde2"/>'
        for ring in polar["radialaxis"]["tickvals"]
    ]
    body += _petals(bars, centre, reach)
    body += _compass(polar["angularaxis"]["ticktext"], centre, radius + 12)
    body += [
        _ring_name(ring, centre, reach(ring), float(polar["radialaxis"]["angle"])) for ring in polar["radialaxis"]["tickvals"]
    ]
    calm = [part for note in figure["layout"]["annotations"][1:2] for part in _MARKUP.sub("\n", note["text"]).split("\n") if part]
    body += [_text(centre[0], centre[1] + 13 * place, line, "middle") for place, line in enumerate(calm)]
    unit = str(figure["layout"]["legend"]["title"]["text"])
    body += _rose_legend(bars, _MARKUP.sub("", unit))
    return ReportPicture(_svg(WIDTH, _ROSE, body), _("Wind rose: how often the wind blew from each direction, by speed"))


def _petals(bars: Sequence[dict[str, Any]], centre: tuple[float, float], reach: Any) -> Iterator[str]:
    for sector, degrees in enumerate(bars[0]["theta"] if bars else ()):
        inner, half = 0.0, 360 / len(bars[0]["theta"]) * 0.44
        for bar in bars:
            outer = inner + float(bar["r"][sector])
            if outer > inner:
                yield _ring_sector(centre, (reach(inner), reach(outer)), (degrees - half, degrees + half), bar["marker"]["color"])
            inner = outer


def _ring_sector(centre: tuple[float, float], radii: tuple[float, float], degrees: tuple[float, float], colour: str) -> str:
    (a, b), (c, d) = (_on_circle(centre, radii[1], each) for each in degrees)
    (e, f), (g, h) = (_on_circle(centre, radii[0], each) for each in reversed(degrees))
    path = f"M{a:.1f} {b:.1f}A{radii[1]:.1f} {radii[1]:.1f} 0 0 1 {c:.1f} {d:.1f}"
    path += f"L{e:.1f} {f:.1f}A{radii[0]:.1f} {radii[0]:.1f} 0 0 0 {g:.1f} {h:.1f}Z"
    return f'<path d="{path}" fill="{colour}" stroke="{STYLE.ground}" stroke-width="0.5"/>'


def _on_circle(centre: tuple[float, float], radius: float, degrees: float) -> tuple[float, float]:
    """A point by its direction, clockwise from north."""
    angle = math.radians(degrees)
    return centre[0] + radius * math.sin(angle), centre[1] - radius * math.cos(angle)


def _compass(names: Sequence[str], centre: tuple[float, float], radius: float) -> Iterator[str]:
    for place, name in enumerate(names):
        x, y = _on_circle(centre, radius, 360 / len(names) * place)
        yield _text(x, y + 4, name, "middle")


def _ring_name(percent: float, centre: tuple[float, float], radius: float, angle: float) -> str:
    x, y = _on_circle(centre, radius, 90 - angle)
    return _text(x, y + 4, f"{format_number(percent, 0 if percent == int(percent) else 1)}\u202f%", "middle")


def _rose_legend(bars: Sequence[dict[str, Any]], unit: str) -> Iterator[str]:
    left, top = _ROSE + 40, 60.0
    yield _text(left, top - 12, unit, "start")
    for place, bar in enumerate(bars):
        y = top + 18 * place
        yield f'<rect x="{left:.0f}" y="{y:.0f}" width="12" height="12" fill="{bar["marker"]["color"]}"/>'
        yield _text(left + 18, y + 10, _MARKUP.sub("", str(bar["name"])), "start")


def _scale(low: float, high: float) -> _Scale:
    room = (high - low) * 0.05 or max(abs(high), 1.0) * 0.05
    return _Scale(low - room if low else 0.0, high + room)


def _x(place: int, step: float) -> float:
    return _LEFT + (place + 0.5) * step


def _grid(scale: _Scale, sensor: Sensor) -> Iterator[str]:
    digits = 0 if all(tick == int(tick) for tick in scale.ticks) else max(1, min(sensor.decimals, 2))
    for tick in scale.ticks:
        y = scale.y(tick)
        yield f'<path d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="#e3e7eb"/>'
        yield _text(_LEFT - 5, y + 4, format_number(tick, digits), "end")


def _dates(days: Sequence[Day], step: float) -> Iterator[str]:
    """Days of the month under a month, months under a longer period."""
    few = len(days) <= 62
    for place, day in enumerate(days):
        number = int(day.date[8:10])
        if (few and (number == 1 or number % 5 == 0)) or (not few and number == 1):
            yield _text(_x(place, step), _HEIGHT - 5, str(number) if few else day.date[:7], "middle")


def _bars(values: Sequence[float | None], scale: _Scale, step: float, colour: str) -> Iterator[str]:
    wet = [(place, value) for place, value in enumerate(values) if value is not None and math.isfinite(value) and value > 0]
    path = "".join(f"M{_x(place, step):.1f} {scale.y(0.0):.1f}V{scale.y(value):.1f}" for place, value in wet)
    yield f'<path d="{path}" stroke="{colour}" stroke-width="{max(step * 0.8, 0.5):.2f}"/>'


def _band(lows: Sequence[float | None], highs: Sequence[float | None], scale: _Scale, step: float, colour: str) -> Iterator[str]:
    path = "".join(
        f"M{_x(place, step):.1f} {scale.y(low):.1f}V{scale.y(high):.1f}"
        for place, (low, high) in enumerate(zip(lows, highs, strict=True))
        if low is not None and high is not None and math.isfinite(low) and math.isfinite(high)
    )
    yield f'<path d="{path}" stroke="{colour}" stroke-width="{max(step * 0.9, 0.5):.2f}"/>'


def _line(values: Sequence[float], scale: _Scale, step: float, colour: str) -> Iterator[str]:
    """A line that breaks at days without readings; a day alone is a dot."""
    for run in _runs(values):
        points = [(_x(place, step), scale.y(values[place])) for place in run]
        if len(points) == 1:
            yield _dots(points, colour)
        else:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.4"/>'


def _runs(values: Sequence[float]) -> Iterable[list[int]]:
    run: list[int] = []
    for place, value in enumerate(values):
        if math.isfinite(value):
            run.append(place)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _dots(points: Iterable[tuple[float, float]], colour: str) -> str:
    """Dots as one path: a printed circle is sixteen curves, of each day some 300 bytes."""
    path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="4" stroke-linecap="round"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(width: float, height: float, body: Iterable[str]) -> str:
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img">{"".join(body)}</svg>'
