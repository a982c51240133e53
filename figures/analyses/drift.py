"""A series beside its neighbours: a point a month with the spread of its days, the line of its
drift, and the level before and after its most likely break.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.drift import Drift
from data.arrays import Bools, Floats, Integers
from data.catalogue import Catalogue, Sensor
from figures.canvas import TOP_PX, Canvas, Plot, arrange_plots, axis_key, axis_name, canvas_layout, hidden_axes, plot_title
from figures.drift_words import cautions, compared_as, lack_words
from figures.history import Figure
from figures.legend import legend_px, top_legend
from figures.notes import NOTE_PX, drawn_of, in_middle, no_data, note_above, note_lines
from figures.subjects import HOVER, MOST_SUBJECTS, period_doors, sensor_of, signed_number, subject_title
from figures.template import Style, axis_style, series_colour, translucent
from figures.words import tick_formats, verbatim
from i18n import format_month, format_number, ngettext
from i18n import gettext as _

SEASONS: Final = ("removed", "kept")
_EPOCH: Final = 1970 * 12  # months
_MIDDLE: Final = np.timedelta64(14, "D")  # of a month


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return a plot a series: ``season`` of the canvas is ``removed`` or ``kept``. A point is a
    door to its month.
    """
    if not answer.subjects:
        return no_data(canvas)
    drawn = answer.subjects[:MOST_SUBJECTS]
    names = _names()
    chance = [_("Dashed: may be chance.")] if any(subject.result.trend for subject in drawn) else []
    lines = note_lines([*drawn_of(len(drawn), len(answer.subjects)), *chance, *cautions(drawn)], canvas)
    top_px = TOP_PX + NOTE_PX * len(lines) + legend_px(len(names), max(map(len, names)), canvas.width_px)
    plot_px = 300 if len(drawn) == 1 else 170
    plots = arrange_plots(len(drawn), canvas, columns=1, plot_px=plot_px, top_px=top_px)
    layout = {**canvas_layout(canvas, plots.height, top_px), "showlegend": True, "legend": top_legend(canvas.style)}
    notes, data = note_above(lines, canvas.style), []
    listed = True  # in the legend, once
    for place, (subject, plot) in enumerate(zip(drawn, plots.plots, strict=True)):
        panel = _Panel(answer, subject, sensor_of(subject, catalogue), canvas, listed)
        notes.append(plot_title(plot, panel.title(catalogue), canvas.style))
        if not panel.there.any():
            notes.append(in_middle(plot, verbatim(lack_words(panel.result) or _("No data")), canvas.style))
            layout.update(hidden_axes(plot, place))
            continue
        listed = listed and panel.result.trend is None
        axes = {"xaxis": axis_key("x", place), "yaxis": axis_key("y", place)}
        data += [{**trace, **axes} for trace in panel.traces()]
        layout.update(panel.axes(plot, place))
    return {"data": data, "layout": {**layout, "annotations": notes}}


def _names() -> tuple[str, str, str]:
    return _("Month"), _("Drift"), _("Most likely break")


