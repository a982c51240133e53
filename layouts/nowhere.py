"""What stands in the place of a picture: where there is data if it has none, a button that loads
what it lacks, and what to draw of too much.
"""

from __future__ import annotations

from datetime import time
from typing import Any

from dash import html
from dash.development.base_component import Component

from analysis.inquiry import TREND
from data.catalogue import Catalogue
from data.request import HistoryRequest
from data.time.epoch import DAY_MS
from escaping import visible
from figures.trend_options import ALL
from i18n import current_language, format_date, format_time, local_time
from i18n import gettext as _
from layouts.controls import button, door, view_door

_ROOM = 50  # the reading that is gone to lies this part of the window from its edge


def no_data_here(start_ms: int, end_ms: int, timezone: str, before_ms: int | None, after_ms: int | None) -> Component:
    """Return a sentence and buttons to windows as long as [start_ms, end_ms) with the nearest
    readings before and after it (int ms UTC, None where there is none).
    """
    span = end_ms - start_ms
    named = format_date if span >= DAY_MS else format_time
    parts: list[Component] = [html.Span(_("No data here."))]
    if before_ms is not None:
        words = _("⇤ Previous: {time}").format(time=named(before_ms, timezone))
        end = before_ms + span // _ROOM + 1
        parts.append(door(words, end - span, end))
    if after_ms is not None:
        words = _("Next: {time} ⇥").format(time=named(after_ms, timezone))
        start = after_ms - span // _ROOM
        parts.append(door(words, start, start + span))
    return html.P(parts, className="nowhere")


def too_many(request: HistoryRequest, catalogue: Catalogue) -> Component:
    """Return a question of what to draw of a request that has more series than a chart can show,
    with a button for each answer.
    """
    number = len(request.series)
    names = request.sensors if len(request.sensors) > 1 else ()
    sensors = [catalogue[name] for name in catalogue.ordered(names) if name in catalogue]
    words = _("{number} series are too many to tell apart in one chart. What do you want to see?")
    parts: list[Component] = [html.Span(words.format(number=number))]
    parts += [view_door(visible(one.label(current_language())), TREND, {"only": one.name}) for one in sensors]
    parts.append(view_door(_("All {number}").format(number=number), TREND, {"only": ALL}))
    parts.append(view_door(_("Compare years"), "compare", {}))
    return html.P(parts, className="nowhere")


def widen_id(start_ms: Any) -> dict[str, Any]:
    """The id of a button that loads what is shown from an earlier time on, int ms UTC."""
    return {"type": "widen", "start": start_ms}


def load_offer(sentence: str, start_ms: int, timezone: str) -> Component:
    """Return why there is no picture, and the button that loads what it lacks."""
    named = format_date if local_time(start_ms, timezone).time() == time.min else format_time
    words = _("Load from {time}").format(time=named(start_ms, timezone))
    return html.P([html.Span(sentence), button(words, component_id=widen_id(start_ms))], className="nowhere")
