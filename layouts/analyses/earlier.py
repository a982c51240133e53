"""The choices of a window beside an earlier one, and both in numbers."""

from __future__ import annotations

import math

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer, SubjectAnswer
from analysis.earlier import Earlier, Side
from data.catalogue import Catalogue, Sensor
from figures.subjects import MOST_SUBJECTS, sensor_of, signed_number, subject_label
from i18n import format_number, format_range
from i18n import gettext as _
from layouts.analyses.compare_forms import form_controls
from layouts.controls import Control, door, listed
from layouts.statistics import NOTHING, share_text, value_text


def label() -> str:
    """Return how the tab of comparisons names it."""
    return _("Periods")


def controls() -> tuple[Control, ...]:
    """Return how both windows are drawn, which the earlier one is, and the length of steps."""
    offsets = {
        "window": _("Just before"),
        "day": _("A day"),
        "week": _("A week"),
        "month": _("A month"),
        "year": _("A year"),
    }
    steps = {"auto": _("Auto"), "10min": _("10 min"), "1h": _("1 h"), "6h": _("6 h"), "1d": _("1 day"), "7d": _("7 days")}
    show, scale = form_controls(_("Difference"))
    return (
        show,
        Control("offset", _("Earlier by"), offsets, default="window", own=_("or 36h, 2mo")),
        Control("bucket", _("Steps"), steps, default="auto", folded=True),
        scale,
    )


def details(answer: Answer, catalogue: Catalogue) -> Component | None:
    """Return both windows of each series that is drawn in numbers; a window is a door to itself."""
    found = [_numbers(answer, subject, catalogue) for subject in answer.subjects[:MOST_SUBJECTS]]
    return html.Div(found, className="lists") if found else None


def _numbers(answer: Answer, subject: SubjectAnswer, catalogue: Catalogue) -> Component:
    result: Earlier = subject.result
    sensor = sensor_of(subject, catalogue)
    middle = _("Total") if sensor.aggregation == "sum" else _("Mean")
    heads = [_("Window"), _("Readings"), _("Complete"), middle, _("Minimum"), _("Maximum")]
    rows = [_row(side, sensor, answer.timezone) for side in (result.this, result.earlier)]
    change = NOTHING if math.isnan(result.change) else signed_number(result.change, sensor)
    rows.append([_("Change"), "", "", change, "", ""])
    return listed(subject_label(subject, catalogue), heads, rows)


def _row(side: Side, sensor: Sensor, timezone: str) -> list[Component | str]:
    return [
        door(format_range(side.from_, side.to_, timezone), side.from_, side.to_),
        format_number(side.rows),
        NOTHING if math.isnan(side.complete) else share_text(side.complete),
        *(NOTHING if math.isnan(value) else value_text(value, sensor) for value in (side.value, side.min, side.max)),
    ]
