"""A window and an earlier one: over each other, side by side, or how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.earlier import Earlier, Side
from data.arrays import Floats
from data.catalogue import Catalogue, Sensor
from data.time.epoch import MINUTE_MS
from data.time.zones import ZoneOffsets, zone_of
from figures.canvas import Canvas
from figures.history import Figure
from figures.notes import no_data
from figures.step_panels import StepPanel, said_steps, scale_of, step_figure
from figures.step_traces import Look, Steps, doors_of
from figures.subjects import sensor_of, signed_number, subject_title
from figures.template import series_colour
from figures.words import bucket_ms, verbatim
from figures.year_lines import FORMS
from i18n import format_range
from i18n import gettext as _

_THIS: Final = "#D55E00"


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return each series with itself at an earlier time, over the clock of this window: ``as`` of
    the canvas is ``overlay``, ``side by side`` or ``difference``. A point is a door to its step.
    """
    if not answer.subjects:
        return no_data(canvas)
    form = canvas.choice("as", FORMS)
    columns = 2 if form == "side by side" and not canvas.phone else 1
    width_px = canvas.width_px / columns
    panels = [
        panel
        for number, subject in enumerate(answer.subjects)
        for panel in _Pair(answer, subject, catalogue, canvas).panels(form, width_px, listed=number == 0)
    ]
    said = said_steps((subject.result.bucket, sensor_of(subject, catalogue)) for subject in answer.subjects)
    return step_figure(panels, canvas, form, [said], columns)


@dataclass(frozen=True)
class _Pair:
    """Both windows of one series, and how they are drawn."""

    answer: Answer
    subject: SubjectAnswer
    catalogue: Catalogue
    canvas: Canvas

    @property
    def result(self) -> Earlier:
        found: Earlier = self.subject.result
        return found

    @property
    def sensor(self) -> Sensor:
        return sensor_of(self.subject, self.catalogue)

    def panels(self, form: str, width_px: float, *, listed: bool) -> list[StepPanel]:
        """Return the plots of a form; the legend names the windows where ``listed``."""
        this, before = self.result.this, self.result.earlier
        title = subject_title(self.subject, self.catalogue, self._change(), width_px)
        if form == "difference":
            colour = series_colour(self.sensor.color, self.canvas.style)
            return [self._panel(this, title, [(self._steps(this, this, self.result.difference), Look("", colour))])]
        sides = {before: self.result.before, this: self.result.values}
        if form == "overlay":
            drawn = [(self._steps(side, this, values), self._look(side, listed=listed)) for side, values in sides.items()]
            return [self._panel(this, title, drawn)]
        return [
            self._panel(side, self._side_title(side, width_px), [(self._steps(side, side, values), self._look(side))])
            for side, values in sides.items()
        ]

    def _panel(self, side: Side, title: str, drawn: Sequence[tuple[Steps, Look]]) -> StepPanel:
        start, end = self._wall(side.from_), self._wall(side.to_)
        scale = scale_of(self.canvas, f"{self.subject.station}\0{self.sensor.name}", str(side.from_))
        return StepPanel(title, self.sensor, (start, end), bucket_ms(self.result.bucket), tuple(drawn), scale)

    def _look(self, side: Side, *, listed: bool = False) -> Look:
        later = side is self.result.this
        colour = series_colour(_THIS, self.canvas.style) if later else self.canvas.style.muted
        return Look(self._name(side), colour, quiet=not later, listed=listed)

    def _name(self, side: Side) -> str:
        return verbatim(format_range(side.from_, side.to_, self.answer.timezone))

    def _steps(self, side: Side, over: Side, values: Floats) -> Steps:
        """Steps of one window, drawn over the clock of one of the two."""
        since = self.result.minutes.astype(np.float64) * MINUTE_MS
        clock = self._wall(side.from_) + since
        starts = np.maximum.accumulate(np.maximum(self._offsets.to_utc(clock.astype(np.int64)), int(side.from_)))
        ends = np.append(starts[1:], int(side.to_))
        return Steps(self._wall(over.from_) + since, values, doors_of(starts, ends), clock)

    @property
    def _offsets(self) -> ZoneOffsets:
        return ZoneOffsets(zone_of(self.answer.timezone), int(self.result.earlier.from_), int(self.result.this.to_))

    def _wall(self, time_ms: int) -> float:
        return float(self._offsets.to_wall(np.array([int(time_ms)]))[0])

    def _side_title(self, side: Side, width_px: float) -> str:
        name = subject_title(self.subject, self.catalogue, "", width_px)
        return f"{name}<br><span style='font-size:11px'>{self._name(side)}</span>"

    def _change(self) -> str:
        change = self.result.change
        if change != change:
            return ""
        number = signed_number(change, self.sensor)
        sums = self.sensor.aggregation == "sum"
        return (_("total {change}") if sums else _("mean {change}")).format(change=number)
