"""A source that is one wide table: a row a station and time, a column a sensor, times as integer ms UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine

from data.catalogue import Catalogue
from data.inventory import OWN_SOURCE
from data.source import running
from data.source.reader import AnyReader, Reader
from data.tables import observation_flag
from errors import SourceMismatch

_IDENTIFIER = re.compile(r"[^\x00-\x1f\x7f]{1,128}")


class Source(Protocol):
    """Anything that observations can be read from."""

    @property
    def id(self) -> str:
        """Name of the source: the first folder of its tiles."""

    def open(self) -> AbstractContextManager[AnyReader]:
        """Connect.

        Raises:
            SourceUnavailable: the database does not answer; trying again may help.
            SourceMismatch: it answers, but not as described; trying again cannot help.
        """

    @property
    def outlives_client(self) -> bool:
        """Whether a query may go on when the process that asked is gone."""

    def stop_queries(self, session_name: str) -> int:
        """End the sessions of another process, whose source was made with ``session_name``; how many there were."""


@dataclass(frozen=True)
class FlagTable:
    """A sparse table of the values that the source's own quality code calls bad: (station, time, sensor)."""

    table: str
    station: str = "station"
    time: str = "time"
    sensor: str = "sensor"


@dataclass(frozen=True)
class TableSource:
    """One wide table of a database.

    ``sensors`` are columns by sensor name; ``tie_break`` is a column that tells in which order rows of equal time were
    written (none needed where (station, time) is a key). Identifiers are quoted as the database demands; they come from
    the site's own files, never from a request. ``fast=False`` never takes the fast path: see :func:`own_source`.
    ``session_name`` (letters, digits, hyphens) marks all queries on a server, which bounds each by ``statement_timeout_s``;
    the engine has the same.
    """

    id: str
    engine: Engine
    table: str
    time: str
    station: str
    sensors: Mapping[str, str]
    schema: str | None = None
    tie_break: str | None = None
    flags: FlagTable | None = None
    fast: bool = True
    session_name: str = "riwayat"
    statement_timeout_s: float | None = None

    def __post_init__(self) -> None:
        for name in (self.table, self.time, self.station, *self.sensors.values(), self.schema or "-", self.tie_break or "-"):
            if not _IDENTIFIER.fullmatch(name):
                raise SourceMismatch("{name} cannot be the name of a table or column.", name=repr(name))

    def open(self, *, fast: bool = True) -> Reader:
        """A reader to be used in a ``with`` statement; ``fast=False`` takes the general path only. See :class:`Source`."""
        return Reader(self, fast_path=fast)

    @property
    def outlives_client(self) -> bool:
        """Whether a query may go on when the process that asked is gone."""
        return running.goes_on_without_client(self.engine)

    def stop_queries(self, session_name: str) -> int:
        """End the sessions of another process; how many there were. Errors are the driver's own."""
        return running.stop_queries(self.engine, session_name)


def own_source(
    engine: Engine,
    catalogue: Catalogue,
    *,
    fast: bool = True,
    session_name: str = "riwayat",
    statement_timeout_s: float | None = None,
) -> TableSource:
    """The table ``observation`` of our own database (data/tables.py).

    ``fast=False`` where a process that reads it also writes to the same SQLite file: two SQLite libraries in one process
    break each other's locks (data/source/gate.py).
    """
    return TableSource(
        id=OWN_SOURCE,
        engine=engine,
        table="observation",
        time="time",
        station="station",
        sensors={sensor.name: sensor.name for sensor in catalogue},
        flags=FlagTable(observation_flag.name),
        fast=fast,
        session_name=session_name,
        statement_timeout_s=statement_timeout_s,
    )
