"""Which events of quality control people decided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.answer import Answer, Moment, SubjectAnswer
from analysis.quality.event_decisions import event_decision, with_decisions
from analysis.quality.review import Quality, QualityEvent
from data.decision import Decision

EVENT = QualityEvent("stuck", "hard", "temperature", Moment(10), Moment(20), 5, 1.0, 2.0, "°C")


def said(number: int, kind: str, start: int, end: int, rule: str | None = None) -> Decision:
    return Decision(number, "a", "temperature", kind, start, end, rule)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        ([], None),
        ([said(1, "wrong", 10, 20, "stuck")], "wrong"),
        ([said(1, "right", 0, 99)], "right"),
        ([said(1, "right", 0, 99, "spike")], None),  # of another rule
        ([said(1, "delete", 10, 20)], "delete"),
        ([said(1, "wrong", 11, 20)], None),  # not of its first reading
        ([said(1, "wrong", 5, 14), said(2, "offset", 15, 30)], "offset"),  # together
        ([said(1, "wrong", 5, 12), said(2, "offset", 15, 30)], None),
        ([said(1, "wrong", 10, 20), said(2, "right", 10, 20)], "right"),  # the last word
        ([said(2, "wrong", 10, 20), said(1, "right", 10, 20)], "wrong"),
        ([said(1, "wrong", 10, 20), said(2, "right", 12, 13)], "wrong"),
        ([said(1, "wrong", 21, 30), said(2, "right", 0, 9)], None),
    ],
)
def test_an_event_is_decided_where_all_of_its_span_is(made: list[Decision], kind: str | None) -> None:
    assert event_decision(EVENT, made) == kind


def test_an_event_of_the_whole_station_is_decided_where_it_is_for_each_sensor() -> None:
    frozen = replace(EVENT, rule="frozen", sensor="")
    subject = SubjectAnswer("a", ("humidity", "temperature"), ("%", "°C"), 9, Quality(1, (EVENT, frozen), 2, (), ()))
    answer = Answer("quality", 0, 99, "UTC", {}, (subject,))
    made = {"temperature": (said(1, "wrong", 0, 99),), "humidity": ()}

    def kinds() -> list[str | None]:
        (told,) = with_decisions(answer, lambda _station, sensor: made[sensor]).subjects
        return [event.decision for event in told.result.events]

    assert kinds() == ["wrong", None]
    made["humidity"] = (said(2, "delete", 0, 99),)
    assert kinds() == ["wrong", "wrong"]
    other = replace(answer, analysis="summary")
    assert with_decisions(other, lambda *_: ()) is other
