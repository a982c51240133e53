"""``manage.py history`` as a shell sees it."""

import csv
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from config import Settings
from data.tiles.month_lock import month_locked
from data.tiles.tile_store import TileStore
from data.time.months import parse_month
from jobs.job import Status
from jobs.ledger.ledger import Ledger, open_ledger
from tests.processes import ROOT, is_gone, run_manage, site_environment, wait_until

pytestmark = pytest.mark.process

RANGE = ("--station", "a", "--from", "2020-01-01", "--to", "2020-03-01", "--timezone", "UTC")
SERIES = {"station", "sensor", "unit", "rows", "flagged", "first", "last", "min", "min_time", "max", "max_time", "mean"}
JOB = {"id", "status", "seconds", "rows", "tiles_read", "tiles_reused", "peak_memory_mb", "bad_values", "bad_times"}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR with hourly rows of January and February 2020:
    temperature 0 … 23 by the hour, one of them 99.
    """
    folder = tmp_path_factory.mktemp("history")
    first = datetime(2020, 1, 1, tzinfo=UTC)
    with (folder / "rows.csv").open("w", newline="") as out:
        write = csv.writer(out).writerow
        write(["timestamp_utc", "station", "temperature", "rainfall"])
        for hour in range(60 * 24):
            write([(first + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ"), "a", 99 if hour == 25 else hour % 24, ""])
    for command in (["migrate"], ["import", "rows.csv"]):
        done = run_manage(*command, cwd=folder, data_dir=folder / "site")
        assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture
def site(imported: Path, tmp_path: Path) -> Path:
    """The test's own copy of it."""
    return Path(shutil.copytree(imported, tmp_path / "site"))


@pytest.fixture
def ledger(site: Path) -> Iterator[Ledger]:
    made = open_ledger(Settings(data_dir=site))
    yield made
    made.engine.dispose()


def test_history_loads_through_the_queue_says_exactly_what_there_is_and_reads_nothing_twice(site, tmp_path, ledger):
    words = ("history", *RANGE, "--sensor", "temperature", "--sensor", "rainfall")
    out = tmp_path / "out.csv"
    first = run_manage(*words, "--json", "--out", str(out), cwd=tmp_path, data_dir=site)
    assert first.returncode == 0, first.stderr
    assert "No worker is running; starting one for this job." in first.stderr
    answer = json.loads(first.stdout)  # nothing else is on standard output
    assert (set(answer), answer["without_data"]) == ({"job", "series", "without_data"}, [])
    assert set(answer["job"]) == JOB
    assert answer["job"] | {"id": 0, "seconds": 0, "peak_memory_mb": 0} == {
        "id": 0, "status": "completed", "seconds": 0, "rows": 1440, "tiles_read": 2, "tiles_reused": 0, "peak_memory_mb": 0,
        "bad_values": 0, "bad_times": 0,
    }  # fmt: skip
    assert answer["job"]["seconds"] > 0
    rain, temperature = answer["series"]
    assert set(rain) == set(temperature) == SERIES
    assert (rain["rows"], rain["first"], rain["mean"]) == (0, None, None)
    assert temperature == {
        "station": "a",
        "sensor": "temperature",
        "unit": "°C",
        "rows": 1440,
        "flagged": 1,
        "first": "2020-01-01T00:00:00Z",
        "last": "2020-02-29T23:00:00Z",
        "min": 0.0,
        "min_time": "2020-01-01T00:00:00Z",
        "max": 23.0,
        "max_time": "2020-01-01T23:00:00Z",
        # without the 99, which stands where a 1 would
        "mean": pytest.approx((60 * sum(range(24)) - 1) / 1439),
    }
    assert ledger.get(answer["job"]["id"]).status is Status.COMPLETED
    assert not ledger.workers()

    again = run_manage(*words, "--json", cwd=tmp_path, data_dir=site)
    assert json.loads(again.stdout)["job"]["tiles_read"] == 0
    assert json.loads(again.stdout)["job"]["tiles_reused"] == 2
    assert json.loads(again.stdout)["series"] == answer["series"]
    assert "No worker" not in again.stderr

    back = run_manage("import", str(out), "--json", cwd=tmp_path, data_dir=site)
    imported = json.loads(back.stdout)["files"][0]
    assert (imported["read"], imported["stored"], imported["replaced"], imported["rejected"]) == (1440, 0, 1440, 0)

    daily = run_manage(*words, "--resolution", "1d", "--out", str(out), "--force", cwd=tmp_path, data_dir=site)
    assert "Its times are the starts of the 1d buckets; to import a file again, write it with raw rows." in daily.stderr
    assert "raw rows" not in first.stderr

    chart = run_manage(*words, "--out", str(tmp_path / "chart.html"), cwd=tmp_path, data_dir=site)
    assert "chart.html" in chart.stderr
    assert "<title>a · Air temperature" in (tmp_path / "chart.html").read_text(encoding="utf-8")
    answer = ("analyse", "calendar", *words[1:], "--out", str(tmp_path / "days.html"))
    assert run_manage(*answer, cwd=tmp_path, data_dir=site).returncode == 0
    assert "completeness by day" in (tmp_path / "days.html").read_text(encoding="utf-8")


