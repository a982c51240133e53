"""Keeps a load waiting where a test wants it, however fast or slow the machine is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from data.site import Site
from data.tiles.month_lock import month_locked


class Gate:
    """Holds months of stations, as a worker that reads them would:
    a load that comes there waits until they are released.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._held = ExitStack()

    def hold(self, station: str, months: Iterable[int]) -> None:
        """Nobody reads these UTC months of the station from now on.
        Tiles that are there are not touched.
        """
        for month in months:
            self._held.enter_context(month_locked(self._site.tiles.root, self._site.source_id, station, month))

    def hold_from(self, station: str, share: float) -> None:
        """Hold the station's later months, so that a load of all of them waits when
        ``share`` of them (0..1) is read.
        """
        everything = self.months(station)
        self.hold(station, everything[round(len(everything) * share) :])

    def months(self, station: str) -> list[int]:
        """The months in which a station has rows, oldest first."""
        return sorted(self._site.inventory.months(station, 0, 10**6))

    def release(self) -> None:
        """Let everybody go on."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()
