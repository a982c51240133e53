"""The history page on a long station at full speed, with `python app.py` as a user runs it: every peak, restarts."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psutil
import pytest

from config import Settings
from data.catalogue import load_catalogue
from data.site import open_site
from jobs.job import Status
from jobs.ledger import open_ledger
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import SiteProcess, is_gone, run_manage, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(300)]

YEARS, STEP_S = 6, 60  # 3.2 million rows, 25 million values: some seconds to read
STATION = "demo-1"


@pytest.fixture(scope="session")
def long_observations(tmp_path_factory):
    """Path of a database with one long synthetic station; read only."""
    folder = tmp_path_factory.mktemp("long")
    done = run_manage("demo", "--years", str(YEARS), "--step", str(STEP_S), cwd=folder, timeout_s=250, data_dir=folder / "var")
    assert done.returncode == 0, done.stderr
    return folder / "var" / "observations.sqlite"


@pytest.fixture
def site_settings(tmp_path, long_observations):
    """Settings of a site on the long station that has loaded nothing yet; each test has its own jobs and tiles."""
    return {
        "data_dir": tmp_path / "site",
        "observations_url": f"sqlite:///{long_observations}",
        "timezone": "UTC",
        "worker_slots": 1,
    }


@pytest.fixture
def page(tmp_path, site_settings, dash_br):
    """The page of a running site, nothing chosen yet."""
    with SiteProcess(cwd=tmp_path, **site_settings) as site:
        site.start()
        yield HistoryPage(dash_br, site, open_ledger(Settings(**site_settings)))


@pytest.fixture
def whole(site_settings):
    """Fields that ask for everything there is."""
    station = open_site(Settings(**site_settings)).inventory.station(STATION)
    return {"station": STATION, "sensor": list(station.sensors), "from_": station.first_ms, "to": station.last_ms + 1}


def iso(fields):
    from data.months import iso_utc

    return {**fields, "from_": iso_utc(fields["from_"]), "to": iso_utc(fields["to"])}


def child_of_job(site):
    """The process that loads, or None."""
    for process in site.family():
        try:
            if process.name() == "riwayat-job":
                return process
        except psutil.Error:
            continue
    return None


def worker_of(site):
    return next((one for one in site.family() if "manage.py" in " ".join(one.cmdline()) and one.name() != "riwayat-job"), None)


def test_a_load_tells_its_progress_and_ends_with_every_peak(page, whole, long_observations):
    page.open(**iso(whole))
    job = page.load()
    wait_until(lambda: "reading" in page.text("progress-text").lower(), "progress in words", PATIENCE_S)
    wait_until(lambda: page.points > 0, "a figure while the job runs", PATIENCE_S)
    page.wait_for_job(job.id, Status.COMPLETED)
    page.wait_until_drawn()

    sensor = load_catalogue()["temperature"]
    query = "SELECT count(temperature), min(temperature), max(temperature) FROM observation WHERE temperature BETWEEN ? AND ?"
    with closing(sqlite3.connect(long_observations)) as database:
        _, least, greatest = database.execute(query, (sensor.valid_min, sensor.valid_max)).fetchone()
        (rows,) = database.execute("SELECT count(temperature) FROM observation").fetchone()
    name = f"{STATION} · {sensor.label('en')}"
    wait_until(lambda: page.extremes().get(name) == pytest.approx([least, greatest], abs=1e-4), "least and greatest", PATIENCE_S)
    assert f"{rows:,}".replace(",", "\u202f") in page.text("stats").replace("\u2009", "\u202f")


def test_a_restart_of_the_site_while_a_load_runs_ends_with_the_figure(page, whole, tmp_path, site_settings):
    page.open(**iso(whole))
    job = page.load()
    page.wait_for_fraction(job.id, 0.1)
    page.site.stop()
    with SiteProcess(cwd=tmp_path, port=page.site.port, **site_settings) as again:
        again.start()
        page.wait_for_job(job.id, Status.COMPLETED)
        page.wait_until_drawn()


def test_a_killed_worker_leaves_no_orphan_and_the_job_is_finished_after_its_restart(page, whole):
    page.open(**iso(whole))
    job = page.load()
    page.wait_for_fraction(job.id, 0.1)
    child, worker = child_of_job(page.site), worker_of(page.site)
    worker.kill()
    wait_until(lambda: is_gone(child), "the child to end", PATIENCE_S)
    page.wait_for_job(job.id, Status.COMPLETED)
    page.wait_until_drawn()
