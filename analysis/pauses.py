"""Pauses of a series: where readings that were due are missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.question import Observed, Question
from data.arrays import Integers
from data.view.gaps import steps_at


@dataclass(frozen=True)
class Pauses:
    """Pauses of two usual steps or more, by time: ``start``/``end`` i8[n] ms UTC are the stamps
    around them (or an edge of the window), ``missing`` i8[n] how many readings were due between.
    """

    start: Integers
    end: Integers
    missing: Integers

    def __len__(self) -> int:
        return len(self.start)


class PauseFinder:
    """Finds the pauses of a series while its readings are gone through, a month at a time."""

    def __init__(self, question: Question, observed: Observed) -> None:
        self._window, self._observed = (question.start_ms, question.end_ms), observed
        steps = observed.series.table.usual_step
        known = [int(steps[steps > 0].min())] if (steps > 0).any() else []
        self._least = min([*known, *([observed.step_ms] if observed.step_ms else [])], default=0)
        self._parts: list[tuple[Integers, Integers, Integers]] = []
        self._last: int | None = None

    def add(self, moments: Integers) -> None:
        """Take the next readings, i8[n > 0] ms UTC, all of them later than those before."""
        stamps = self._observed.stamps(moments)
        first = int(stamps[0])
        if self._last is None:
            self._edge(self._window[0], first)
        else:
            self._between(np.array([self._last, first]))
        self._between(stamps)
        self._last = int(stamps[-1])

    def found(self) -> Pauses:
        """Return the pauses, also those before the first reading and after the last one."""
        start, end = self._window
        self._edge(start if self._last is None else self._last, end)
        nothing = np.empty(0, np.int64)
        return Pauses(*(np.concatenate(each) for each in zip((nothing,) * 3, *self._parts, strict=True)))

    def _between(self, stamps: Integers) -> None:
        if not self._least:  # no step is known
            return
        pauses = np.diff(stamps)
        at = np.flatnonzero(pauses > self._least)  # few, as a rule: only there is it looked which step is usual
        start, end = stamps[at], stamps[at + 1]
        steps = (steps_at(self._observed.series, each, self._observed.step_ms) for each in (start, end))
        usual = np.maximum(*steps)
        missing = np.where(usual > 0, np.rint(pauses[at] / np.maximum(usual, 1)).astype(np.int64) - 1, 0)
        lacks = missing > 0
        self._parts.append((start[lacks], end[lacks], missing[lacks]))

    def _edge(self, start: int, end: int) -> None:
        """Between an edge of the window and the first or last reading, where one or more lack."""
        step = int(steps_at(self._observed.series, np.array([end]), self._observed.step_ms)[0])
        missing = (end - start) // step - 1 if step else 0
        if missing > 0:
            self._parts.append((np.array([start]), np.array([end]), np.array([missing])))
