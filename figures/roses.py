"""What wind roses show: counts by sector and class, of the speed or of another sensor, and what the
classes are called.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.answer import Answer, SubjectAnswer
from analysis.other_rose import OtherGroup, OtherRose
from analysis.wind import Group, Wind
from data.arrays import Integers
from figures.subjects import part_name, station_names
from figures.words import verbatim
from i18n import THIN_SPACE, format_number
from i18n import gettext as _


@dataclass(frozen=True)
class Rose:
    """What one plot shows: its name as Plotly shows it verbatim, all ``rows`` with calms, and the
    counts [sector][class].
    """

    name: str
    rows: int
    calm: int
    counts: Integers

    def percent(self, number: float) -> float:
        """Return the share of all rows, calms too, in percent."""
        return 100 * number / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Classes:
    """Names of the classes of all roses, and their unit as Plotly shows it verbatim, empty where
    subjects differ in it.
    """

    names: list[str]
    unit: str


def classes_of(answer: Answer) -> Classes:
    """Return the classes of an answer with subjects."""
    other = next((subject.result.other for subject in answer.subjects if subject.result.other is not None), None)
    if other is None:
        units = {subject.units[0] for subject in answer.subjects}
        return Classes(class_names(answer.subjects[0].result), verbatim(units.pop()) if len(units) == 1 else "")
    return Classes(other_class_names(other), verbatim(other.unit))


def roses(answer: Answer, width_px: float) -> list[Rose]:
    """Return the rose of each subject or of each of its parts, of another sensor where the answer
    has one.
    """
    names = station_names(answer.subjects, width_px)
    found = []
    for name, subject in zip(names, answer.subjects, strict=True):
        for part in _parts(subject):
            called = part_name(str(answer.options["by"]), part.name) if isinstance(part, Group | OtherGroup) else ""
            title = f"{name} · {called}" if called and len(answer.subjects) > 1 else called or name
            found.append(_rose(title, part))
    return found


def _parts(subject: SubjectAnswer) -> Sequence[Wind | Group | OtherRose | OtherGroup]:
    result: Wind = subject.result
    whole = result if result.other is None else result.other
    return whole.groups or (whole,)


def _rose(name: str, part: Wind | Group | OtherRose | OtherGroup) -> Rose:
    calm = part.calm if isinstance(part.calm, int) else int(part.calm.sum())
    return Rose(name, part.rows, calm, part.counts)


def class_names(result: Wind) -> list[str]:
    """Return the speed classes without their unit: ``0.5–2``, and ``≥ 12`` of the open one."""
    return _names((result.calm_below, *result.classes))


def other_class_names(other: OtherRose) -> list[str]:
    """Return the classes of another sensor without their unit: ``< 4``, ``4–9``, ``≥ 9``."""
    if len(other.classes) == 1:
        return [_("all")]
    return [f"<{THIN_SPACE}{short_number(other.classes[0])}", *_names(other.classes)]


def _names(limits: Sequence[float]) -> list[str]:
    return [
        f"≥{THIN_SPACE}{short_number(low)}" if math.isinf(high) else f"{short_number(low)}–{short_number(high)}"
        for low, high in pairwise(limits)
    ]


def short_number(value: float) -> str:
    """Return a limit with the digits that it has."""
    return format_number(value, len(f"{value:.6g}".partition(".")[2]) if abs(value) < 1e6 else 0)
