"""An answer to its picture, by the file of its name in figures/analyses/."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from analysis.answer import Answer
from data.catalogue import Catalogue
from data.request import HistoryRequest
from figures.canvas import Canvas
from figures.history import Figure, Span
from figures.subjects import subjects_in_order


def analysis_figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return the picture of an answer: ``data`` and ``layout``, with its height.

    A point that is a door has ``customdata`` that begins with the window it leads to, two int ms
    UTC.
    """
    ordered = subjects_in_order(answer, catalogue)
    drawn: dict[str, Any] = import_module(f"figures.analyses.{answer.analysis}").figure(ordered, catalogue, canvas)
    return drawn


def of_window(figure: Figure, request: HistoryRequest, span: Span, sequence: int, ground: str, picture: str) -> Figure:
    """Tell the page in ``layout.meta`` of which window of a request (ms UTC) a picture is, as
    :func:`figures.history.history_figure` does; ``still`` says that its axes are not time.
    """
    figure["layout"]["meta"] = {
        "start": span[0],
        "end": span[1],
        "whole": [request.start_ms, request.end_ms],
        "offset": 0,
        "sequence": sequence,
        "ground": ground,
        "height": figure["layout"]["height"],
        "picture": picture,
        "still": True,
    }
    return figure
