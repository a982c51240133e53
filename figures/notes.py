"""Sentences on a canvas: above all plots, in the middle of one, in place of all of them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Final

from figures.canvas import Canvas, Plot, canvas_layout
from figures.history import Figure
from figures.legend import LETTER_PX
from figures.template import Style
from figures.words import verbatim
from i18n import format_number
from i18n import gettext as _

NOTE_PX: Final = 17  # a line above all plots
SENTENCE_PX: Final = 240  # height of a figure that only says something


def drawn_of(drawn: int, answered: int) -> list[str]:
    """Return the sentence that not all plots are drawn; none where all are."""
    if drawn >= answered:
        return []
    text = _("{drawn} of {answered} plots drawn. Choose fewer series to see the others.")
    return [text.format(drawn=format_number(drawn), answered=format_number(answered))]


def note_lines(texts: Sequence[str], canvas: Canvas) -> list[str]:
    """Return sentences in lines that the canvas has room for."""
    room = max(20, int(canvas.width_px / (LETTER_PX * 0.9)))
    return [line for text in texts for line in textwrap.wrap(text, room)]


def note_above(lines: Sequence[str], style: Style) -> list[dict[str, Any]]:
    """Return an annotation above all plots; its lines are of :data:`NOTE_PX`."""
    if not lines:
        return []
    place = {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 3}
    font = {"size": 11.5, "color": style.muted}
    return [{"text": "<br>".join(map(verbatim, lines)), **place, "showarrow": False, "align": "left", "font": font}]


def in_middle(plot: Plot, text: str, style: Style) -> dict[str, Any]:
    """Return an annotation in the middle of a plot, such as why it is empty; ``text`` as Plotly
    shows it.
    """
    middle = {"x": (plot.left + plot.right) / 2, "y": (plot.bottom + plot.top) / 2, "xref": "paper", "yref": "paper"}
    middle |= {"xanchor": "center", "yanchor": "middle", "align": "center"}
    return {"text": text, **middle, "showarrow": False, "font": {"size": 12.5, "color": style.muted}}


def sentence_figure(sentence: str, canvas: Canvas) -> Figure:
    """Return a figure that says why there is no picture."""
    words = {"text": "<br>".join(textwrap.wrap(verbatim(sentence), max(24, canvas.width_px // 8)))}
    place = {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    note = {**words, **place, "font": {"size": 14, "color": canvas.style.ink}}
    layout = {
        **canvas_layout(canvas, SENTENCE_PX),
        "xaxis": {"visible": False},
        "yaxis": {"visible": False},
        "annotations": [note],
    }
    return {"data": [], "layout": layout}


def no_data(canvas: Canvas) -> Figure:
    """Return the figure of an answer without any subject."""
    return sentence_figure(_("No data"), canvas)
