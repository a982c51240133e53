"""A figure as it leaves the site: on white, with its title, range, zone, source and date.

assets/picture.js makes the same of the page's figure, in the browser.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Final

from figures.history import Figure
from figures.template import STYLES
from figures.words import verbatim

_TITLE_PX: Final = 20  # height of a line of the title
_LETTER_PX: Final = 8  # of a letter of it
_RANGE_PX: Final = 26
_EDGE_PX: Final = 6  # above the title
_SOURCE_PX: Final = 24
_LEAST_LETTERS: Final = 24  # of a line of the title, however narrow


@dataclass(frozen=True)
class Caption:
    """What a picture says of itself, in the reader's language: plain text."""

    title: str
    range: str
    source: str


def framed(figure: Figure, caption: Caption, width_px: int, hidden: Collection[str] = ()) -> Figure:
    """Return a figure of the light theme with room for its caption, as wide as ``width_px`` in all.

    Series whose key (figures/placed_series.py) is in ``hidden`` are left out. What only the
    page needs (``layout.meta``) is, too.
    """
    layout = {name: value for name, value in figure["layout"].items() if name not in ("meta", "uirevision", "autosize")}
    margin = {"l": 0, "r": 0, "t": 0, "b": 0, **layout.get("margin", {})}
    title = wrap(caption.title, max(_LEAST_LETTERS, (width_px - margin["l"] - margin["r"]) // _LETTER_PX)) or [""]
    above = _EDGE_PX + len(title) * _TITLE_PX + _RANGE_PX
    height = layout["height"] + above + _SOURCE_PX
    style, top = STYLES["light"], margin["t"]
    notes = [
        _note(f"<b>{'<br>'.join(map(verbatim, title))}</b>", top + _RANGE_PX - 4, 15, style.ink),
        _note(verbatim(caption.range), top + 6, 12, style.muted),
        _note(verbatim(caption.source), 4 - margin["b"], 11, style.muted),
    ]
    return {
        "data": [trace for trace in figure["data"] if trace.get("legendgroup") not in hidden],
        "layout": {
            **layout,
            "width": width_px,
            "height": height,
            "paper_bgcolor": style.ground,
            "plot_bgcolor": style.ground,
            "margin": {**margin, "t": top + above, "b": margin["b"] + _SOURCE_PX},
            "annotations": [*layout.get("annotations", ()), *notes],
            **_legends(layout, above / height),
        },
    }


def _note(text: str, up_px: int, size: int, colour: str) -> dict[str, Any]:
    """A line above the plots, or below them where ``up_px`` is negative."""
    place = {"y": 1, "yanchor": "bottom"} if up_px > 0 else {"y": 0, "yanchor": "top"}
    where = {"x": 0, "xanchor": "left", "xref": "paper", "yref": "paper", "yshift": up_px, "align": "left"}
    return {"text": text, **place, **where, "showarrow": False, "font": {"size": size, "color": colour}}


def _legends(layout: dict[str, Any], down: float) -> dict[str, Any]:
    """Legends at the top of the figure, moved to beneath its caption; ``down`` is a share of its
    height.
    """
    names: Sequence[str] = [name for name in layout if name.startswith("legend")]
    return {name: {**layout[name], "y": 1 - down} for name in names if layout[name].get("yref") == "container"}
