"""The choices of stations beside each other, and how they differ in numbers."""

from __future__ import annotations

import math

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer, SubjectAnswer
from analysis.differences import Differences, Offset
from data.catalogue import Catalogue, Sensor
from data.request import HistoryRequest
from escaping import visible
from figures.subjects import MOST_SUBJECTS, sensor_of, signed_number
from i18n import current_language, format_number
from i18n import gettext as _
from layouts.analyses.compare_forms import form_controls
from layouts.controls import Control, listed
from layouts.statistics import NOTHING, value_text


def label() -> str:
    """Return how the tab of comparisons names it."""
    return _("Stations")


def controls() -> tuple[Control, ...]:
    """Return how stations are drawn, which they are compared with, and the length of steps."""
    steps = {"auto": _("Auto"), "10min": _("10 min"), "1h": _("1 h"), "1d": _("1 day"), "1mo": _("1 month")}
    show, scale = form_controls(_("Difference"))
    return (
        show,
        Control("base", _("Compared with"), loaded=_stations, folded=True),
        Control("bucket", _("Steps"), steps, default="auto", folded=True),
        scale,
    )


def _stations(request: HistoryRequest, _catalogue: Catalogue) -> dict[str, str]:
    first, *others = request.stations
    return {"": visible(first), **{name: visible(name) for name in others}}


def details(answer: Answer, catalogue: Catalogue) -> Component | None:
    """Return for each sensor how its stations differ from the one that they are compared with."""
    found = [_offsets(subject, catalogue) for subject in answer.subjects[:MOST_SUBJECTS]]
    return html.Div(found, className="lists") if found else None


def _offsets(subject: SubjectAnswer, catalogue: Catalogue) -> Component:
    result: Differences = subject.result
    sensor = sensor_of(subject, catalogue)
    title = _("{sensor}: station less {base}").format(sensor=sensor.label(current_language()), base=visible(result.base))
    heads = [_("Station"), _("Steps of both"), _("Mean difference"), _("Standard deviation"), _("Correlation")]
    return listed(title, heads, [_row(each, sensor) for each in result.offsets])


def _row(each: Offset, sensor: Sensor) -> list[Component | str]:
    return [
        visible(each.station),
        format_number(each.steps),
        NOTHING if math.isnan(each.mean) else signed_number(each.mean, sensor),
        NOTHING if math.isnan(each.deviation) else value_text(each.deviation, sensor),
        NOTHING if math.isnan(each.correlation) else format_number(each.correlation, 3),
    ]
