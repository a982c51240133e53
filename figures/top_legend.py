"""A legend above all plots of a canvas, in as many rows as its names need."""

from __future__ import annotations

from typing import Any, Final

from figures.canvas import Canvas
from figures.legend import KEY_PX, LETTER_PX
from figures.panels import LEGEND_ROW_PX
from figures.template import FONT, Style

_BENEATH_PX: Final = 6


def top_legend(style: Style) -> dict[str, Any]:
    """Return what a layout says of the legend."""
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "xref": "paper",
        "y": 1,
        "yanchor": "top",
        "yref": "container",
        "font": {"family": FONT, "size": 12, "color": style.ink},
        "bgcolor": "rgba(0,0,0,0)",
        "itemsizing": "trace",
        "tracegroupgap": 0,
        "groupclick": "togglegroup",
    }


def legend_px(entries: int, letters: int, canvas: Canvas) -> int:
    """Return the height of a legend, in px, with names of at most so many letters."""
    across = max(1, int(canvas.width_px // (letters * LETTER_PX + KEY_PX)))
    return LEGEND_ROW_PX * -(-entries // across) + _BENEATH_PX
