"""What people said of readings (right, wrong, suspect), over what the rules found
(docs/decisions/0041). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from analysis.quality.flag_rows import FlagRows, Marked, Marks, worst_marks
from data.arrays import Bools, Floats, Integers
from data.decision import CORRECTIONS, Decision
from data.flag_names import BY_HAND, FLAG_NAMES, FLAG_RULES
from data.readings import FLAG_RANGE, FLAG_SOURCE

_TILE_RULES: Final[Mapping[str, int]] = {"range": FLAG_RANGE, "source": FLAG_SOURCE}
_OF_NO_READING: Final = ("gap", "silent")  # their events are where readings are missing

Flags = npt.NDArray[np.uint8]


def judged(times: Integers, values: Floats, flags: Flags, marks: Marks, decisions: Sequence[Decision]) -> tuple[Flags, FlagRows]:
    """Return the flags that readings of a month have by themselves (out of range, bad by the
    source), and those that rules and people give to the others, after the verdicts among some
    decisions, one after the other by number.

    ``times`` i8[n] ms UTC, ``values`` f8[n] and ``flags`` u1[n] are of the corrected readings,
    ``marks`` what the rules found in them.

    - ``right`` takes away flags of its rule; without a rule all of them.
    - ``wrong`` and ``suspect`` with a rule that flags single readings make those that it found hard
      or suspect; of another rule, or of none, all readings of the span. ``stuck`` is about all of
      them, too, where they have one value: of a run over the end of a month one part may be too
      short to be found.
    """
    verdicts = sorted((one for one in decisions if one.kind not in CORRECTIONS), key=lambda one: one.number)
    if not verdicts:
        return flags, worst_marks(marks, len(times))
    found = {rule: marked.copy() for rule, marked in marks.items()}
    found |= {rule: _of_tile(flags, bit) for rule, bit in _TILE_RULES.items() if (flags & bit).any()}
    for one in verdicts:
        part = slice(int(np.searchsorted(times, one.start_ms)), int(np.searchsorted(times, one.end_ms, "right")))
        if part.start < part.stop:
            _judge(found, one, part, times, values)
    own = np.zeros(len(times), np.uint8)
    for rule, bit in _TILE_RULES.items():
        if rule in found:
            own |= (found[rule].at & found[rule].hard).astype(np.uint8) * np.uint8(bit)
    return own, worst_marks({rule: _without(marked, own != 0) for rule, marked in found.items()}, len(times))


def _of_tile(flags: Flags, bit: int) -> Marked:
    has = (flags & bit) != 0
    nothing = Marked.nothing(len(flags))
    return Marked(has, has.copy(), nothing.limit, nothing.since, nothing.by)


def _judge(found: dict[str, Marked], one: Decision, part: slice, times: Integers, values: Floats) -> None:
    if one.kind == "right":
        for rule in found if one.rule is None else [name for name in (one.rule,) if name in found]:
            found[rule].at[part] = False
        return
    rule = one.rule if one.rule in FLAG_NAMES else BY_HAND
    if rule in _OF_NO_READING:
        return
    marked = found.setdefault(rule, Marked.nothing(len(times)))
    at = np.arange(part.start, part.stop)
    if rule in FLAG_RULES or rule in _TILE_RULES:
        stands_still = rule == "stuck" and bool((values[part] == values[part.start]).all())
        at = at if stands_still else at[marked.at[part]]
    fresh = at[~marked.at[at]]
    marked.limit[fresh], marked.since[fresh] = np.nan, times[part.start]
    marked.at[at], marked.hard[at], marked.by[at] = True, one.kind == "wrong", one.number


def _without(marked: Marked, which: Bools) -> Marked:
    return Marked(marked.at & ~which, marked.hard, marked.limit, marked.since, marked.by)
