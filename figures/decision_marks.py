"""Marks at the top of a panel, where people decided about readings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from data.decision import Decision
from data.view.records import HistoryView
from figures.panels import Key, Panels
from figures.template import Style
from figures.wallclock import WallClock

_HEIGHT_PX: Final = 3
_APART_PX: Final = 2  # marks that are nearer are one


def decision_shapes(
    decisions: Mapping[Key, Sequence[Decision]], view: HistoryView, panels: Panels, clock: WallClock, style: Style, width_px: int
) -> Iterator[dict[str, Any]]:
    """Yield a thin mark in a series' panel for each stretch of the window of which anything was
    decided; ``decisions`` are those in force about the series that are drawn.
    """
    apart = _APART_PX * (view.end_ms - view.start_ms) / max(width_px, 1)
    for key, made in decisions.items():
        panel = panels.of(*key)
        place = {"type": "rect", "xref": "x", "yref": f"{panel.axis} domain", "y0": 1 - _HEIGHT_PX / panel.height_px, "y1": 1}
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
