"""Reading a mapping's file: the keys that :mod:`data.source.mapped.mapping_file` checks
become a :class:`SourceMapping`.
"""

from __future__ import annotations

import tomllib
from datetime import tzinfo
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from config import outside_value
from data.catalogue import Catalogue, Sensor
from data.cells.units import UnitError
from data.cells.values import ValueReader, value_reader
from data.source.mapped.mapping import ISO, Condition, MappedSensor, Names, Quality, SourceMapping
from data.source.mapped.mapping_file import ConditionEntry, MappingFile, SensorEntry
from data.source.mapped.read_only import refused, without_semicolon
from data.time.zones import zone_of
from errors import ConfigurationError

# Folders named station=001 make a column, of text: 001 is no 1.
# Files may have columns that others lack.
_PARQUET = "hive_partitioning = true, hive_types_autocast = false, union_by_name = true"


def load_mapping(path: Path, catalogue: Catalogue, timezone: str = "UTC") -> SourceMapping:
    """Read a mapping; ``timezone`` is the site's,
    for times without a zone where the file names none.

    Raises:
        ConfigurationError: naming file, key and what was expected.
    """
    try:
        return parse_mapping(path, path.read_text(encoding="utf-8"), catalogue, timezone)
    except OSError as exc:
        raise ConfigurationError("Cannot read the source mapping {path}: {why}.", path=path, why=exc.strerror or exc) from exc
    except UnicodeDecodeError as exc:
        raise ConfigurationError("The source mapping {path} is not TOML: {why}.", path=path, why=exc) from exc


def parse_mapping(path: Path, text: str, catalogue: Catalogue, timezone: str = "UTC") -> SourceMapping:
    """Parse the text of a mapping file; as :func:`load_mapping`."""
    try:
        file = MappingFile.model_validate(tomllib.loads(text)).with_time()
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError("The source mapping {path} is not TOML: {why}.", path=path, why=exc) from exc
    except ValidationError as exc:
        wrong = "; ".join(f"{_key(error['loc'])}: {error['msg'].removeprefix('Value error, ')}" for error in exc.errors())
        raise ConfigurationError("The source mapping {path} is wrong: {wrong}.", path=path, wrong=wrong) from exc
    check, url = file.freshness.check, _url(path, file)
    return SourceMapping(
        file=path,
        text=text,
        url=url,
        schema=file.schema_,
        table=file.table,
        query=_query(path, file, url),
        tables=file.tables,
        time=_all(file.time),
        time_unit=file.time_unit,
        time_format=None if file.time_format == ISO else file.time_format,
        time_reader=file.reader(file.decimal or "."),
        timezone=_zone(path, file.timezone or timezone),
        station=_all(file.station),
        station_name=file.station_name,
        stations=tuple(dict.fromkeys(file.stations or ())),
        sensors=tuple(_sensor(path, file, name, entry, catalogue) for name, entry in file.sensors.items()),
        where=tuple(_condition(each) for each in file.where),
        tag=file.tall.tag if file.tall else None,
        values=_all(file.tall.value) if file.tall else (),
        names=Names(**file.names.model_dump()) if file.names else None,
        order=file.order,
        high_water=file.freshness.id,
        updated=file.freshness.updated,
        check_minutes=None if check == "never" else 0.0 if check == "always" else float(check),
    )


def _all(names: str | list[str] | None) -> tuple[str, ...]:
    """Return one name or several as a tuple, in order."""
    return (names,) if isinstance(names, str) else tuple(names or ())


def _query(path: Path, file: MappingFile, url: URL) -> str | None:
    """The query, without the semicolon at its end."""
    if file.parquet is not None:
        files = file.parquet.replace("'", "''")
        return f"SELECT * FROM read_parquet('{files}', {_PARQUET})"  # noqa: S608 - quoted # nosec B608
    if file.query is None:
        return None
    why = refused(file.query, url.get_backend_name())
    if why:
        raise _wrong(path, "query", f"expected one SELECT, or WITH … SELECT; {why}")
    return without_semicolon(file.query, url.get_backend_name()).strip()


