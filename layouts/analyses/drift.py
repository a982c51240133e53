"""The choice of a series beside its neighbours, and the list of drifts and breaks."""

from __future__ import annotations

import math
from functools import partial

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer, SubjectAnswer
from analysis.drift import Break, Drift
from analysis.homogeneity import LinearTrend
from data.catalogue import Catalogue, Sensor
from data.time.epoch import DAY_MS
from figures.drift_words import before_month, cautions, chance_words, compared_as, finer, lack_words
from figures.subjects import sensor_of, signed_number, subject_label
from i18n import THIN_SPACE, format_number
from i18n import gettext as _
from layouts.controls import Control, door, listed
from layouts.statistics import NOTHING

_AROUND_MS = 365 * DAY_MS  # of a break, which Trend shows


def label() -> str:
    """Return how the tab of comparisons names it."""
    return _("Drift")


def controls() -> tuple[Control, ...]:
    """Return whether points are without what returns each year."""
    return (
        Control("season", _("Yearly cycle"), {"removed": _("Taken out"), "kept": _("Left in")}, drawing=True, default="removed"),
    )


def details(answer: Answer, catalogue: Catalogue) -> Component | None:
    """Return a row a series: its drift a year and its most likely break, which is a door."""
    if not answer.subjects:
        return None
    heads = [
        *(_("Series"), _("Months"), _("Neighbours"), _("Drift a year"), _("95 % interval")),
        *(_("Most likely break"), _("Size"), _("Statistic"), _("Critical value")),
    ]
    rows = [_row(answer, subject, sensor_of(subject, catalogue), catalogue) for subject in answer.subjects]
    more = [_("Bold: by chance no more than once in twenty series."), chance_words()]
    title = _("Drift and break against neighbours")
    return html.Div(listed(title, heads, rows, " ".join([*more, *cautions(answer.subjects)])), className="lists")


def _row(answer: Answer, subject: SubjectAnswer, sensor: Sensor, catalogue: Catalogue) -> list[Component | str]:
    result: Drift = subject.result
    named, unit = subject_label(subject, catalogue), compared_as(sensor, result)
    first: list[Component | str] = [named, format_number(result.months), format_number(len(result.neighbours))]
    if result.trend is None or result.likely_break is None:
        return [*first, lack_words(result), *[NOTHING] * 5]
    return [*first, *_drift(result.trend, finer(unit)), *_break(answer, result.likely_break, unit)]


def _drift(trend: LinearTrend, sensor: Sensor) -> list[Component | str]:
    said = partial(signed_number, sensor=sensor)
    interval = NOTHING if math.isnan(trend.low) else f"{said(trend.low).partition(THIN_SPACE)[0]} – {said(trend.high)}"
    return [_bold(said(trend.slope), strong=trend.significant), interval]


def _break(answer: Answer, found: Break, sensor: Sensor) -> list[Component | str]:
    window = max(found.month - _AROUND_MS, answer.start_ms), min(found.month + _AROUND_MS, answer.end_ms)
    return [
        door(before_month(found.month, answer.timezone), *window),
        _bold(signed_number(found.size, sensor), strong=found.significant),
        format_number(found.statistic, 1),
        format_number(found.critical, 1),
    ]


def _bold(text: str, *, strong: bool) -> Component | str:
    return html.Strong(text) if strong else text
