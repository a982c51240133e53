"""Whether a database answers: remembered, so that while it does not only
one question a second finds out.
"""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from data.database.circuit_breaker import CircuitBreaker, run_for_page
from errors import SourceUnavailable


@pytest.fixture
def now() -> list[float]:
    """The time, which only the test moves."""
    return [0.0]


@pytest.fixture
def breaker(now: list[float]) -> CircuitBreaker:
    return CircuitBreaker("databases", again_s=1.0, clock=lambda: now[0])


def test_a_database_that_answers_is_asked_everything(breaker):
    assert [breaker.allow_probe() for _ in range(3)] == [True] * 3


def test_who_says_nothing_is_not_asked_again_until_a_second_has_passed_and_then_once(breaker, now):
    breaker.record_failure("no answer in time")
    assert (breaker.is_open, [breaker.allow_probe() for _ in range(3)]) == (True, [False] * 3)
    now[0] = 1.1
    assert [breaker.allow_probe() for _ in range(3)] == [True, False, False]
    now[0] = 2.2
    assert breaker.allow_probe()


def test_any_answer_even_a_late_one_ends_it(breaker):
    breaker.record_failure("no answer in time")
    breaker.record_success()
    assert (breaker.is_open, breaker.allow_probe(), breaker.allow_probe()) == (False, True, True)


GONE = DBAPIError("", {}, Exception("gone"), connection_invalidated=True)
WRONG = DBAPIError("", {}, Exception("no such column"))


@pytest.mark.parametrize(
    "error", [OperationalError("", {}, Exception("refused")), InterfaceError("", {}, Exception("closed")), PoolTimeout(), GONE]
)
def test_a_page_is_told_in_a_sentence_that_the_database_does_not_answer(error):
    def question() -> None:
        raise error

    with pytest.raises(SourceUnavailable, match="does not answer"):
        run_for_page(question)


@pytest.mark.parametrize("error", [WRONG, ZeroDivisionError()])
def test_an_error_of_the_question_comes_as_it_is(error):
    def question() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        run_for_page(question)
    assert caught.value is error
