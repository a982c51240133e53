"""A request's window as it is drawn: the one view path."""

from __future__ import annotations

from typing import Any

from data.drawn import HistoryView, SeriesStatistics, SeriesView
from data.request import HistoryRequest

__all__ = ["HistoryView", "SeriesStatistics", "SeriesView", "view_request"]


def view_request(
    site: Any,
    request: HistoryRequest,
    start_ms: int,
    end_ms: int,
    width_px: int,
    *,
    include_flagged: bool = False,
    with_statistics: bool = True,
) -> HistoryView:
    """All series of a request in [start_ms, end_ms), reduced to ``width_px`` pixel columns."""
    raise NotImplementedError