def test_a_file_is_reproduced_from_its_manifest_until_its_rows_change(site, tmp_path):
    def manage(*words):
        return run_manage(*words, cwd=tmp_path, data_dir=site)

    sensors = ("--sensor", "temperature", "--sensor", "rainfall")
    assert manage("history", *RANGE, *sensors, "--out", "rows.nc", "--manifest").returncode == 0
    same = manage("reproduce", "rows.nc.manifest.json", "--out", "again.nc")
    assert (same.returncode, same.stdout[:9]) == (0, "The same "), same.stderr
    assert (tmp_path / "again.nc").read_bytes() == (tmp_path / "rows.nc").read_bytes()

    (tmp_path / "more.csv").write_text("timestamp_utc,station,temperature\n2020-02-03T04:05:00Z,a,7.5\n")
    assert manage("import", "more.csv").returncode == 0
    other = manage("reproduce", "rows.nc.manifest.json", "--out", "other.nc", "--json")
    assert (other.returncode, json.loads(other.stdout)["same"]) == (1, False), other.stderr
    assert json.loads(other.stdout)["changed"] == ["a temperature: 1440 rows are 1441", "a temperature: changed: 2020-02"]
    assert not (tmp_path / "other.nc").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--sensor", "snow"), 1, "no sensor snow"),
        (("--sensor", "temperature", "--from", "2031-01-01", "--to", "2031-02-01"), 1, "Data is available from 2020-01-01"),
        (("--sensor", "temperature", "--from", "soon"), 2, "is not a time"),
        (("--sensor", "temperature", "--out", "x.doc"), 2, "no format doc"),
        (("--sensor", "temperature", "--out", "x.html", "--manifest"), 2, "of rows, not of pictures"),
        (("--sensor", "temperature", "--out", "x.pdf"), 1, "none is found. Install it"),
    ],
)
def test_what_cannot_be_loaded_says_why_and_starts_no_job(site, tmp_path, ledger, words, code, said):
    done = run_manage("history", *RANGE, *words, cwd=tmp_path, data_dir=site, chromium="no-such-browser")
    assert done.returncode == code
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert done.stdout == ""
    assert ledger.jobs() == []


def test_ctrl_c_cancels_the_job_and_leaves_no_process(site, tmp_path, ledger):
    store = TileStore(Settings(data_dir=site).tiles_path)
    with month_locked(store.root, "own", "a", parse_month("2020-01")):  # the job must wait for us
        command = [sys.executable, str(ROOT / "manage.py"), "history", *RANGE, "--sensor", "temperature"]
        process = subprocess.Popen(command, cwd=tmp_path, env=site_environment(data_dir=site), stderr=subprocess.PIPE, text=True)
        job = wait_until(lambda: next(iter(ledger.jobs(status=Status.RUNNING)), None), "a running job")
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert "Traceback" not in said
        assert ledger.get(job.id).status is Status.CANCELLED
        wait_until(lambda: all(is_gone(child) for child in children), "all of its processes to end")
