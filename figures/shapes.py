"""Shapes in the panels of Trend: what is not loaded, thresholds, suspect readings, and where people
decided about readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from data.catalogue import Catalogue
from data.decision import Decision
from data.view.records import HistoryView
from figures.panels import Key, Panels
from figures.template import Style
from figures.trend_options import Threshold, has_line
from figures.wallclock import WallClock
from figures.words import threshold_words, verbatim

_SUSPECT_PX: Final = 4  # height of a mark
_DECIDED_PX: Final = 3
_APART_PX: Final = 2  # marks of decisions that are nearer are one


def pending_shapes(
    view: HistoryView, spans: Sequence[tuple[int, int]], text: str, clock: WallClock, style: Style
) -> list[dict[str, Any]]:
    """Return a tint where data is still to come, with words in the widest span once."""
    inside = [(max(start, view.start_ms), min(end, view.end_ms)) for start, end in spans]
    inside = [span for span in inside if span[0] < span[1]]
    tint = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 0}, "layer": "below"}
    shapes: list[dict[str, Any]] = [
        {**tint, "x0": float(start + clock.offset_ms), "x1": float(end + clock.offset_ms), "fillcolor": style.pending}
        for start, end in inside
    ]
    if shapes and text:
        widest = max(range(len(inside)), key=lambda place: inside[place][1] - inside[place][0])
        font = {"size": 11.5, "color": style.muted}
        shapes[widest]["label"] = {"text": text, "textposition": "top center", "padding": 16, "font": font}
    return shapes


def threshold_shapes(
    thresholds: tuple[Threshold, ...], panels: Panels, view: HistoryView, catalogue: Catalogue, style: Style
) -> Iterator[dict[str, Any]]:
    """Yield a line in each panel that shows the sensor of a threshold."""
    for threshold in thresholds:
        sensor = catalogue[threshold.sensor]
        if not has_line(threshold, view):
            continue
        text = verbatim(threshold_words(threshold.kind, threshold.value, sensor))
        font = {"size": 11, "color": style.muted}
        side = "bottom" if threshold.kind == "above" else "top"
        for panel in panels.panels:
            if sensor in panel.sensors:
                yield {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "yref": panel.axis,
                    "y0": threshold.value,
                    "y1": threshold.value,
                    "line": {"color": style.muted, "width": 1, "dash": "4px,3px"},
                    "label": {"text": text, "textposition": "end", "yanchor": side, "font": font},
                }


def flag_shapes(view: HistoryView, panels: Panels, clock: WallClock, style: Style) -> Iterator[dict[str, Any]]:
    """Yield a thin mark in a series' panel for each stretch of suspect readings."""
    for marks in view.marks:
        panel = panels.of(marks.station, marks.sensor)
        foot = {"type": "rect", "xref": "x", "yref": f"{panel.axis} domain", "y0": 0, "y1": _SUSPECT_PX / panel.height_px}
        look = {"fillcolor": style.ink, "opacity": 0.65, "line": {"width": 0}, "layer": "above"}
        for start, end in zip(clock.to_axis(marks.start).tolist(), clock.to_axis(marks.end).tolist(), strict=True):
            yield {**foot, **look, "x0": start, "x1": end}


def decision_shapes(
    decisions: Mapping[Key, Sequence[Decision]], view: HistoryView, panels: Panels, clock: WallClock, style: Style, width_px: int
) -> Iterator[dict[str, Any]]:
    """Yield a thin mark in a series' panel for each stretch of the window of which anything was
    decided; ``decisions`` are those in force about the series that are drawn.
    """
    apart = _APART_PX * (view.end_ms - view.start_ms) / max(width_px, 1)
    for key, made in decisions.items():
        panel = panels.of(*key)
        place = {"type": "rect", "xref": "x", "yref": f"{panel.axis} domain", "y0": 1 - _DECIDED_PX / panel.height_px, "y1": 1}
        look = {"fillcolor": style.muted, "line": {"width": 1, "color": style.muted}, "layer": "above"}
        for start, end in _stretches(made, view, apart):
            yield {**place, **look, "x0": float(start + clock.offset_ms), "x1": float(end + clock.offset_ms)}


def _stretches(made: Sequence[Decision], view: HistoryView, apart: float) -> list[tuple[int, int]]:
    """Return where decisions are in a window, ms UTC; what is nearer than ``apart`` is one."""
    inside = sorted((max(one.start_ms, view.start_ms), min(one.end_ms, view.end_ms)) for one in made)
    found: list[tuple[int, int]] = []
    for start, end in inside:
        if start > end:
            continue
        if found and start - found[-1][1] < apart:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
