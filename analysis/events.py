"""Events: the times when a series is above or below a threshold for long enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.answer import Method, Moment, Table
from analysis.question import Observed, Question
from data.time.epoch import MINUTE_MS
from data.view.gaps import USUAL_STEPS
from errors import InvalidRequest

MOST_EVENTS: Final = 10_000


class Options(BaseModel):
    """Readings above ``above``, or below ``below`` (in the sensor's unit), for ``minutes`` or
    longer.
    """

    model_config = ConfigDict(extra="forbid")

    above: Annotated[float, Field(allow_inf_nan=False)] | None = None
    below: Annotated[float, Field(allow_inf_nan=False)] | None = None
    minutes: Annotated[float, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _one(self) -> Options:
        if (self.above is None) == (self.below is None):
            raise InvalidRequest("Fill in a threshold: above or below, one of the two.", field="above")
        return self


@dataclass(frozen=True)
class Event:
    """Readings in a row beyond the threshold, from the beginning of the first interval to the
    end of the last; their extreme.
    """

    from_: Moment
    to_: Moment
    minutes: float
    rows: int
    extreme: float
    extreme_time: Moment


@dataclass(frozen=True)
class Events:
    """Events by time; ``minutes`` is the time beyond the threshold, ``share`` that of all time
    with readings (0..1).
    """

    kind: Literal["above", "below"]
    threshold: float
    events: tuple[Event, ...]
    events_in_all: int
    minutes: float
    share: float


METHOD = (
    Method("event", f"readings in a row strictly beyond the threshold; a pause of more than {USUAL_STEPS} usual steps ends it"),
    Method("duration", "the sum of the usual steps of its readings"),
)


def run(question: Question, observed: Observed, options: Options) -> Events:  # noqa: ARG001 - as every analysis
    """Return the events of one series."""
    moments, values = observed.read()
    kind: Literal["above", "below"] = "above" if options.above is not None else "below"
    threshold = float(options.above if options.above is not None else options.below or 0.0)
    step = observed.step_ms or 0
    beyond = values > threshold if kind == "above" else values < threshold
    pause = np.diff(moments) > USUAL_STEPS * step if step else np.zeros(max(0, len(moments) - 1), bool)
    first = np.flatnonzero(beyond & np.concatenate([[True], ~beyond[:-1] | pause])[: len(beyond)])
    last = np.flatnonzero(beyond & np.concatenate([~beyond[1:] | pause, [True]])[: len(beyond)])
    begin, end = observed.begins(moments[first]), observed.begins(moments[last]) + step
    long = np.flatnonzero(end - begin >= options.minutes * MINUTE_MS)
    time = float((last - first + 1)[long].sum()) * step / MINUTE_MS
    found = []
    for at in long[:MOST_EVENTS].tolist():
        part = values[first[at] : last[at] + 1]
        peak = int(first[at] + (part.argmax() if kind == "above" else part.argmin()))
        when = Moment(observed.stamps(moments[peak : peak + 1])[0])
        span = Moment(begin[at]), Moment(end[at])
        found.append(Event(*span, len(part) * step / MINUTE_MS, len(part), float(values[peak]), when))
    share = time / (len(values) * step / MINUTE_MS) if len(values) and step else math.nan
    return Events(kind, threshold, tuple(found), len(long), time, share)


def table(result: Events, unit: str) -> Table:
    """Return the events as a table."""
    rows: list[tuple[Any, ...]] = [tuple(vars(event).values()) for event in result.events]
    return Table(("from", "to", "minutes", "rows", f"extreme [{unit}]", "extreme time"), rows)
