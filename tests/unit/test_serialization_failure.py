"""Which failed writes are made again."""

from collections.abc import Callable

import pytest
from sqlalchemy.exc import OperationalError

from data.database.serialization_failure import retry_on_serialization_failure


class _Driver(Exception):
    def __init__(self, *args: object, sqlstate: str | None = None) -> None:
        super().__init__(*args)
        self.sqlstate = sqlstate


def failing(error: _Driver, times: int) -> tuple[list[int], Callable[[int], int]]:
    tried: list[int] = []

    @retry_on_serialization_failure
    def write(number: int) -> int:
        tried.append(number)
        if len(tried) <= times:
            raise OperationalError("", {}, error)
        return number * 2

    return tried, write


@pytest.mark.parametrize("error", [_Driver(1213, "Deadlock"), _Driver("deadlock", sqlstate="40P01"), _Driver(1020, "changed")])
def test_what_the_database_undid_for_another_is_made_again(error):
    tried, write = failing(error, 3)
    assert write(21) == 42
    assert tried == [21] * 4


def test_but_not_for_ever():
    tried, write = failing(_Driver(1213, "Deadlock"), 100)
    with pytest.raises(OperationalError):
        write(1)
    assert len(tried) == 6


@pytest.mark.parametrize("error", [_Driver(2006, "gone"), _Driver("gone", sqlstate="57P01"), _Driver("locked")])
def test_other_failures_are_the_callers(error):
    tried, write = failing(error, 1)
    with pytest.raises(OperationalError):
        write(1)
    assert len(tried) == 1
