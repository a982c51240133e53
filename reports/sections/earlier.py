"""The period beside the same dates of earlier years."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.climat import LEAST_YEARS, NORMAL_YEARS, normal
from analysis.days import between
from analysis.question import Observed, Question
from i18n import current_language, ngettext
from i18n import gettext as _
from reports.document import Amount, Cell, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial, sensor_label

_COMPLETE: Final = 0.8  # of the readings due, so that a year is compared with


@dataclass(frozen=True)
class _Value:
    value: float
    complete: float

    @property
    def counts(self) -> bool:
        """Whether it is complete enough; where no step is known, whether there is any."""
        return math.isfinite(self.value) and (math.isnan(self.complete) or self.complete >= _COMPLETE)


def section(station: StationMaterial) -> ReportSection:
    """Return mean or total of each sensor, and those of earlier years that are complete enough."""
    return ReportSection(_("Earlier years"), list(_parts(station)))


def _parts(station: StationMaterial) -> Iterator[Part]:
    years = {year: _values(question) for year, question in station.earlier.items()}
    if not any(years.values()):
        yield Words(_("There are no readings of the same dates of earlier years that may be compared with."))
        return
    now = _values(station.question)
    rows = [row for each in station.observed if (row := _row(each, now, years)) is not None]
    header = (
        *(_("Sensor"), _("This period"), _("Mean of earlier years"), _("Years"), _("Difference")),
        *(_("Lowest"), _("in"), _("Highest"), _("in")),
    )
    caption = _("Means, of rain totals, of the same dates; of years with 80 % or more of the readings due")
    yield ReportTable(_("Earlier years"), caption, header, rows)
    most = max((int(row[3].value or 0) for row in rows if isinstance(row[3], Amount)), default=0)
    told = ngettext("{number} earlier year is compared.", "{number} earlier years are compared.", most).format(number=most)
    if most < LEAST_YEARS:
        told += " " + _("That is no normal, which needs {least} of {all} years.").format(least=LEAST_YEARS, all=NORMAL_YEARS)
    yield Words(told)


def _row(observed: Observed, now: Mapping[str, _Value], years: Mapping[int, Mapping[str, _Value]]) -> tuple[Cell, ...] | None:
    """The line of a sensor; None of a direction, which has no mean of means."""
    sensor = observed.sensor
    if sensor.is_direction:
        return None
    there = {
        year: found[sensor.name].value for year, found in years.items() if sensor.name in found and found[sensor.name].counts
    }
    mean, number = normal(list(there.values()))
    own, decimals = now[sensor.name].value, sensor.decimals
    least, most = (choose(there, key=lambda year: there[year], default=None) for choose in (min, max))
    return (
        sensor_label(sensor, current_language()),
        Amount(own, decimals),
        Amount(mean, decimals),
        Amount(number),
        Amount(own - mean, decimals),
        None if least is None else Amount(there[least], decimals),
        None if least is None else str(least),
        None if most is None else Amount(there[most], decimals),
        None if most is None else str(most),
    )


def _values(question: Question) -> dict[str, _Value]:
    """The mean or total of each series with readings over its window."""
    span = (question.start_ms, question.end_ms)
    found = {}
    for each in question.series:
        if each.series.rows and not each.sensor.is_direction:
            whole = between(each, np.array(span), span)
            found[each.sensor.name] = _Value(float(whole.value[0]), float(whole.complete[0]))
    return found
