"""What quality control finds in the readings of each station: events, not rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from analysis.answer import Method, Moment, Table
from analysis.quality.companion_checks import compared, neighbour_spans, station_companions
from analysis.quality.companions import LEAST_NEIGHBOURS
from analysis.quality.spans import HARD, Spans
from analysis.quality.station_checks import STATION, Found, StationChecks
from analysis.question import Observed, Question
from data.decision import DecisionKind
from data.quality_limits import RULES_VERSION, QualityLimits
from data.usual_limits import limits_of

MOST_EVENTS: Final = 2000  # of a station that an answer lists

Severity = Literal["hard", "suspect"]
RULES: Final[dict[str, Severity | None]] = {  # None: hard where far beyond the limit
    "gap": "hard",
    "silent": "hard",
    "irregular": "suspect",
    "source": "hard",
    "range": "hard",
    "climate": "suspect",
    "step": None,
    "spike": None,
    "stuck": "hard",
    "frozen": "hard",
    "variation": "suspect",
    "dew_point": "hard",
    "gust": "hard",
    "no_speed": "suspect",
    "dry_rain": "suspect",
    "dark": "suspect",
    "sun": "hard",
    "neighbours": "suspect",
    "twin": "suspect",
    "par_ratio": "suspect",
}

# they do not tell which of two sensors is wrong, so they flag no reading
COMPARING: Final = frozenset({"frozen", "dew_point", "gust", "no_speed", "dry_rain", "neighbours", "twin", "par_ratio"})
GAPS: Final = frozenset({"gap", "silent"})  # rules that find no reading, but that there is none


class Options(BaseModel):
    """``severity``: all events, or only those of readings that cannot be right (``hard``)."""

    model_config = ConfigDict(extra="forbid")

    severity: Literal["all", "hard"] = "all"


@dataclass(frozen=True)
class QualityEvent:
    """Readings of a sensor (of all sensors of the station where that is empty) that a rule found:
    from the first to the last, how many, the worst value (of a step the change) and the limit it
    breaks, in ``unit``; ``decision`` is what a person decided about it
    (analysis/quality/event_decisions.py), ``other`` the sensor that contradicts it.
    """

    rule: str
    severity: str
    sensor: str
    from_: Moment
    to_: Moment
    rows: int
    value: float
    limit: float
    unit: str
    decision: DecisionKind | None = None
    other: str | None = None


@dataclass(frozen=True)
class RuleCount:
    """How many events and readings of a sensor a rule found."""

    sensor: str
    rule: str
    events: int
    hard: int
    rows: int


@dataclass(frozen=True)
class Unasked:
    """A rule that could not be asked of a sensor, and what it lacks: ``position`` of the station,
    ``neighbours``, or a ``quantity``.
    """

    sensor: str
    rule: str
    lacks: str


@dataclass(frozen=True)
class Quality:
    """Events by time, counts of each sensor and rule, and what was not asked; ``rules_version``
    says by which rules.
    """

    rules_version: int
    events: tuple[QualityEvent, ...]
    events_in_all: int
    counts: tuple[RuleCount, ...]
    unasked: tuple[Unasked, ...]


METHOD = (
    Method("range", "outside the sensor's valid range (WMO-No. 8, vol. V; QARTOD gross range)"),
    Method("climate", "outside the extremes of the month that the catalogue gives (QARTOD climatology)"),
    Method("step", "change from the reading before, by the elapsed time (WMO-No. 8, vol. V; WMO-No. 488)"),
    Method("spike", "stands out from both neighbours, which agree (QARTOD spike)"),
    Method("stuck", "one value for longer than the quantity stands still at its resolution (QARTOD flat line; EPA-454/R-00-005)"),
    Method("frozen", "no sensor of the station changes, three or more of which would"),
    Method("variation", "too little change within days (Shafer et al. 2000, persistence; QARTOD attenuated signal)"),
    Method("gap, silent, irregular", "readings missing at the station, of one sensor, or out of step (WMO-No. 8, vol. V)"),
    Method("dew_point, gust, no_speed, dry_rain", "sensors of one station contradict each other (WMO-No. 488)"),
    Method("dark, sun", "radiation below a dark sensor's, or above what the sun gives (Long and Shi 2008; Spencer 1971)"),
    Method("neighbours", "departure from the weighted median of neighbours, beyond five robust spreads"),
    Method("twin, par_ratio", "hourly means of sensors of one quantity; PAR to global radiation (McCree 1972)"),
)


def run(question: Question, *asked: Any) -> Quality:
    """Return what is found in one station: its series, and the options last."""
    options: Options = asked[-1]
    observed = [each for each in asked[:-1] if not each.sensor.formula]
    if not observed:
        return Quality(RULES_VERSION, (), 0, (), ())
    limits = [limits_of(each.sensor, each.metadata, each.limits) for each in observed]
    metadata = observed[0].metadata
    position = metadata.position if metadata else None
    found = StationChecks(observed, limits, position).run()
    found |= station_companions(question, observed, limits)
    others = compared(observed, limits)
    found |= _neighbours(question, observed, limits)
    units = {each.sensor.name: each.sensor.unit for each in observed}
    places = {name: place for place, name in enumerate([STATION, *units])}
    events = sorted(_events(found, units, others), key=lambda event: (event.from_, places[event.sensor], event.rule))
    chosen = [event for event in events if options.severity == "all" or event.severity == "hard"]
    counts = _counts(chosen, places)
    return Quality(RULES_VERSION, listed_events(chosen), len(chosen), counts, _unasked(question, observed, limits, position))


def listed_events(events: list[QualityEvent]) -> tuple[QualityEvent, ...]:
    """Return those that an answer lists, in their order: where they are too many the longest that
    each rule found in each sensor, then hard ones, then long ones.
    """
    if len(events) <= MOST_EVENTS:
        return tuple(events)
    by_length = sorted(events, key=lambda event: event.from_ - event.to_)
    longest = {(event.sensor, event.rule): event for event in reversed(by_length)}
    weighed = [*longest.values(), *sorted(by_length, key=lambda event: event.severity != "hard")]
    kept = set(list(dict.fromkeys(weighed))[:MOST_EVENTS])
    return tuple(event for event in events if event in kept)


def table(result: Quality, unit: str) -> Table:  # noqa: ARG001 - each event has its own
    """Return the events as a table; ``of`` is the sensor, * all of the station."""
    rows = [
        (
            each.rule,
            each.severity,
            each.sensor or "*",
            each.from_,
            each.to_,
            each.rows,
            each.value,
            each.limit,
            each.unit,
            each.decision,
            each.other,
        )
        for each in result.events
    ]
    return Table(("rule", "severity", "of", "from", "to", "rows", "value", "limit", "in", "decision", "other"), rows)


def _neighbours(question: Question, observed: list[Observed], limits: list[QualityLimits]) -> Found:
    found: Found = {}
    for own, limit in zip(observed, limits, strict=True):
        others = _others(question, own)
        positions = [each.metadata.position if each.metadata else None for each in (own, *others)]
        found[own.sensor.name, "neighbours"] = neighbour_spans(question, own, others, limit, positions)
    return {key: spans for key, spans in found.items() if len(spans)}


def _others(question: Question, own: Observed) -> list[Observed]:
    return [each for each in question.series if each.sensor.name == own.sensor.name and each.station != own.station]


def _events(found: Found, units: dict[str, str], others: Mapping[tuple[str, str], str]) -> Iterator[QualityEvent]:
    for (sensor, rule), spans in found.items():
        unit = _unit(rule, units.get(sensor, ""))
        for place in range(len(spans)):
            yield QualityEvent(
                rule,
                _severity(rule, spans, place),
                sensor,
                Moment(spans.start[place]),
                Moment(spans.end[place]),
                int(spans.rows[place]),
                float(spans.value[place]),
                float(spans.limit[place]),
                unit,
                other=others.get((sensor, rule)),
            )


def _unit(rule: str, sensor_unit: str) -> str:
    return {"gap": "readings", "silent": "readings", "irregular": "min", "frozen": "h", "par_ratio": "µmol/J"}.get(
        rule, sensor_unit
    )


def _severity(rule: str, spans: Spans, place: int) -> Severity:
    return RULES[rule] or ("hard" if spans.excess[place] >= HARD else "suspect")


def _counts(events: list[QualityEvent], places: dict[str, int]) -> tuple[RuleCount, ...]:
    order = list(RULES)
    keys = sorted({(event.sensor, event.rule) for event in events}, key=lambda key: (places[key[0]], order.index(key[1])))
    found = []
    for key in keys:
        own = [event for event in events if (event.sensor, event.rule) == key]
        hard = sum(event.severity == "hard" for event in own)
        found.append(RuleCount(*key, len(own), hard, sum(event.rows for event in own)))
    return tuple(found)


def _unasked(
    question: Question, observed: list[Observed], limits: list[QualityLimits], position: tuple[float, float] | None
) -> tuple[Unasked, ...]:
    found = []
    for each, limit in zip(observed, limits, strict=True):
        if limit.quantity == "other":
            found.append(Unasked(each.sensor.name, "step, spike, stuck", "quantity"))
        if limit.night is not None and position is None:
            found.append(Unasked(each.sensor.name, "sun", "position"))
        if limit.neighbour is not None and len(_others(question, each)) < LEAST_NEIGHBOURS:
            found.append(Unasked(each.sensor.name, "neighbours", "neighbours"))
    return tuple(found)
