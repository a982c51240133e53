"""What stands above the statistics: of which window they are, and whether of readings or of what is
drawn.
"""

from __future__ import annotations

from typing import Final

from dash.development.base_component import Component

from data.time.epoch import MINUTE_MS
from data.view.records import HistoryView
from figures.words import drawn_as
from i18n import format_range
from i18n import gettext as _
from layouts.controls import Control, control_field

DRAWN: Final = "drawn"  # of Trend's option ``stats``
READINGS: Final = "readings"
_TOLD_UNITS: Final = 120  # seconds of two minutes and more, minutes of two hours and more


def statistics_heading(view: HistoryView) -> str:
    """Return of which window the statistics are; its edges as fine as they matter:
    whole minutes of two hours or more.
    """
    if not view.statistics:
        return ""
    span_ms = view.end_ms - view.start_ms
    unit_ms = next((unit for unit in (MINUTE_MS, 1000) if span_ms >= _TOLD_UNITS * unit), 1)
    start, end = (time // unit_ms * unit_ms for time in (view.start_ms, view.end_ms))
    return _("Statistics, {range}").format(range=format_range(start, end, view.timezone))


def statistics_choice(view: HistoryView, chosen: str) -> Component:
    """Return the choice between statistics of readings and of what is drawn of a view."""
    choices = {READINGS: _("readings"), DRAWN: drawn_as(view.series)}
    return control_field(Control("stats", _("Statistics of"), choices, default=READINGS), chosen)