def _key(location: tuple[int | str, ...]) -> str:
    # pydantic names the branch of a union, too
    kinds = {"str", "SensorEntry", "ConditionEntry", "float", "int"}
    parts = [str(part) for part in location if str(part) not in kinds and "[" not in str(part)]
    return ".".join(parts) or "the file"


def _wrong(path: Path, key: str, why: object) -> ConfigurationError:
    return ConfigurationError("The source mapping {path} is wrong: {wrong}.", path=path, wrong=f"{key}: {why}")


def _url(path: Path, file: MappingFile) -> URL:
    if file.parquet is not None:
        return URL.create("duckdb", database=":memory:")
    text = file.url
    if file.url_env is not None:
        text = outside_value(file.url_env)
        if not text:
            raise _wrong(path, "url_env", f"expected the variable {file.url_env} to hold the database's URL; it is not set")
    try:
        return make_url(str(text))
    except (ArgumentError, ValueError) as exc:  # what was written may hold a password
        example = "postgresql://reader:secret@db.example/scada"
        raise _wrong(path, "url_env" if file.url_env else "url", f"expected a URL such as {example}") from exc


def _zone(path: Path, name: str) -> tzinfo:
    try:
        return zone_of(name)
    except ValueError as exc:
        raise _wrong(path, "timezone", exc) from exc


def _sensor(path: Path, file: MappingFile, name: str, entry: str | list[str] | SensorEntry, catalogue: Catalogue) -> MappedSensor:
    key, tall = f"sensors.{name}", file.layout == "tall"
    if name in catalogue and catalogue[name].formula:
        raise _wrong(path, key, "it is computed by a formula of the catalogue; leave it out, or map it under another name")
    if name not in catalogue:
        known = ", ".join(sensor.name for sensor in catalogue.measured)
        raise _wrong(path, key, f"expected a sensor of the catalogue ({known}); RIWAYAT_SENSORS may add others")
    if not isinstance(entry, SensorEntry):
        try:
            entry = SensorEntry(tag=entry) if tall else SensorEntry(column=entry if isinstance(entry, str) else None)
        except ValidationError as exc:  # a column's name is shorter than a tag may be
            raise _wrong(path, key, exc.errors()[0]["msg"]) from exc
    place, other = (entry.tag, entry.column) if tall else (entry.column, entry.tag)
    if place is None or other is not None:
        raise _wrong(path, key, f"expected {'tag = NAME or tag = [NAME, …]' if tall else 'column = NAME'}")
    return MappedSensor(
        name,
        _all(place),
        _reader(path, key, file, entry, catalogue[name]),
        entry.counts,
        entry.step_s,
        _quality(path, key, file, entry),
    )


def _reader(path: Path, key: str, file: MappingFile, entry: SensorEntry, sensor: Sensor) -> ValueReader:
    if entry.counts != "interval" and sensor.aggregation != "sum":
        raise _wrong(path, f"{key}.counts", f"{entry.counts} is for sums such as rainfall, not for {sensor.name}")
    if entry.counts == "rate" and entry.step_s is None:
        raise _wrong(path, f"{key}.counts", "a rate needs step_s, the seconds of its interval")
    try:
        return value_reader(entry, sensor.unit_code, whole=file)
    except UnitError as exc:
        raise _wrong(path, f"{key}.unit", exc) from exc


def _quality(path: Path, key: str, file: MappingFile, entry: SensorEntry) -> Quality | None:
    if (entry.quality is None) != (entry.good is None) or entry.good == []:
        raise _wrong(path, key, "expected quality = COLUMN together with good = [CODE, …]")
    if entry.quality is not None:
        return Quality(entry.quality, tuple(entry.good or ()))
    return Quality(file.quality.column, tuple(file.quality.good)) if file.quality else None


def _condition(each: ConditionEntry) -> Condition:
    if each.is_null:
        return Condition(each.column)
    return Condition(each.column, tuple(each.equals) if isinstance(each.equals, list) else (each.equals,))  # type: ignore[arg-type]
