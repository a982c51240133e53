"""Marks at the foot of a panel, where readings are suspect by a rule of quality control."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from data.view.records import HistoryView
from figures.panels import Panels
from figures.template import Style
from figures.wallclock import WallClock

_HEIGHT_PX: Final = 4


def flag_shapes(view: HistoryView, panels: Panels, clock: WallClock, style: Style) -> Iterator[dict[str, Any]]:
    """Yield a thin mark in a series' panel for each stretch of suspect readings."""
    for marks in view.marks:
        panel = panels.of(marks.station, marks.sensor)
        foot = {"type": "rect", "xref": "x", "yref": f"{panel.axis} domain", "y0": 0, "y1": _HEIGHT_PX / panel.height_px}
        look = {"fillcolor": style.ink, "opacity": 0.65, "line": {"width": 0}, "layer": "above"}
        for start, end in zip(clock.to_axis(marks.start).tolist(), clock.to_axis(marks.end).tolist(), strict=True):
            yield {**foot, **look, "x0": start, "x1": end}
