"""What people decided about events: joined to an answer after it was made or kept, so that a
decision makes none anew (docs/decisions/0041).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from analysis.answer import Answer, SubjectAnswer
from analysis.quality.review import Quality, QualityEvent
from analysis.quality.station_checks import STATION
from data.decision import CORRECTIONS, Decision, DecisionKind, Decisions


def with_decisions(answer: Answer, decisions: Decisions) -> Answer:
    """Return an answer of the analysis ``quality`` with the ``decision`` of each event; another
    answer as it is.
    """
    if answer.analysis != "quality":
        return answer
    return replace(answer, subjects=tuple(_decided(subject, decisions) for subject in answer.subjects))


def _decided(subject: SubjectAnswer, decisions: Decisions) -> SubjectAnswer:
    result: Quality = subject.result
    own = {sensor: decisions(subject.station, sensor) for sensor in subject.sensors}
    if not any(own.values()):
        return subject
    every = [own[sensor] for sensor in subject.sensors]

    def decision(event: QualityEvent) -> DecisionKind | None:
        kinds = [event_decision(event, made) for made in (every if event.sensor == STATION else [own.get(event.sensor, ())])]
        return kinds[-1] if all(kinds) else None

    events = tuple(replace(event, decision=decision(event)) for event in result.events)
    return replace(subject, result=replace(result, events=events))


def event_decision(event: QualityEvent, decisions: Iterable[Decision]) -> DecisionKind | None:
    """Return the kind of the last decision about an event, of decisions in force about its sensor;
    None where not all of its span is decided.

    A decision about readings of its span counts where it is about its rule or all rules, or a
    correction.
    """
    about = [one for one in decisions if one.kind in CORRECTIONS or one.rule in (None, event.rule)]
    touching = sorted(
        (one for one in about if one.start_ms <= event.to_ and one.end_ms >= event.from_), key=lambda one: -one.number
    )
    for one in touching:
        if one.start_ms <= event.from_ and one.end_ms >= event.to_:
            return one.kind
    reached = int(event.from_)
    for one in sorted(touching, key=lambda one: one.start_ms):  # together they may reach from its begin to its end
        if one.start_ms <= reached:
            reached = max(reached, one.end_ms + 1)
    return touching[0].kind if touching and reached > event.to_ else None
