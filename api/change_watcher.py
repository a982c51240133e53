"""Watching stations for whoever follows them: one question for all that ask, and none while nobody
does (docs/decisions/0059-who-follows-polls.md).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from data.station_versions import StationVersion
from errors import RiwayatError

LOOK_EVERY_S: Final = 1.0  # and so long a page waits before it asks again
INTEREST_S: Final = 5.0  # a station that nobody has asked for since is not looked at
FIRST_LOOK_S: Final = 0.15  # how long a request waits for the first look at its stations

log = structlog.get_logger(__name__)

Look = Callable[[Collection[str]], Mapping[str, StationVersion]]


class ChangeWatcher:
    """Keeps the versions of stations that somebody follows. ``look`` asks for them; a
    thread does so, which ends with the last follower.
    """

    def __init__(self, look: Look, *, every_s: float = LOOK_EVERY_S, interest_s: float = INTEREST_S) -> None:
        self._look, self._every_s, self._interest_s = look, every_s, interest_s
        self._changed = threading.Condition()
        self._until: dict[str, float] = {}
        self._known: Mapping[str, StationVersion] = {}
        self._watches = False

    def versions(self, stations: Sequence[str]) -> Mapping[str, StationVersion] | None:
        """Return the versions of stations as they were a moment ago, and go on watching them; None
        where they have not been looked at yet.
        """
        with self._changed:
            self._until |= dict.fromkeys(stations, time.monotonic() + self._interest_s)
            if not self._watches:
                self._watches = True
                threading.Thread(target=self._watch, name="follow", daemon=True).start()
            if not self._changed.wait_for(lambda: all(name in self._known for name in stations), FIRST_LOOK_S):
                return None
            return {name: self._known[name] for name in stations}

    def _watch(self) -> None:
        try:
            self._look_on()
        except BaseException:  # the next who asks begins anew
            with self._changed:
                self._watches = False
            raise

    def _look_on(self) -> None:
        while followed := self._followed():
            try:
                found = self._look(followed)
            except (RiwayatError, SQLAlchemyError) as error:  # what is known stays so
                log.warning("followed stations cannot be looked at", error=str(error))
                found = {}
            with self._changed:
                self._known = {**{name: each for name, each in self._known.items() if name in followed}, **found}
                self._changed.notify_all()
            time.sleep(self._every_s)

    def _followed(self) -> Collection[str]:
        """Return the stations that are still followed; with the last of them the watch ends."""
        now = time.monotonic()
        with self._changed:
            self._until = {name: until for name, until in self._until.items() if until > now}
            if not self._until:
                self._watches, self._known = False, {}
            return tuple(self._until)
