"""A page waits a moment for a database, and while nobody answers not even that. The clock is the test's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import OperationalError

from data.patience import Impatient
from errors import SourceUnavailable
from tests.processes import wait_until


class Database:
    """Answers 1, unless it is ``broken``; while it is ``still`` it takes questions and says nothing."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False
        self._flowing = threading.Event()
        self._flowing.set()

    def __call__(self) -> int:
        self.asked += 1
        self._flowing.wait()
        if self.broken:
            raise OperationalError("", {}, Exception("connection refused"))
        return 1

    def be_still(self) -> None:
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.flow()


@pytest.fixture
def now() -> list[float]:
    """The time, which only the test moves."""
    return [0.0]


@pytest.fixture
def ask(now: list[float]) -> Impatient:
    return Impatient(patience_s=0.1, again_s=1.0, clock=lambda: now[0])


def refused(ask: Impatient, question: Callable[[], object]) -> None:
    with pytest.raises(SourceUnavailable, match="does not answer; try again"):
        ask(question)


def test_an_answer_and_an_error_of_the_question_come_as_they_are(ask, database):
    assert ask(database) == 1
    with pytest.raises(ZeroDivisionError):
        ask(lambda: 1 // 0)
    assert ask(database) == 1


def test_who_says_nothing_is_given_up_and_not_asked_again_until_a_second_has_passed(ask, database, now):
    database.be_still()
    for _ in range(5):
        refused(ask, database)
    assert database.asked == 1
    now[0] = 1.1
    refused(ask, database)
    refused(ask, database)
    assert database.asked == 2


def test_a_late_answer_ends_it(ask, database):
    database.be_still()
    refused(ask, database)
    database.flow()
    wait_until(lambda: answers(ask), "the question that was given up to be answered")


def answers(ask: Impatient) -> bool:
    try:
        return ask(lambda: True)
    except SourceUnavailable:
        return False


def test_after_a_failure_one_question_finds_out_that_all_is_well(ask, database, now):
    database.broken = True
    refused(ask, database)
    database.broken = False
    refused(ask, database)
    now[0] = 1.1
    assert [ask(database), ask(database)] == [1, 1]


def test_questions_that_hang_do_not_pile_up_without_end(ask, database, now):
    database.be_still()
    for second in range(40):
        now[0] = 2.0 * second
        refused(ask, database)
    assert database.asked <= 12
