"""What the fields of the dialog "Embed this chart" mean: the same for its preview and for the link."""

from __future__ import annotations

from typing import Any

from access.shown import Shows, parse_last
from data.request import HistoryRequest
from figures.window import clip_window
from i18n import LANGUAGES, current_language
from layouts.embedding import CONTROLS, FIXED, TRANSPARENT


def wanted(request: HistoryRequest, kind: Any, span: Any, last: Any, theme: Any, language: Any, switches: Any) -> Shows:
    """What the fields of the dialog mean, all of which are the browser's; the chart itself is a job's.

    Raises:
        InvalidRequest: they mean nothing.
    """
    start, end = span if isinstance(span, list) and len(span) == 2 else (None, None)
    window = clip_window(request, start, end)
    chosen = switches if isinstance(switches, list) else []
    fixed = kind == FIXED
    return Shows(
        stations=request.stations,
        sensors=request.sensors,
        start_ms=window[0] if fixed else None,
        end_ms=window[1] if fixed else None,
        last_ms=None if fixed else parse_last(str(last)),
        resolution=request.resolution,
        timezone=request.timezone,
        theme=str(theme),
        language=language if isinstance(language, str) and language in LANGUAGES else current_language(),
        controls=CONTROLS in chosen,
        transparent=TRANSPARENT in chosen,
    )
