"""What an analysis is drawn on: a style, a width, how its reader wants it, and a grid of plots."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from figures.panels import MARGIN_LEFT, MARGIN_RIGHT, PHONE_PX
from figures.template import Style, base_layout
from figures.words import separators

TITLE_PX: Final = 26  # a plot's name above it
GAP_PX: Final = 46  # between rows of plots, for the labels of the upper one
TOP_PX: Final = 8  # above all plots
BOTTOM_PX: Final = 42  # below the lowest plot, for its labels


@dataclass(frozen=True)
class Canvas:
    """``width_px`` is the plot's width, without the margins of the history figure; ``drawing`` are
    the reader's choices that change the picture and no number, as texts of the address.
    """

    style: Style
    width_px: int
    drawing: Mapping[str, str] = field(default_factory=dict)

    @property
    def phone(self) -> bool:
        """Whether it is as narrow as a phone."""
        return self.width_px < PHONE_PX

    def choice(self, name: str, known: tuple[str, ...]) -> str:
        """Return the reader's choice of a drawing control; the first where it is none of them."""
        chosen = self.drawing.get(name, "")
        return chosen if chosen in known else known[0]


@dataclass(frozen=True)
class Plot:
    """A place on the canvas: shares of its width and height, 0..1, from the left and the bottom."""

    left: float
    right: float
    bottom: float
    top: float

    @property
    def domain(self) -> dict[str, list[float]]:
        """``x`` and ``y`` as Plotly's domains."""
        return {"x": [self.left, self.right], "y": [self.bottom, self.top]}


@dataclass(frozen=True)
class Plots:
    """Plots in rows, the first at the top left, and the figure's height and top margin in px."""

    plots: tuple[Plot, ...]
    columns: int
    height: int
    top_px: int


def arrange_plots(
    number: int, canvas: Canvas, *, columns: int, plot_px: int, gap_px: int = GAP_PX, top_px: int = TOP_PX
) -> Plots:
    """Return places of ``number`` plots of ``plot_px`` height in at most so many columns, each with
    room of :data:`TITLE_PX` for its name above it. ``gap_px`` is between rows and columns.
    """
    across = max(1, min(columns, number))
    rows = math.ceil(number / across)
    height = rows * (plot_px + TITLE_PX) + (rows - 1) * gap_px
    gap = gap_px / max(canvas.width_px, 1)
    width = (1 - gap * (across - 1)) / across
    plots = []
    for place in range(number):
        row, column = divmod(place, across)
        left = column * (width + gap)
        top = 1 - (row * (plot_px + TITLE_PX + gap_px) + TITLE_PX) / height
        plots.append(Plot(left, min(left + width, 1.0), max(top - plot_px / height, 0.0), top))
    return Plots(tuple(plots), across, height + top_px + BOTTOM_PX, top_px)


def canvas_layout(canvas: Canvas, height: int, top_px: int = TOP_PX) -> dict[str, Any]:
    """Return what layouts of analyses share. Their axes are not dragged: a window is chosen on the
    overview and in Trend.
    """
    return {
        **base_layout(canvas.style),
        "height": height,
        "autosize": True,
        "margin": {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": top_px, "b": BOTTOM_PX, "pad": 0},
        "separators": separators(),
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": False,
    }


def plot_title(plot: Plot, text: str, style: Style) -> dict[str, Any]:
    """Return an annotation with a plot's name above it, at its left."""
    return {
        "text": text,
        "x": plot.left,
        "y": plot.top,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
        "align": "left",
        "font": {"size": 12.5, "color": style.ink},
    }


def axis_key(letter: str, number: int) -> str:
    """Return Plotly's name of an axis in a trace: ``x``, ``x2``; ``number`` from 0 on."""
    return letter if number == 0 else f"{letter}{number + 1}"


def axis_name(letter: str, number: int) -> str:
    """Return Plotly's name of an axis in a layout: ``xaxis``, ``xaxis2``; ``number`` from 0 on."""
    return f"{letter}axis" if number == 0 else f"{letter}axis{number + 1}"


def hidden_axes(plot: Plot, number: int) -> dict[str, Any]:
    """Return the axes of a plot without a scale, so that Plotly invents none."""
    domain = plot.domain
    x, y = axis_key("x", number), axis_key("y", number)
    return {
        axis_name("x", number): {"visible": False, "fixedrange": True, "domain": domain["x"], "anchor": y},
        axis_name("y", number): {"visible": False, "fixedrange": True, "domain": domain["y"], "anchor": x},
    }
