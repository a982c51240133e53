"""Alarms: from readings and a condition to when it began to hold, fired and was resolved.

What was seen is a state; going on from it gives the same changes as looking at all in one go
(docs/decisions/0054). No clock is read: until when is passed in.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from data.arrays import Floats, Integers
from data.time.epoch import DAY_MS
from errors import InvalidRequest

AlarmKind = Literal["above", "below", "change", "silent", "flagged"]
AlarmStatus = Literal["normal", "pending", "firing", "resolved"]
KINDS: Final[tuple[AlarmKind, ...]] = get_args(AlarmKind)
LONGEST_MS: Final = 31 * DAY_MS  # of a span that a condition names

_TIMED: Final = ("change", "silent")


@dataclass(frozen=True)
class AlarmCondition:
    """A reading above or below ``limit``, one that differs by more than it from another of the
    ``within_ms`` before, one with a flag, or none for ``within_ms``; for ``for_ms`` or longer.

    ``hysteresis`` (in the sensor's unit, as ``limit``): how far a value must come back before the
    condition no longer holds.
    """

    kind: AlarmKind
    limit: float = 0.0
    within_ms: int = 0
    for_ms: int = 0
    hysteresis: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidRequest("Say when it alarms: one of {known}.", field="kind", known=", ".join(KINDS))
        if not math.isfinite(self.limit):
            raise InvalidRequest("A limit must be a number.", field="limit")
        if not 0 <= self.hysteresis < math.inf:
            raise InvalidRequest("A hysteresis must be a number of 0 or more.", field="hysteresis")
        if not (self.kind in _TIMED) <= self.within_ms <= LONGEST_MS:
            raise InvalidRequest("Say within which time, up to {days} days.", field="within", days=LONGEST_MS // DAY_MS)
        if not 0 <= self.for_ms <= LONGEST_MS:
            raise InvalidRequest("It may be asked to hold for up to {days} days.", field="for", days=LONGEST_MS // DAY_MS)

    def exceeds(self, amount: float, holds: bool) -> bool:
        """Return whether a reading's amount is beyond the limit; ``holds``: it was, before."""
        sign = -1.0 if self.kind == "below" else 1.0
        return sign * amount > sign * self.limit - (self.hysteresis if holds else 0.0)


@dataclass(frozen=True)
class AlarmState:
    """Where an alarm stands: since when, and the last reading that was seen, int ms UTC. That of
    a pending one is when the condition began to hold.
    """

    status: AlarmStatus
    since_ms: int
    seen_ms: int

    @property
    def holds(self) -> bool:
        """Whether the condition holds."""
        return self.status in ("pending", "firing")


@dataclass(frozen=True)
class AlarmChange:
    """An alarm came to another status, by a reading of a value; None where there was no reading."""

    at_ms: int
    status: AlarmStatus
    value: float | None


@dataclass(frozen=True)
class AlarmReadings:
    """Readings by time (i8 ms UTC), increasing, with their flags (u1; 0: none).

    Those up to what a state has seen are not looked at again; a condition of change needs them as
    far back as it reaches.
    """

    times: Integers
    values: Floats
    flags: Integers


def go_on(
    condition: AlarmCondition, before: AlarmState, readings: AlarmReadings, until_ms: int
) -> tuple[AlarmState, list[AlarmChange]]:
    """Return the state at ``until_ms``, and what changed since ``before``, by time."""
    course = _Course(condition, before)
    for at_ms, value, flag, amount in _amounts(condition, readings):
        if before.seen_ms < at_ms <= until_ms:
            course.look(at_ms, value, flag, amount)
    course.wait(until_ms + 1)
    return course.state, course.changes


class _Course:
    """An alarm that goes from reading to reading."""

    def __init__(self, condition: AlarmCondition, state: AlarmState) -> None:
        self.condition, self.state = condition, state
        self.changes: list[AlarmChange] = []

    def look(self, at_ms: int, value: float, flag: int, amount: float) -> None:
        """Take a reading; one with a flag says nothing of its value."""
        self.wait(at_ms)
        self.state = replace(self.state, seen_ms=at_ms)
        if self.condition.kind in ("silent", "flagged"):
            self._step(at_ms, self.condition.kind == "flagged" and flag != 0, value)
        elif not flag and math.isfinite(amount):
            self._step(at_ms, self.condition.exceeds(amount, self.state.holds), value)

    def wait(self, before_ms: int) -> None:
        """Let time go by without a reading, up to a time (exclusive)."""
        if self.condition.kind != "silent":
            return
        silent_ms = self.state.seen_ms + self.condition.within_ms
        for at_ms in (silent_ms, silent_ms + self.condition.for_ms):
            if at_ms < before_ms:
                self._step(at_ms, True, None)

    def _step(self, at_ms: int, holds: bool, value: float | None) -> None:
        if not holds:
            if self.state.holds:
                self._enter("resolved" if self.state.status == "firing" else "normal", at_ms, value)
            return
        if not self.state.holds:
            self._enter("pending", at_ms, value)
        if self.state.status == "pending" and at_ms - self.state.since_ms >= self.condition.for_ms:
            self._enter("firing", at_ms, value)

    def _enter(self, status: AlarmStatus, at_ms: int, value: float | None) -> None:
        self.state = replace(self.state, status=status, since_ms=at_ms)
        if status != "pending" or self.condition.for_ms:
            self.changes.append(AlarmChange(at_ms, status, value))


def _amounts(condition: AlarmCondition, readings: AlarmReadings) -> Iterator[tuple[int, float, int, float]]:
    """Yield each reading with what is held against the limit: its value, or its change."""
    rows = zip(readings.times.tolist(), readings.values.tolist(), readings.flags.tolist(), strict=True)
    least: deque[tuple[int, float]] = deque()  # of the window: those that may yet be its extreme
    most: deque[tuple[int, float]] = deque()
    for at_ms, value, flag in rows:
        if condition.kind != "change" or flag or not math.isfinite(value):
            yield at_ms, value, flag, value
            continue
        for extremes, sign in ((least, 1.0), (most, -1.0)):
            while extremes and extremes[0][0] < at_ms - condition.within_ms:
                extremes.popleft()
            while extremes and sign * extremes[-1][1] >= sign * value:
                extremes.pop()
            extremes.append((at_ms, value))
        yield at_ms, value, flag, max(value - least[0][1], most[0][1] - value)
