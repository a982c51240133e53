"""A first profile that is known to read the file, and the first rows as they would be stored."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from data.catalogue import Catalogue
from data.database.engine import make_engine, migrate_observations
from data.database.tables import observation_table
from data.ingest.checking import check_file
from data.ingest.file_plan import FilePlan, ImportOptions, plan_file
from data.ingest.guess.first_profile import guess
from data.ingest.guess.profile_text import profile_text
from data.ingest.importing import import_files
from data.ingest.opening import opened
from data.ingest.profile import REQUIRED_ZONE, bundled_profiles, load_profile
from data.time.months import iso_utc
from errors import ConfigurationError, ImportRejected
from escaping import toml_string, visible

_HEAD_BYTES = 1 << 20
_SHOWN_ROWS = 10


@dataclass(frozen=True)
class Preview:
    """``profile``: the text of a profile. ``header`` and ``rows``: what it would store first,
    as text.

    ``refused``: why the file is not read with it as it is; then a person has to correct it.
    """

    profile: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    refused: str | None = None


def preview(path: Path, catalogue: Catalogue, wishes: ImportOptions) -> Preview:
    """Guess a profile for a file and try it: a bundled one where one fits,
    else one made of what the file shows.

    Raises:
        ImportRejected: when the file is no table, or nothing in it can be the time or a sensor.
    """
    with _head(path) as head:
        text = _text(path, head, catalogue, wishes)
        with tempfile.TemporaryDirectory() as folder:
            profile = Path(folder, "guess.toml")
            profile.write_text(text, encoding="utf-8")
            tried = replace(wishes, profile=str(profile))
            try:
                header, rows = _stored(head, Path(folder), catalogue, tried)
                check_file(plan_file(path, catalogue, tried))
            except (ImportRejected, ConfigurationError) as exc:
                return Preview(text, (), (), exc.message.replace(f"{head}", path.name))
    return Preview(text, header, rows)


@contextmanager
def _head(path: Path) -> Iterator[Path]:
    """Copy the first rows of a file of text or TOB to a file; another kind stays whole."""
    with opened(path) as file:
        data = file.stream.read(_HEAD_BYTES)
    if len(data) < _HEAD_BYTES or data.lstrip().startswith((b"PAR1", b"{", b"[")):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        head = Path(folder, path.name.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz"))
        head.write_bytes(data[: data.rfind(b"\n") + 1])
        yield head


def _text(path: Path, head: Path, catalogue: Catalogue, wishes: ImportOptions) -> str:
    bundled = _bundled(head, catalogue, wishes)
    try:
        found = guess(head, catalogue)
    except ImportRejected:
        if bundled is None:
            raise
        found = None
    # The names of TOA5 are the program's, so a bundled list may know fewer of them.
    if bundled is not None and (found is None or len(bundled.values) >= len(found.values)):
        return _bundled_text(path, bundled, wishes)
    assert found is not None  # noqa: S101 - else the bundled one was taken # nosec B101
    return profile_text(found, path, wishes.timezone or wishes.site_timezone, wishes.station)


def _bundled(head: Path, catalogue: Catalogue, wishes: ImportOptions) -> FilePlan | None:
    """How the bundled profile that reads most of the file reads it; None where none does."""
    plans = []
    for name in bundled_profiles():
        tried = replace(wishes, profile=name, station=wishes.station or _needed_station(name, head))
        if load_profile(name).timezone == REQUIRED_ZONE:
            tried = replace(tried, timezone=wishes.timezone or wishes.site_timezone)
        try:
            plan = plan_file(head, catalogue, tried)
            checked = check_file(plan)
        except (ImportRejected, ConfigurationError):
            continue
        if checked.last_ms:
            plans.append(plan)
    return max(plans, key=lambda plan: len(plan.values), default=None)


def _needed_station(name: str, head: Path) -> str | None:
    profile = load_profile(name)
    return None if profile.station or profile.station_name else head.name.split(".")[0]


def _bundled_text(path: Path, plan: FilePlan, wishes: ImportOptions) -> str:
    """The bundled profile's own text, with what the file does not tell."""
    name, profile = plan.profile_name, plan.profile
    text = bundled_profiles()[name].read_text(encoding="utf-8")
    zone = wishes.timezone or wishes.site_timezone
    for unknown in (f'timezone = "{REQUIRED_ZONE}"', 'timezone = "site"'):
        text = text.replace(
            unknown, f"timezone = {toml_string(zone)}   # unsure: the file does not tell; the site's, or as given"
        )
    lines = [
        f"# {visible(path.name)} is read by the bundled profile {name} (import --profile {name}). This is its text.",
        "#",
        "",
    ]
    if profile.station is None and profile.station_name is None and plan.layout.station_name is None:
        why = "as given" if wishes.station else "unsure: the file does not tell; its name"
        station = wishes.station or path.name.split(".")[0]
        keys = text.splitlines()
        first = next(number for number, line in enumerate(keys) if line and not line.startswith("#"))
        keys.insert(first, f"station_name = {toml_string(station)}   # {why}")
        text = "\n".join(keys) + "\n"
    return "\n".join(lines) + text


def _stored(
    head: Path, folder: Path, catalogue: Catalogue, wishes: ImportOptions
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The first rows of an import into a database of its own."""
    engine = make_engine(f"sqlite:///{folder / 'preview.sqlite'}")
    try:
        migrate_observations(engine, catalogue)
        import_files(engine, catalogue, [head], wishes)
        sensors = [sensor for sensor in catalogue if sensor.name in plan_file(head, catalogue, wishes).sensors]
        table = observation_table(catalogue).c
        query = select(table.station, table.time, *(table[sensor.name] for sensor in sensors)).order_by(table.time, table.station)
        with engine.connect() as connection:
            rows = connection.execute(query.limit(_SHOWN_ROWS)).all()
    finally:
        engine.dispose()
    header = ("time (UTC)", "station", *(f"{sensor.name} {sensor.unit}" for sensor in sensors))
    times = (iso_utc(row[1]).replace("T", " ").removesuffix("Z") for row in rows)
    values = (("–" if value is None else f"{value:.10g}" for value in row[2:]) for row in rows)
    return header, [(time, row[0], *told) for time, row, told in zip(times, rows, values, strict=True)]
