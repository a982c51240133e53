"""What tells a page that follows that something is new."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from config import Settings
from data.ingest.writer import ObservationWriter
from data.site import Site, open_site
from data.station_versions import NO_VERSION, StationVersion, station_versions
from data.time.months import month_start_ms, parse_month

JANUARY = month_start_ms(parse_month("2020-01"))
MINUTE = 60_000


def store(site: Site, *minutes: int, station: str = "a") -> None:
    writer = ObservationWriter(site.engine, site.catalogue, ("temperature",))
    times = JANUARY + np.array(minutes, np.int64) * MINUTE
    with site.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        site.inventory.lock(connection, station)
        writer.write(connection, station, times, np.full((len(times), 1), 20.0 + len(minutes)))
        spans: Any = {"temperature": (int(times[0]), int(times[-1]))}
        site.inventory.describe(connection, station, sensors=spans, step_ms=MINUTE)


@pytest.fixture
def site(migrated_url, tmp_path):
    made = open_site(Settings(data_dir=tmp_path / "var", observations_url=migrated_url))
    yield made
    made.engine.dispose()


def test_a_version_grows_with_new_and_with_changed_rows_and_is_nothing_of_what_is_not_there(site):
    store(site, 0, 1, 2)
    assert station_versions(site.engine, "own", ["a", "b"]) == {"a": StationVersion(1, 3), "b": NO_VERSION}
    store(site, 3)
    store(site, 1)
    store(site, 60 * 24 * 40)  # another month
    assert station_versions(site.engine, "own", ["a"]) == {"a": StationVersion(4, 5)}
