"""Plots of steps of time on a canvas: their names, legend and scales."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from data.catalogue import Sensor
from figures.canvas import TOP_PX, Canvas, arrange_plots, axis_key, canvas_layout, hidden_axes, plot_title
from figures.history import Figure
from figures.legend import legend_px, top_legend
from figures.notes import NOTE_PX, drawn_of, in_middle, note_above, note_lines
from figures.step_traces import Look, Steps, step_axes, step_trace
from figures.subjects import MOST_SUBJECTS
from figures.words import bucket_adjective
from i18n import gettext as _

_PLOT_PX: Final = {"overlay": 300, "side by side": 150, "difference": 240}
_SECOND_LINE_PX: Final = 16  # of a title


@dataclass(frozen=True)
class StepPanel:
    """A plot: its title as Plotly shows it, its sensor, ``window`` f8 axis ms, the length of a step
    in ms, and what is drawn. Plots of one ``scale`` share their range of values.
    """

    title: str
    sensor: Sensor
    window: tuple[float, float]
    width_ms: int
    drawn: tuple[tuple[Steps, Look], ...]
    scale: str

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(np.isfinite(steps.y).any() for steps, _look in self.drawn)


def step_figure(panels: Sequence[StepPanel], canvas: Canvas, form: str, said: Iterable[str], columns: int = 1) -> Figure:
    """Return plots with a note of what is ``said``, in at most so many columns."""
    shown = panels[:MOST_SUBJECTS]
    notes = note_lines([*drawn_of(len(shown), len(panels)), *filter(None, said)], canvas)
    named = {look.name for panel in shown for _steps, look in panel.drawn if look.listed}
    top_px = TOP_PX + NOTE_PX * len(notes) + (legend_px(len(named), max(map(len, named)), canvas.width_px) if named else 0)
    second_px = _SECOND_LINE_PX if any("<br>" in panel.title for panel in shown) else 0
    top_px += second_px
    places = arrange_plots(len(shown), canvas, columns=columns, plot_px=_PLOT_PX[form], top_px=top_px)
    layout = {**canvas_layout(canvas, places.height, top_px), "barmode": "overlay"}
    if named:
        layout |= {"showlegend": True, "legend": top_legend(canvas.style) | {"traceorder": "normal"}}
    layout["annotations"] = [{**note, "yshift": note["yshift"] + second_px} for note in note_above(notes, canvas.style)]
    data: list[dict[str, Any]] = []
    for number, (panel, plot) in enumerate(zip(shown, places.plots, strict=True)):
        layout["annotations"].append(plot_title(plot, panel.title, canvas.style))
        if panel.is_empty:
            layout["annotations"].append(in_middle(plot, _("No data in this window"), canvas.style))
            layout.update(hidden_axes(plot, number))
            continue
        alike = [steps.y for other in shown if other.scale == panel.scale for steps, _look in other.drawn]
        layout.update(step_axes(plot, number, panel.window, canvas, panel.sensor, form, alike))
        data += _traces(panel, {"xaxis": axis_key("x", number), "yaxis": axis_key("y", number)})
    return {"data": data, "layout": layout}


def _traces(panel: StepPanel, axes: dict[str, str]) -> list[dict[str, Any]]:
    several = len(panel.drawn)
    return [
        step_trace(steps, look, panel.sensor, panel.width_ms, axes, (number, several))
        for number, (steps, look) in enumerate(panel.drawn)
    ]


def said_steps(found: Iterable[tuple[str, Sensor]]) -> str:
    """Return what the points of some sensors are: ``daily means, weekly sums``."""
    kinds = dict.fromkeys((sensor.aggregation == "sum", bucket) for bucket, sensor in found)
    words = ((_("{bucket} sums") if sums else _("{bucket} means"), bucket_adjective(bucket)) for sums, bucket in kinds)
    return ", ".join(text.format(bucket=bucket) for text, bucket in words)


def scale_of(canvas: Canvas, subject: str, part: str) -> str:
    """Return the scale of a part of a subject: that of all its parts, or its own where the reader
    wants (``y`` of the canvas: ``same``, ``own``).
    """
    return f"{subject}\0{part}" if canvas.choice("y", ("same", "own")) == "own" else subject
