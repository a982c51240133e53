"""A first mapping for a database that nobody has described yet: guessed from names and types, for a person to correct."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    column,
    inspect,
    select,
)
from sqlalchemy import table as named
from sqlalchemy.types import TypeEngine

from data.catalogue import Catalogue

_TIMES = ("timestamp_device", "timestamp", "time", "datetime", "date_time", "observed", "measured", "ts", "waktu", "date")
_STATIONS = ("station", "nama_group", "group", "site", "logger", "device", "location", "stasiun", "name")
_TAGS = ("nama_tag", "tag", "sensor", "parameter", "variable", "channel", "point")
_VALUES = ("nilai_tag", "value", "nilai", "val", "reading")
_HOUSEKEEPING = {"id", "batch_id", "created_at", "updated_at", "deleted_at"}
# Words of a column's name that mean a sensor of the default catalogue, besides the sensor's own name.
_SYNONYMS = {
    "temperature": ("temp", "suhu", "air_t", "airtc"),
    "humidity": ("hum", "rh", "kelembapan"),
    "pressure": ("press", "baro", "tekanan"),
    "rainfall": ("rain", "hujan", "precip"),
    "wind_speed": ("ws", "windspeed", "kecepatan_angin"),
    "wind_direction": ("wd", "winddir", "arah_angin"),
    "solar_radiation": ("solar", "radiation", "radiasi", "srad", "slr"),
    "par_sensor": ("par",),
}


@dataclass(frozen=True)
class Guess:
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


def guesses(connection: Connection, catalogue: Catalogue, schema: str | None = None) -> list[Guess]:
    """Tables and views that have a time and a sensor, best first."""
    inspector = inspect(connection)
    names = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
    found = [_guess(inspector, schema, name, catalogue) for name in names]
    return sorted((each for each in found if each is not None), key=lambda each: (-each.score, each.table))


def _guess(inspector: Inspector, schema: str | None, table: str, catalogue: Catalogue) -> Guess | None:
    columns: dict[str, TypeEngine[Any]] = {
        str(each["name"]): each["type"] for each in inspector.get_columns(table, schema=schema)
    }
    timed = [name for name, kind in columns.items() if isinstance(kind, DateTime | Date) and name not in _HOUSEKEEPING]
    time = _first(_TIMES, timed) or _first(_TIMES, columns) or (timed[0] if timed else None)
    if time is None:
        return None
    texts = [name for name, kind in columns.items() if isinstance(kind, String | Enum)]
    station = _first(_STATIONS, texts)
    tag = _first(_TAGS, [name for name in texts if name != station])
    value = _first(_VALUES, columns)
    numbers = [name for name, kind in columns.items() if isinstance(kind, Numeric | Float | Integer)]
    sensors = _sensors([name for name in numbers if name not in _HOUSEKEEPING], catalogue)
    tall = tag is not None and value is not None
    if not tall and not sensors:
        return None
    score = 2 * len(sensors) + 3 * tall + (station is not None)
    return Guess(schema, table, columns, time, station, tag if tall else None, value if tall else None, sensors, score)


def _first(words: Sequence[str], names: Iterable[str]) -> str | None:
    present = list(names)
    whole = (name for word in words for name in present if name.lower() == word)
    part = (name for word in words if len(word) > 2 for name in present if word in name.lower())
    return next(whole, None) or next(part, None)


def _sensors(columns: Sequence[str], catalogue: Catalogue) -> dict[str, str]:
    found: dict[str, str] = {}
    for sensor in catalogue:
        words = (sensor.name, *_SYNONYMS.get(sensor.name, ()))
        fits = (name for word in words for name in columns if re.search(rf"(^|_){re.escape(word)}", name.lower()))
        place = next((name for name in fits if name not in found.values()), None)
        if place is not None:
            found[sensor.name] = place
    return found


def tags_of(connection: Connection, guess: Guess) -> list[str]:
    """Some tags of a tall table, from its first rows."""
    if guess.tag is None:
        return []
    query: Select[tuple[Any]] = select(column(guess.tag)).select_from(named(guess.table, schema=guess.schema)).limit(20_000)
    return sorted({str(tag) for tag in connection.execute(query).scalars() if tag is not None})


def mapping_text(guess: Guess, catalogue: Catalogue, timezone: str, tags: Sequence[str], others: Sequence[str]) -> str:
    """The mapping as TOML with comments; the URL is left to the environment, where a password belongs."""
    tall = guess.tag is not None
    sensors = _sensors(tags, catalogue) if tall else guess.sensors
    placed = set(sensors.values()) | {guess.time, guess.station, guess.tag, guess.value} | _HOUSEKEEPING
    left = [tag for tag in tags if tag not in placed] if tall else [name for name in guess.columns if name not in placed]
    number = isinstance(guess.columns[guess.time], Integer | Numeric | Float)
    lines = [
        "# A first guess: correct it, then try it with",
        "#   RIWAYAT_SOURCE=THIS_FILE SITE_DATABASE_URL=… manage.py source check",
        'url_env = "SITE_DATABASE_URL"       # or url = "…"',
        *([f"schema = {_quoted(guess.schema)}"] if guess.schema else []),
        f"table = {_quoted(guess.table)}" + (f"   # also possible: {', '.join(others)}" if others else ""),
        f'layout = "{"tall" if tall else "wide"}"',
        f"time = {_quoted(guess.time)}   # {guess.columns[guess.time]}",
        *(['time_unit = "s"   # or "ms", "us"'] if number else []),
        f"timezone = {_quoted(timezone)}   # of times without a zone",
        f"station = {_quoted(guess.station)}"
        if guess.station
        else 'station_name = "station-1"   # no column seems to name stations',
        "",
        "[sensors]   # sensor of the catalogue = " + ("tag" if tall else "column"),
        *(_sensor_line(sensor, place, catalogue) for sensor, place in sensors.items()),
        *(f"# …  = {_quoted(place)}" for place in left),
        *(["", "[tall]", f"tag = {_quoted(str(guess.tag))}", f"value = {_quoted(str(guess.value))}"] if tall else []),
    ]
    return "\n".join(lines) + "\n"


def _sensor_line(sensor: str, place: str, catalogue: Catalogue) -> str:
    return f"{sensor} = {_quoted(place)}   # in {catalogue[sensor].unit}; else {{ column = …, unit = … }}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
