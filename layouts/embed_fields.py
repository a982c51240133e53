"""What the fields of the dialog "Embed this chart" mean, for its preview and the link alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access.embeds.spec import EmbedSpec, parse_last
from analysis.inquiry import TREND
from data.request import HistoryRequest
from data.view.window import clip_window
from i18n import LANGUAGES, current_language
from layouts.embedding import CONTROLS, FIXED, NOTES, TRANSPARENT
from layouts.views import check_view


def wanted(request: HistoryRequest, kind: Any, shown: Any, last: Any, theme: Any, language: Any, switches: Any) -> EmbedSpec:
    """What the fields of the dialog mean, all of which are the browser's;
    the chart itself is a job's. ``shown`` is what is drawn: ``start``, ``end``, ``view`` and its
    ``options``.

    Raises:
        InvalidRequest: they mean nothing.
    """
    drawn = shown if isinstance(shown, Mapping) else {}
    window = clip_window(request, drawn.get("start"), drawn.get("end"))
    view, options = str(drawn.get("view") or TREND), _texts(drawn.get("options"))
    check_view(view, options)
    chosen = switches if isinstance(switches, list) else []
    fixed = kind == FIXED
    return EmbedSpec(
        stations=request.stations,
        sensors=request.sensors,
        start_ms=window[0] if fixed else None,
        end_ms=window[1] if fixed else None,
        last_ms=None if fixed else parse_last(str(last)),
        resolution=request.resolution if view == TREND else "raw",
        timezone=request.timezone,
        theme=str(theme),
        language=language if isinstance(language, str) and language in LANGUAGES else current_language(),
        controls=CONTROLS in chosen,
        transparent=TRANSPARENT in chosen,
        notes=NOTES in chosen,
        view=view,
        options=options,
    )


def _texts(options: Any) -> dict[str, str]:
    return {str(name): str(text) for name, text in options.items()} if isinstance(options, Mapping) else {}