@dataclass(frozen=True)
class _Panel:
    """One series, and how it is drawn; ``listed``: its lines are in the legend."""

    answer: Answer
    subject: SubjectAnswer
    whole: Sensor
    canvas: Canvas
    listed: bool

    @property
    def result(self) -> Drift:
        found: Drift = self.subject.result
        return found

    @cached_property
    def sensor(self) -> Sensor:
        """The sensor in the unit of its differences."""
        return compared_as(self.whole, self.result)

    @cached_property
    def periods(self) -> tuple[np.ndarray, Integers]:
        """The first day of each month, and its window in ms UTC."""
        return period_doors(self.answer, "1mo", self.whole)

    @property
    def dates(self) -> np.ndarray:
        return self.periods[0]

    @cached_property
    def there(self) -> Bools:
        return np.isfinite(self.result.value)

    @property
    def value(self) -> Floats:
        without = self.canvas.choice("season", SEASONS) == "removed" and self.result.trend is not None
        return self.result.seasonless if without else self.result.value

    @property
    def spread(self) -> tuple[Floats, Floats]:
        """How far the quartiles of the days lie below and above, f8[m]; 0 where there are none."""
        result = self.result
        return np.nan_to_num(result.value - result.low), np.nan_to_num(result.high - result.value)

    def title(self, catalogue: Catalogue) -> str:
        """The station, its sensor, and what it is compared with."""
        number = len(self.result.neighbours)
        words = ngettext("{number} neighbour", "{number} neighbours", number).format(number=format_number(number))
        more = lack_words(self.result) if self.there.any() and self.result.lacks else words
        return subject_title(self.subject, catalogue, more if number else "", self.canvas.width_px)

    def traces(self) -> list[dict[str, Any]]:
        """Points, and what was found in them."""
        return [self._points(), *self._found()]

    def _points(self) -> dict[str, Any]:
        there = self.there
        colour = series_colour(self.sensor.color, self.canvas.style)
        value = self.value[there]
        below, above = (each[there] for each in self.spread)
        spread = {"type": "data", "array": above.tolist(), "arrayminus": below.tolist(), "symmetric": False}
        look = {"color": translucent(colour, 0.35), "thickness": 1, "width": 0, "visible": bool((above + below).any())}
        return {
            **self._named(0),
            "mode": "markers",
            "x": self._at(np.flatnonzero(there)),
            "y": value.tolist(),
            "error_y": {**spread, **look},
            "marker": {"color": colour, "size": 5, "line": {"width": 0}},
            "customdata": [
                [*self.periods[1][place].tolist(), self._said(int(place), one)]
                for place, one in zip(np.flatnonzero(there), value.tolist(), strict=True)
            ],
            "hovertemplate": HOVER,
        }

    def _said(self, place: int, value: float) -> str:
        result = self.result
        month = format_month(int(self.dates[place].astype("datetime64[M]").astype(np.int64)) + _EPOCH)
        days = ngettext("{number} day", "{number} days", int(result.days[place])).format(
            number=format_number(int(result.days[place]))
        )
        number = int(result.stations[place])
        stations = ngettext("{number} neighbour", "{number} neighbours", number).format(number=format_number(number))
        return f"<b>{month}</b><br>{verbatim(self._amount(value))}<br>{days} · {stations}"

    def _amount(self, value: float) -> str:
        return signed_number(value, self.sensor).removeprefix("+" if self.whole.aggregation == "sum" else "")

    def _found(self) -> list[dict[str, Any]]:
        """The line of the drift and the steps of the break; dashed where they may be chance."""
        trend, found = self.result.trend, self.result.likely_break
        if trend is None or found is None:
            return []
        places = np.flatnonzero(self.there)
        months = self.dates.astype("datetime64[M]").astype(np.int64)
        ends = places[[0, -1]]
        rise = trend.slope * float(months[ends[1]] - months[ends[0]]) / 12
        at = int(np.searchsorted(self.periods[1][:, 1], int(found.month), "right"))
        x = [*self._at(ends[:1]), str(self.dates[at]), str(self.dates[at]), *self._at(ends[1:])]
        style = self.canvas.style
        line, step = _line(style.ink, dashed=not trend.significant), _line(_red(style), dashed=not found.significant)
        return [
            {**self._named(1), "mode": "lines", "x": self._at(ends), "y": [trend.middle, trend.middle + rise], "line": line},
            {**self._named(2), "mode": "lines", "x": x, "y": [found.before] * 2 + [found.after] * 2, "line": step},
        ]

    def _named(self, number: int) -> dict[str, Any]:
        name = _names()[number]
        return {"type": "scatter", "name": name, "legendgroup": str(number), "showlegend": self.listed, "hoverinfo": "skip"}

    def _at(self, places: np.ndarray) -> list[str]:
        return [str(day) for day in self.dates[places] + _MIDDLE]

    def axes(self, plot: Plot, number: int) -> dict[str, Any]:
        """The axes of the plot, with a line where station and neighbours agree, if it is there."""
        style = self.canvas.style
        axis = {**axis_style(style), "fixedrange": True}
        ends = [str(self.dates[0]), str(self.dates[-1] + 2 * _MIDDLE)]
        below, above = self.spread
        least, most = float((self.value - below)[self.there].min()), float((self.value + above)[self.there].max())
        room = (most - least) * 0.05 or 1.0
        grid = {"zeroline": self.whole.aggregation != "sum", "zerolinecolor": style.muted}
        return {
            axis_name("x", number): {
                **axis,
                "type": "date",
                "domain": plot.domain["x"],
                "anchor": axis_key("y", number),
                "range": ends,
                "showline": True,
                "showgrid": False,
                "tickformatstops": tick_formats(),
                "nticks": min(12, max(3, self.canvas.width_px // 80)),
            },
            axis_name("y", number): {
                **axis,
                **grid,
                "domain": plot.domain["y"],
                "anchor": axis_key("x", number),
                "automargin": "left",
                "nticks": 6,
                "ticksuffix": f" {verbatim(self.sensor.unit)}",
                "showticksuffix": "last",
                "range": [least - room, most + room],
            },
        }


def _line(colour: str, *, dashed: bool) -> dict[str, Any]:
    return {"color": colour, "width": 1.6, "dash": "5px,4px" if dashed else "solid"}


def _red(style: Style) -> str:
    return series_colour("#d1242f", style)
