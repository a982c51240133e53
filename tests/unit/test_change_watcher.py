"""Who follows costs one question, whoever asks; nobody costs none."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

import pytest

from api.change_watcher import ChangeWatcher
from data.station_versions import StationVersion
from errors import SourceUnavailable
from tests.processes import wait_until


class Database:
    """Answers with what it holds, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.changes = 1
        self.is_away = False

    def look(self, stations: Collection[str]) -> Mapping[str, StationVersion]:
        self.asked.append(tuple(stations))
        if self.is_away:
            raise SourceUnavailable("away")
        return {name: StationVersion(self.changes, 10 * self.changes) for name in stations}


def watchers() -> int:
    return sum(thread.name == "follow" for thread in threading.enumerate())


@pytest.fixture
def database() -> Database:
    return Database()


def test_many_who_follow_share_one_question_which_ends_with_the_last_of_them(database: Database) -> None:
    watcher = ChangeWatcher(database.look, every_s=0.02, interest_s=0.5)
    assert watchers() == 0
    for _ in range(100):
        assert watcher.versions(["a"]) == {"a": StationVersion(1, 10)}
    assert watchers() == 1
    database.changes = 2
    wait_until(lambda: watcher.versions(["a"]) == {"a": StationVersion(2, 20)}, "the change")
    wait_until(lambda: watchers() == 0, "the watch to end")
    looks = len(database.asked)
    assert watcher.versions(["b"]) == {"b": StationVersion(2, 20)}  # begins anew, without the station of before
    assert database.asked[looks:] == [("b",)] * (len(database.asked) - looks)


def test_while_the_database_is_away_what_was_known_stays_so(database: Database) -> None:
    watcher = ChangeWatcher(database.look, every_s=0.02, interest_s=0.5)
    assert watcher.versions(["a"]) is not None
    database.is_away = True
    looks = len(database.asked)
    wait_until(lambda: len(database.asked) > looks, "a look in vain")
    assert watcher.versions(["a"]) == {"a": StationVersion(1, 10)}
    assert watcher.versions(["b"]) is None
    wait_until(lambda: watchers() == 0, "the watch to end")
