"""Tables of the observations database: observations, their flags, and the inventory.
Times are int ms UTC.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, LargeBinary, MetaData, String, Table, Text

from data.catalogue import Catalogue

OWN_SOURCE = "own"  # the source that is the table ``observation``
NAME_LENGTH = 255
CHANGE_BYTES = 2**24 - 1  # of one piece of a batch's journal; MariaDB takes 16 MB in one statement

metadata = MetaData()

observation_flag = Table(
    "observation_flag",
    metadata,
    Column("station", String(NAME_LENGTH), primary_key=True),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("sensor", String(64), primary_key=True),
    comment="Values that the source's own quality code calls bad; sparse.",
    sqlite_with_rowid=False,
)

station_inventory = Table(
    "station_inventory",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("station", String(NAME_LENGTH), primary_key=True),
    Column("sensors", Text, nullable=False, comment="JSON: by sensor that has ever had a value its first and last"),
    Column("step_ms", BigInteger, comment="usual sampling interval, ms; null when unknown"),
    Column("synthetic", Boolean, nullable=False),
    comment="What there is of each station; kept by import and by jobs.",
)

month_inventory = Table(
    "month_inventory",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("station", String(NAME_LENGTH), primary_key=True),
    Column("month", Integer, primary_key=True, autoincrement=False, comment="year * 12 + month - 1, UTC"),
    Column("rows", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("generation", BigInteger, nullable=False, comment="grows whenever a row of the month changes"),
    Column("appended_since", BigInteger, comment="the generation since which rows only came after the last; null: not known"),
    comment="Rows a month; a tile is fresh when it carries the month's generation.",
)

source_look = Table(
    "source_look",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("looked", BigInteger, nullable=False, comment="when the table was looked at last, ms UTC"),
    Column("marks", Text, nullable=False, comment="JSON list of high-water marks, taken before the look"),
    Column("turn", BigInteger, nullable=False, comment="grows with every look"),
    comment="Mapped sources: the last look at their table.",
)

source_month = Table(
    "source_month",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("station", String(NAME_LENGTH), primary_key=True),
    Column("month", Integer, primary_key=True, autoincrement=False, comment="year * 12 + month - 1, UTC"),
    Column("fingerprint", Text, comment="what the month held before it was read; null when it was not taken"),
    Column("checked", BigInteger, nullable=False, comment="when, ms UTC"),
    comment="Mapped sources without a high-water mark: fingerprints of months that have been read.",
)

batch = Table(
    "batch",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False, comment="import, demo or delete"),
    Column("state", String(16), nullable=False, comment="unfinished, done, undoing, undone or forgotten"),
    Column("begun", BigInteger, nullable=False, comment="ms UTC"),
    Column("ended", BigInteger, comment="ms UTC; null while it is unfinished"),
    Column("what", Text, nullable=False, comment="JSON: files, or what was deleted"),
    Column("pieces", BigInteger, nullable=False, comment="how many pieces of journal were written"),
    Column("stored", BigInteger, nullable=False),
    Column("replaced", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
    comment="Imports and deletions, each to be taken back as one.",
)

batch_change = Table(
    "batch_change",
    metadata,
    Column("batch", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False, comment="what was changed: rows, flags, totals or station"),
    Column("station", String(NAME_LENGTH), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("what", Text, nullable=False, comment="JSON: the sensors, and how to put them back"),
    Column("data", LargeBinary(CHANGE_BYTES), nullable=False, comment="Arrow: which keys, and what they held before"),
    Index("batch_change_station", "station", "batch"),
    comment="The journal of batches: what their rows were before.",
)


def observation_table(catalogue: Catalogue, into: MetaData | None = None) -> Table:
    """The table ``observation`` with one nullable DOUBLE column a measured sensor of the catalogue;
    key (station, time).
    """
    return table_of((sensor.name for sensor in catalogue.measured), into)


def table_of(sensors: Iterable[str], into: MetaData | None = None) -> Table:
    """The table ``observation`` with some columns, also such as the catalogue no longer names."""
    return Table(
        "observation",
        into if into is not None else MetaData(),
        Column("station", String(NAME_LENGTH), primary_key=True),
        Column("time", BigInteger, primary_key=True, autoincrement=False),
        *(Column(name, Double) for name in sensors),
        sqlite_with_rowid=False,
    )
