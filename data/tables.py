"""Tables of the observations database: observations, their flags, and the inventory. Times are int ms UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, MetaData, String, Table, Text

from data.catalogue import Catalogue

NAME_LENGTH = 255

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
    Column("sensors", Text, nullable=False, comment="JSON list of the sensors that have ever had a value"),
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


def observation_table(catalogue: Catalogue, into: MetaData | None = None) -> Table:
    """The table ``observation`` with one nullable DOUBLE column a sensor of the catalogue; key (station, time)."""
    return Table(
        "observation",
        into if into is not None else MetaData(),
        Column("station", String(NAME_LENGTH), primary_key=True),
        Column("time", BigInteger, primary_key=True, autoincrement=False),
        *(Column(sensor.name, Double) for sensor in catalogue),
        sqlite_with_rowid=False,
    )
