"""The history page on minutes of half a year, with `python app.py` as a user runs it:
every peak, a restart.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from config import Settings
from data.catalogue import load_catalogue
from data.site import open_site
from jobs.job import Status
from jobs.ledger.ledger import open_ledger
from tests.e2e.gate import Gate
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import SiteProcess, run_manage, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(300)]

YEARS, STEP_S = 0.5, 60  # a quarter of a million rows: more than a figure has points, by far
STATION = "demo-1"


@pytest.fixture(scope="session")
def long_observations(tmp_path_factory):
    """Path of a database with one long synthetic station; read only."""
    folder = tmp_path_factory.mktemp("long")
    done = run_manage("demo", "--years", str(YEARS), "--step", str(STEP_S), cwd=folder, timeout_s=250, data_dir=folder / "var")
    assert done.returncode == 0, done.stderr
    return folder / "var" / "observations.sqlite"


@pytest.fixture
def site_settings(tmp_path, site_port, long_observations):
    """Settings of a site on the long station that has loaded nothing yet;
    each test has its own jobs and tiles.
    """
    return {
        "data_dir": tmp_path / "site",
        "observations_url": f"sqlite:///{long_observations}",
        "timezone": "UTC",
        "worker_slots": 1,
        "port": site_port,
    }


@pytest.fixture
def page(tmp_path, site_settings, dash_br):
    """The page of a running site, nothing chosen yet."""
    with SiteProcess(cwd=tmp_path, **site_settings) as site:
        site.start()
        yield HistoryPage(dash_br, site, open_ledger(Settings(**site_settings)))


@pytest.fixture
def whole(site_settings):
    """Fields that ask for all rows of two sensors: a line and bars."""
    station = open_site(Settings(**site_settings)).inventory.station(STATION)
    return {"station": STATION, "sensor": ["temperature", "rainfall"], "from_": station.first_ms, "to": station.last_ms + 1}


def iso(fields):
    from data.time.months import iso_utc

    return {**fields, "from_": iso_utc(fields["from_"]), "to": iso_utc(fields["to"])}


@pytest.fixture
def gate(site_settings):
    """Holds the later half of the station's months, so that a load waits there."""
    with Gate(open_site(Settings(**site_settings))) as held:
        held.hold_from(STATION, 0.5)
        yield held


def test_a_load_tells_its_progress_and_through_a_restart_of_the_site_ends_with_every_peak(
    page, gate, whole, long_observations, tmp_path, site_settings
):
    page.open(**iso(whole))
    job = page.load()
    wait_until(lambda: "reading" in page.text("progress-text").lower(), "progress in words", PATIENCE_S)
    wait_until(lambda: page.points > 0, "a figure while the job runs", PATIENCE_S)
    page.wait_for_fraction(job.id, 0.1)
    page.site.stop()
    with SiteProcess(cwd=tmp_path, **site_settings) as again:
        again.start()
        gate.release()
        page.wait_for_job(job.id, Status.COMPLETED)
        page.wait_until_drawn()
        least, greatest, rows = in_the_database(long_observations)
        name = f"{STATION} · {load_catalogue()['temperature'].label('en')}"
        wait_until(
            lambda: page.extremes().get(name) == pytest.approx([least, greatest], abs=1e-4), "least and greatest", PATIENCE_S
        )
        counted = f"{rows:,}".replace(",", "\u202f")
        wait_until(lambda: counted in page.text("stats").replace("\u2009", "\u202f"), f"{rows} readings", PATIENCE_S)


def in_the_database(observations):
    """(least, greatest valid temperature, number of temperatures)."""
    sensor = load_catalogue()["temperature"]
    valid = "CASE WHEN temperature BETWEEN ? AND ? THEN temperature END"
    query = f"SELECT min({valid}), max({valid}), count(temperature) FROM observation"
    with closing(sqlite3.connect(observations)) as database:
        return database.execute(query, 2 * (sensor.valid_min, sensor.valid_max)).fetchone()
