"""A first mapping for a database that nobody has described yet:
guessed from names and types, for a person to correct.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Connection,
    Date,
    DateTime,
    Enum,
    Float,
    Inspector,
    Integer,
    Numeric,
    Select,
    String,
    Time,
    Uuid,
    column,
    inspect,
    select,
)
from sqlalchemy import table as named
from sqlalchemy.exc import DBAPIError, NoSuchTableError, UnreflectableTableError
from sqlalchemy.types import TypeEngine

from data.catalogue import Catalogue
from data.cells.sensor_synonyms import KNOWN, meaning
from escaping import toml_string

_TIMES = ("timestamp_device", "timestamp", "time", "datetime", "date_time", "observed", "measured", "ts", "waktu", "date")
_STATIONS = ("station", "nama_group", "group", "site", "logger", "device", "location", "stasiun", "name")
_TAGS = ("nama_tag", "tag", "sensor", "parameter", "variable", "channel", "point")
_VALUES = ("nilai_tag", "value", "nilai", "val", "reading")
# Day before month first: a table all of whose days are at most 12 is the person's to look at.
_FORMATS = (
    *(f"{day} {hour}" for day in ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d") for hour in ("%H:%M:%S", "%H:%M")),
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M",
)
_SYSTEM_SCHEMAS = {"information_schema", "pg_catalog", "mysql", "performance_schema", "sys"}
_HOUSEKEEPING = {"id", "batch_id", "created_at", "updated_at", "deleted_at"}


@dataclass(frozen=True)
class MappingGuess:
    """What a table might be; ``score`` is how well it fits."""

    schema: str | None
    table: str
    columns: Mapping[str, TypeEngine[Any]]
    time: str
    station: str | None
    tag: str | None
    value: str | None
    sensors: Mapping[str, str]
    score: int
    updated: str | None = None


@dataclass(frozen=True)
class Sample:
    """What a table showed in its first rows: some tags of a tall one, and some of its times."""

    tags: Sequence[str] = ()
    times: Sequence[object] = ()


def propose_mappings(connection: Connection, catalogue: Catalogue, schema: str | None = None) -> list[MappingGuess]:
    """Propose mappings of the tables and views that have a time and a sensor, best first;
    of every schema where the own has none.

    A schema of MariaDB and MySQL is another database, and is not searched unless it is given.
    """
    inspector = inspect(connection)
    found = list(_guesses(connection, inspector, catalogue, schema))
    if not found and schema is None and connection.dialect.name == "postgresql":
        others = set(inspector.get_schema_names()) - _SYSTEM_SCHEMAS - {inspector.default_schema_name}
        found = [each for name in sorted(others) for each in _guesses(connection, inspector, catalogue, name)]
    return sorted(found, key=lambda each: (-each.score, each.schema or "", each.table))


def _guesses(connection: Connection, inspector: Inspector, catalogue: Catalogue, schema: str | None) -> Iterator[MappingGuess]:
    for name in [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]:
        try:
            # PostgreSQL ends a transaction in which a statement failed
            with connection.begin_nested():
                found = _guess(inspector, schema, name, catalogue)
        except (DBAPIError, NoSuchTableError, UnreflectableTableError):
            # a view whose tables are gone
            continue
        if found is not None:
            yield found


def _guess(inspector: Inspector, schema: str | None, table: str, catalogue: Catalogue) -> MappingGuess | None:
    columns: dict[str, TypeEngine[Any]] = {
        str(each["name"]): each["type"] for each in inspector.get_columns(table, schema=schema)
    }
    timed = [name for name, kind in columns.items() if isinstance(kind, DateTime | Date) and name not in _HOUSEKEEPING]
    time = _first(_TIMES, timed) or _first(_TIMES, columns) or (timed[0] if timed else None)
    if time is None:
        return None
    texts = [name for name, kind in columns.items() if isinstance(kind, String | Enum)]
    whole = [name for name, kind in columns.items() if isinstance(kind, Integer | Uuid) and name not in _HOUSEKEEPING]
    station = _first(_STATIONS, texts) or _first(_STATIONS, [name for name in whole if name != time])
    tag = _first(_TAGS, [name for name in texts if name != station])
    value = _first(_VALUES, columns)
    numbers = [name for name, kind in columns.items() if isinstance(kind, Numeric | Float | Integer)]
    sensors = _sensors([name for name in numbers if name not in _HOUSEKEEPING | {time, station}], catalogue)
    tall = tag is not None and value is not None
    if not tall and not sensors:
        return None
    score = 2 * len(sensors) + 3 * tall + (station is not None)
    updated = "updated_at" if "updated_at" in columns else None
    return MappingGuess(
        schema, table, columns, time, station, tag if tall else None, value if tall else None, sensors, score, updated
    )


def _first(words: Sequence[str], names: Iterable[str]) -> str | None:
    present = list(names)
    whole = (name for word in words for name in present if name.lower() == word)
    part = (name for word in words if len(word) > 2 for name in present if word in name.lower())
    return next(whole, None) or next(part, None)


def _sensors(columns: Sequence[str], catalogue: Catalogue) -> dict[str, str]:
    """The first column of each sensor by what its name means;
    of a sensor that is the site's own, by the sensor's name in it.
    """
    found: dict[str, str] = {}
    for sensor in catalogue:
        own = sensor.name not in KNOWN and re.compile(rf"(^|_){re.escape(sensor.name)}")
        fits = (
            name
            for name in columns
            if (own.search(name.lower()) if own else (said := meaning(name)) and said.sensor == sensor.name)
        )
        place = next((name for name in fits if name not in found.values()), None)
        if place is not None:
            found[sensor.name] = place
    return found


def sample_of(connection: Connection, guess: MappingGuess) -> Sample:
    """Return a sample of the tags and times in the first rows of a proposed table."""
    tags = {str(tag) for tag in _some(connection, guess, guess.tag, 20_000)} if guess.tag is not None else set()
    return Sample(sorted(tags), _some(connection, guess, guess.time, 100))


def _some(connection: Connection, guess: MappingGuess, name: str, rows: int) -> list[Any]:
    query: Select[tuple[Any]] = select(column(name)).select_from(named(guess.table, schema=guess.schema)).limit(rows)
    return [value for value in connection.execute(query).scalars() if value is not None]


def mapping_text(guess: MappingGuess, catalogue: Catalogue, timezone: str, sample: Sample, others: Sequence[str]) -> str:
    """Return the mapping as commented TOML; its URL stays in the environment."""
    tags = sample.tags
    tall = guess.tag is not None
    sensors = _sensors(tags, catalogue) if tall else guess.sensors
    placed = set(sensors.values()) | {guess.time, guess.station, guess.tag, guess.value} | _HOUSEKEEPING
    left = [tag for tag in tags if tag not in placed] if tall else [name for name in guess.columns if name not in placed]
    lines = [
        "# A first guess: correct it, then try it with",
        "#   RIWAYAT_SOURCE=THIS_FILE SITE_DATABASE_URL=… manage.py source check",
        'url_env = "SITE_DATABASE_URL"       # or url = "…"',
        *([f"schema = {toml_string(guess.schema)}"] if guess.schema else []),
        f"table = {toml_string(guess.table)}" + (f"   # also possible: {', '.join(map(toml_string, others))}" if others else ""),
        f'layout = "{"tall" if tall else "wide"}"',
        _time_key(guess),
        *_time_lines(guess.columns[guess.time], sample.times),
        f"timezone = {toml_string(timezone)}   # of times without a zone",
        f"station = {toml_string(guess.station)}"
        if guess.station
        else 'station_name = "station-1"   # no column seems to name stations',
        "",
        "[sensors]   # sensor of the catalogue = " + ("tag" if tall else "column"),
        *(_sensor_line(sensor, place, catalogue) for sensor, place in sensors.items()),
        *(f"# …  = {toml_string(place)}" for place in left),
        *(
            ["", "[freshness]   # give updated_at an index, so that corrections are found by it", '# updated = "updated_at"']
            if guess.updated
            else []
        ),
        *(["", "[tall]", f"tag = {toml_string(str(guess.tag))}", f"value = {toml_string(str(guess.value))}"] if tall else []),
    ]
    return "\n".join(lines) + "\n"


def _time_key(guess: MappingGuess) -> str:
    """The column of the time; a date together with the first column that holds a time of day."""
    kind = guess.columns[guess.time]
    hours = next((name for name, each in guess.columns.items() if isinstance(each, Time)), None)
    if hours is None or not isinstance(kind, Date):
        return f"time = {toml_string(guess.time)}   # {kind}"
    return f"time = [{toml_string(guess.time)}, {toml_string(hours)}]   # {kind} and {guess.columns[hours]}"


def _time_lines(kind: TypeEngine[Any], times: Sequence[object]) -> list[str]:
    """How the times are written: the unit of numbers by their size,
    the format of text by trying the usual ones.
    """
    if isinstance(kind, Integer | Numeric | Float):
        greatest = max((float(value) for value in times if isinstance(value, int | float | Decimal)), default=0.0)
        unit = "s" if greatest < 1e11 else "ms" if greatest < 1e14 else "us"
        return [f'time_unit = "{unit}"   # "s", "ms" or "us" since 1970; the greatest of some is {greatest:.0f}']
    texts = [value for value in times if isinstance(value, str)]
    if not texts or not isinstance(kind, String) or all(_is_time(text, None) for text in texts):
        return []
    fits = next((each for each in _FORMATS if all(_is_time(text, each) for text in texts)), None)
    shown = f"such as {toml_string(texts[0])}"
    return [f"time_format = {toml_string(fits)}   # {shown}"] if fits else [f'# time_format = "%d/%m/%Y %H:%M"   # {shown}']


def _is_time(text: str, time_format: str | None) -> bool:
    try:
        datetime.strptime(text.strip(), time_format) if time_format else datetime.fromisoformat(text.strip())  # noqa: DTZ007
    except ValueError:
        return False
    return True


def _sensor_line(sensor: str, place: str, catalogue: Catalogue) -> str:
    return f"{sensor} = {toml_string(place)}   # in {catalogue[sensor].unit}; else {{ column = …, unit = … }}"
