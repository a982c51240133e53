"""Stores of tiles made from arrays, and what a view must equal:
plain computations over all rows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.tile_site import TileSite
from data.catalogue import Catalogue, Sensor, load_catalogue
from data.tiles.series import Series
from data.tiles.tile_store import Observations, SeriesKey, TileStore, clean
from data.time.months import month_start_ms, months_of

KEY = SeriesKey("own", "aws-1", "temperature")
MARCH_2019 = month_start_ms(2019 * 12 + 2)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def sensor_named(name: str, **changes: object) -> Sensor:
    """A sensor of the default catalogue, changed."""
    return replace(load_catalogue()[name], **changes)  # type: ignore[arg-type]


def site_with(root: Path, *sensors: Sensor) -> TileSite:
    """A site whose catalogue has these sensors besides the default ones."""
    known = dict(load_catalogue().sensors) | {sensor.name: sensor for sensor in sensors}
    return TileSite(TileStore(root), Catalogue(known))


def store_rows(
    store: TileStore,
    sensor: Sensor,
    times: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    bad_times: npt.ArrayLike | None = None,
    key: SeriesKey | None = None,
    generation: int = 1,
) -> Observations:
    """Clean rows, write their monthly tiles, publish them; what was cleaned."""
    key = key or KEY._replace(sensor=sensor.name)
    cleaned = clean(times, values, sensor, bad_times)
    months = months_of(cleaned.times)
    entries = []
    for month in np.unique(months).tolist():
        part = months == month
        tile = replace(cleaned, times=cleaned.times[part], values=cleaned.values[part], flags=cleaned.flags[part])
        entries.append(store.write(key, month, tile, generation=generation, fingerprint=sensor.fingerprint))
    store.publish(key, entries)
    return cleaned


def open_all(store: TileStore, cleaned: Observations, sensor: Sensor, key: SeriesKey | None = None) -> Series:
    """The series of rows that :func:`store_rows` stored, over just their range."""
    first, last = (int(cleaned.times[0]), int(cleaned.times[-1])) if len(cleaned.times) else (MARCH_2019, MARCH_2019)
    return store.open_series(key or KEY._replace(sensor=sensor.name), first, last + 1)
