"""Sites whose catalogue has derived sensors, with an own table that tests write to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from config import Settings
from data.ingest.writer import ObservationWriter
from data.request import HistoryRequest
from data.sensor_spans import spans_of
from data.site import Site, open_site
from data.tiles.series import Chunk, SeriesKey
from data.time.months import month_start_ms, parse_month
from jobs.kinds.history import load_history
from tests.databases import write_migrated

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
JANUARY, FEBRUARY, MARCH, APRIL = (month_start_ms(parse_month(f"2020-0{number}")) for number in (1, 2, 3, 4))
TABLE = """
label = "{name}"
unit = "{unit}"
unit_code = "{unit}"
valid = [{valid}]
aggregation = "mean"
drawing = "line"
color = "#884400"
decimals = 1
"""


def table(name: str, formula: str, unit: str = "degC", valid: str = "-90, 90", more: str = "") -> str:
    """The table of a derived sensor as a catalogue has it."""
    return f"\n[formulas.{name}]{TABLE.format(name=name, unit=unit, valid=valid)}formula = '{formula}'\n{more}\n"


def catalogue_with(folder: Path, *tables: str) -> Path:
    """Write a catalogue of some formulas beside the built-in sensors."""
    path = folder / "sensors.toml"
    path.write_text("".join(tables), encoding="utf-8")
    return path


@contextmanager
def site_with_formulas(folder: Path, *tables: str, **settings: object) -> Iterator[Site]:
    """Open a site of an empty own table."""
    sensors = catalogue_with(folder, *tables)
    site = open_site(Settings(data_dir=folder / "var", sensors=sensors, _env_file=None, **settings))  # type: ignore[arg-type]
    site.settings.prepare()
    write_migrated(site.settings.history_url)
    try:
        yield site
    finally:
        site.engine.dispose()


def store(
    site: Site, times: npt.ArrayLike, values: Mapping[str, npt.ArrayLike], bad: Sequence[int] = (), station: str = "a"
) -> None:
    """Write rows as an import does; ``bad`` are positions of rows that the source calls bad."""
    names, times = sorted(values), np.asarray(times, np.int64)
    columns = np.column_stack([np.broadcast_to(np.asarray(values[name], float), times.shape) for name in names])
    writer = ObservationWriter(site.engine, site.catalogue, names, names)
    flags = np.zeros(columns.shape, np.bool_)
    flags[list(bad)] = True
    with site.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        site.inventory.lock(connection, station)
        writer.write(connection, station, times, columns, flags)
        spans = spans_of(names, times, columns)
        site.inventory.describe(connection, station, sensors=spans, step_ms=int(times[1] - times[0]))


def asked(*sensors: str, start: int = JANUARY, end: int = APRIL, station: str = "a", resolution: str = "raw") -> HistoryRequest:
    """A request of one station."""
    return HistoryRequest((station,), sensors, start, end, resolution)  # type: ignore[arg-type]


def load(site: Site, request: HistoryRequest) -> dict[str, float | int]:
    """Load a history, and give its metrics."""
    return load_history(site, request, lambda _: None)


def rows(site: Site, sensor: str, station: str = "a") -> Chunk:
    """All rows of a series from January to March 2020."""
    return site.tiles.open_series(SeriesKey(site.source_id, station, sensor), JANUARY, APRIL).read()
