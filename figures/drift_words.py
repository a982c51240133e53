"""What is said of a series beside its neighbours, in the picture and in its list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis.answer import SubjectAnswer
from analysis.drift import Drift
from analysis.homogeneity import LEAST_MONTHS
from data.catalogue import Sensor
from escaping import visible
from i18n import format_month, format_number, local_time, ngettext
from i18n import gettext as _


def compared_as(sensor: Sensor, result: Drift) -> Sensor:
    """Return a sensor in the unit of its differences, with a digit more than its readings have;
    ratios in tenths of a percent.
    """
    is_ratio = sensor.aggregation == "sum"
    return replace(sensor, unit=result.unit, decimals=1 if is_ratio else sensor.decimals + 1)


def finer(sensor: Sensor) -> Sensor:
    """Return a sensor with one digit more, for what changes within a year."""
    return replace(sensor, decimals=sensor.decimals + 1)


def lack_words(result: Drift) -> str:
    """Return why neither drift nor break are told; empty where they are."""
    if result.lacks == "neighbours":
        return _("No other station has enough days at the same time.")
    if result.lacks == "months":
        words = ngettext(
            "{number} month to compare; {least} are needed.", "{number} months to compare; {least} are needed.", result.months
        )
        return words.format(number=format_number(result.months), least=format_number(LEAST_MONTHS))
    return ""


def cautions(subjects: Sequence[SubjectAnswer]) -> list[str]:
    """Return what a reader must know about the neighbours of some series."""
    results: list[Drift] = [subject.result for subject in subjects]
    said = []
    if any(len(result.neighbours) == 1 for result in results):
        said.append(_("Where there is one neighbour only, either of the two may be the one that drifts or breaks."))
    left_out = sorted({visible(name) for result in results for name in result.left_out})
    if left_out:
        said.append(_("Not compared with, for too few months in common: {stations}.").format(stations=", ".join(left_out)))
    return said


def before_month(month_ms: int, timezone: str) -> str:
    """Return before which month a break is: ``before March 2019``."""
    local = local_time(month_ms, timezone)
    return _("before {month}").format(month=format_month(local.year * 12 + local.month - 1))


def chance_words() -> str:
    """Return what the two tests do not tell."""
    return _("A drift also looks like a break, and a break like a drift.")
