"""Stations beside each other: lines of one sensor over each other, a station a plot, or what each
differs from the one that others are compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.differences import Differences
from data.catalogue import Catalogue, Sensor
from data.time.buckets import BY_NAME, bucket_edges
from data.time.epoch import DAY_MS
from data.view.spread import MOST_TOLD_APART
from escaping import visible
from figures.canvas import Canvas
from figures.history import Figure
from figures.legend import shortened
from figures.notes import no_data
from figures.step_panels import StepPanel, said_steps, scale_of, step_figure
from figures.step_traces import Look, Steps, doors_of
from figures.subjects import sensor_of
from figures.template import series_colour
from figures.wallclock import WallClock
from figures.words import bucket_ms, verbatim
from figures.year_lines import FORMS
from i18n import current_language
from i18n import gettext as _

_LETTERS: Final = 28  # of a station in the legend


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return the stations of each sensor: ``as`` of the canvas is ``overlay``, ``side by side`` or
    ``difference``. A point is a door to its step.
    """
    if not answer.subjects:
        return no_data(canvas)
    form = canvas.choice("as", FORMS)
    found = [_Stations(answer, subject, catalogue, canvas) for subject in answer.subjects]
    seen: set[str] = set()
    panels: list[StepPanel] = []
    for each in found:
        panels += each.panels(form, frozenset(seen))
        seen |= set(each.result.stations)
    said = [said_steps((each.result.bucket, each.sensor) for each in found)]
    if form == "difference":
        bases = dict.fromkeys(visible(each.result.base) for each in found)
        said.append(_("less {station}").format(station=", ".join(bases)))
    columns = 1 if canvas.phone or form != "side by side" else 2
    return step_figure(panels, canvas, form, said, columns)


@dataclass(frozen=True)
class _Stations:
    """One sensor of several stations, and how it is drawn."""

    answer: Answer
    subject: SubjectAnswer
    catalogue: Catalogue
    canvas: Canvas

    @property
    def result(self) -> Differences:
        found: Differences = self.subject.result
        return found

    @property
    def sensor(self) -> Sensor:
        return sensor_of(self.subject, self.catalogue)

    def panels(self, form: str, listed: frozenset[str]) -> list[StepPanel]:
        """Return the plots of a form; stations in ``listed`` are in the legend already."""
        result = self.result
        stations = [name for name in result.stations if form != "difference" or name != result.base]
        values = result.difference if form == "difference" else result.values
        steps = self._steps()
        drawn = {
            name: (Steps(steps.x, values[result.stations.index(name)], steps.doors, steps.clock), self._look(name, form, listed))
            for name in stations
        }
        label = verbatim(self.sensor.label(current_language()))
        if form == "side by side":
            return [self._panel(f"<b>{pair[1].name}</b> · {label}", [pair], name) for name, pair in drawn.items()]
        behind = sorted(drawn, key=lambda name: not drawn[name][1].quiet)  # what is coloured lies over what is grey
        return [self._panel(f"<b>{label}</b>", [drawn[name] for name in behind], "")]

    def _panel(self, title: str, drawn: Sequence[tuple[Steps, Look]], part: str) -> StepPanel:
        scale = scale_of(self.canvas, self.sensor.name, part)
        return StepPanel(title, self.sensor, self._clock.window, bucket_ms(self.result.bucket), tuple(drawn), scale)

    def _look(self, station: str, form: str, listed: frozenset[str]) -> Look:
        """Each station has its hue while they are few; of many only the one compared with."""
        stations = sorted(self.result.stations)  # as Trend has them
        many = len(stations) > MOST_TOLD_APART
        quiet = many and (station != self.result.base or form == "difference")
        hue, style = 0 if many else stations.index(station), self.canvas.style
        colour = style.many if quiet else series_colour(self.sensor.color, style, hue, 2)
        return Look(self._names[station], colour, hue, quiet=quiet, listed=form != "side by side" and station not in listed)

    @property
    def _names(self) -> dict[str, str]:
        whole = {name: visible(name) for name in self.result.stations}
        return {name: verbatim(text) for name, text in shortened(whole, _LETTERS).items()}

    @property
    def _clock(self) -> WallClock:
        return WallClock(self.answer.start_ms, self.answer.end_ms, self.answer.timezone)

    def _steps(self) -> Steps:
        """Where steps are on the axis, and to which windows they lead."""
        answer, bucket = self.answer, BY_NAME[self.result.bucket]
        edges = bucket_edges(bucket, answer.start_ms, answer.end_ms, answer.timezone, self.sensor.day_start_min)
        starts = edges[:-1].astype(np.float64)
        clock = self._clock.bucket_to_axis(starts)
        x = clock if bucket.usual_ms >= DAY_MS else self._clock.to_axis(starts)
        return Steps(np.maximum(x, self._clock.window[0]), np.empty(0), doors_of(edges[:-1], edges[1:]), clock)
