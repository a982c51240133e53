"""Answers made by hand, for tests of pictures and lists of analyses: no tile behind them."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go

from analysis.answer import Answer, SubjectAnswer
from data.catalogue import load_catalogue
from figures.analysis_figure import analysis_figure
from figures.canvas import Canvas
from figures.template import style_of

CATALOGUE = load_catalogue()
ZONE = "America/New_York"
ODD_NAMES = ("%{y}", "<b>", "sensor__proto__7", "a\u202eb", "")


def at(text: str, zone: str = ZONE) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def subject(result: Any, station: str = "JFK", sensor: str = "temperature", rows: int = 1) -> SubjectAnswer:
    return SubjectAnswer(station, (sensor,), (CATALOGUE[sensor].unit,), rows, result)


def answer(name: str, start: str, end: str, *subjects: SubjectAnswer, zone: str = ZONE, **options: Any) -> Answer:
    return Answer(name, at(start, zone), at(end, zone), zone, options, tuple(subjects))


def drawn(made: Answer, *, theme: str = "light", width_px: int = 1000, **drawing: str) -> dict[str, Any]:
    """The picture, which Plotly accepts and JSON can hold."""
    picture = analysis_figure(made, CATALOGUE, Canvas(style_of(theme), width_px, drawing))
    go.Figure(picture)
    json.dumps(picture, allow_nan=False)
    assert picture["layout"]["height"] > 0
    return picture


def numbers(value: Any) -> np.ndarray:
    """What a trace holds, as an array."""
    if not isinstance(value, dict):
        return np.asarray(value, np.float64)
    flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype="<" + value["dtype"])
    return flat.reshape([int(size) for size in value["shape"].split(",")]) if "shape" in value else flat


def words(picture: dict[str, Any]) -> str:
    """All that is written over a picture."""
    return "\n".join(each["text"] for each in picture["layout"].get("annotations", []))
