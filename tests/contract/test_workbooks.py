"""Workbooks as jobs: who gets which file by what answer, what is in it, and how long it is kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from access.audit.entries import AuditFilter
from access.store import open_access
from app import create_app
from config import Settings
from data.export.formats import export_file
from data.export.shelf import DRAFT_LIFE_S, FETCH_S, Shelf
from data.flag_choice import USUAL_FLAGS
from data.request import HistoryRequest, request_of
from data.site import Site, open_site
from errors import RowsChanged, TooLarge
from jobs.job import Job, Status
from jobs.kinds.export_file import export_file_tag, write_export
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.policy import WORKBOOK
from jobs.worker.child import make_run_job
from tests.people import grant_everyone
from tests.processes import ROOT
from tests.sheets import sheet_rows
from tests.tiled import KEY, MARCH_2019, MINUTE, sensor_named, store_rows

MARCH = "format=xlsx&from=2013-03-01T00:00:00Z&to=2013-04-01T00:00:00Z"


@dataclass(frozen=True)
class World:
    """A site with a loaded year, without a worker."""

    settings: Settings
    site: Site
    ledger: Ledger
    user: Callable[[str], FlaskClient]
    year: HistoryRequest

    def history(self, user: str = "sari") -> str:
        """Id of the user's completed job of the year."""
        return self.ledger.record_completed(user, self.year, {}).id

    def run(self) -> Job:
        """Do what a worker does with the next job; the job as it ended."""
        job = self.ledger.claim("w", ["history", "history-large"])
        assert job is not None
        make_run_job(self.settings)(job.id, job.attempt)
        return self.ledger.get(job.id)


class Closing(FlaskClient):
    """Reads answers to their end and closes them, as a server does: they may be files."""

    def open(self, *args: Any, **how: Any) -> TestResponse:
        return super().open(*args, **{"buffered": True, **how})


YEAR = request_of(["EWR"], ["rainfall", "temperature"], "2013-01-01", "2014-01-01", "raw", "UTC")


@pytest.fixture(scope="module")
def with_year(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site on which YEAR is loaded; tests take a copy."""
    made = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("year") / "var"))
    settings = Settings(data_dir=made, auth="proxy", _env_file=None)
    site = open_site(settings)
    load_history(site, YEAR, lambda progress: None)
    site.engine.dispose()
    grant_everyone(settings)
    return made


@pytest.fixture
def world(with_year: Path, tmp_path: Path) -> Iterator[World]:
    data_dir = Path(shutil.copytree(with_year, tmp_path / "site"))
    settings = Settings(data_dir=data_dir, auth="proxy", admins="root", user_jobs=2, _env_file=None)
    server, site, ledger = create_app(settings).server, open_site(settings), open_ledger(settings)

    server.test_client_class = Closing

    def user(name: str) -> FlaskClient:
        client = server.test_client()
        client.environ_base["HTTP_X_FORWARDED_USER"] = name
        return client

    yield World(settings, site, ledger, user, YEAR)
    site.engine.dispose()
    ledger.engine.dispose()


def workbooks(world: World) -> list[str]:
    """Names of what lies on the shelf."""
    return sorted(path.name for path in (world.settings.tiles_path / ".workbooks").glob("*"))


# -- answers ---------------------------------------------------------------------------------------


def test_asked_again_while_it_waits_it_is_the_same_job_and_then_the_file(world):
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/data?{MARCH}"
    first, second = sari.get(path), sari.get(path)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.headers["Location"] == second.headers["Location"] == f"/api/jobs/{first.json['id']}"
    shown = sari.get(first.headers["Location"]).json
    assert (shown["kind"], shown["owner"], shown["request"]["start"]) == ("workbook", "sari", "2013-03-01T00:00:00Z")
    done = world.run()
    assert (done.status, done.kind, done.progress.fraction) == (Status.COMPLETED, WORKBOOK, 1.0)
    got = sari.get(path)
    assert (got.status_code, got.data[:4]) == (200, b"PK\x03\x04")
    assert done.metrics["bytes"] == len(got.data)
    assert world.ledger.claim("w", ["history"]) is None


def test_netcdf_is_written_by_a_job_of_its_own_and_is_what_the_command_line_writes(world, tmp_path):
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/data?{MARCH.replace('xlsx', 'netcdf')}"
    receipt = sari.get(path)
    assert (receipt.status_code, sari.get(receipt.headers["Location"]).json["kind"]) == (202, "netcdf")
    done, got = world.run(), sari.get(path)
    assert (got.status_code, got.content_type, done.metrics["bytes"]) == (200, "application/netcdf", len(got.data))
    assert got.headers["Content-Disposition"].endswith(".nc")
    assert sari.get(path, headers={"If-None-Match": got.headers["ETag"]}).status_code == 304
    assert sari.get(f"/api/jobs/{done.id}/data").data == got.data
    march = done.request
    export_file(replace(world.site, flags=USUAL_FLAGS), march, tmp_path / "march.nc")
    assert (tmp_path / "march.nc").read_bytes() == got.data


def test_equal_rows_are_one_file_for_all_users_and_ways_to_ask(world):
    sari, budi = world.user("sari"), world.user("budi")
    ids = {
        sari.get(f"/api/jobs/{world.history()}/data?{MARCH}").json["id"],
        budi.get(f"/api/jobs/{world.history('budi')}/data?{MARCH}").json["id"],
    }
    assert len(ids) == 2  # each has a job of his own; the second finds what the first has written
    assert [int(world.run().metrics["reused"]) for _ in ids] == [0, 1]
    assert len(workbooks(world)) == 1
    assert sari.get(f"/api/jobs/{world.history()}/data?{MARCH}").status_code == 200


def test_unchanged_rows_are_304_even_when_the_file_is_gone(world):
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/data?{MARCH}"
    sari.get(path)
    world.run()
    tag = sari.get(path).headers["ETag"]
    world.site.shelf.clear()
    assert sari.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert sari.get(path).status_code == 202


def test_a_range_of_the_file_is_given_and_one_outside_is_refused(world):
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/data?{MARCH}"
    sari.get(path)
    world.run()
    whole = sari.get(path).data
    part = sari.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole[10:20])
    told = open_access(world.settings).audit.entries(AuditFilter(actor="sari", action="export"), limit=9)
    # the part as well: all but the first byte would be the whole file, untold
    assert len(told) == 2
    outside = sari.get(path, headers={"Range": f"bytes={len(whole)}-"})
    assert (outside.status_code, outside.json["error"]["code"]) == (416, "requested_range_not_satisfiable")


def test_the_file_is_broken_off_once_the_grant_is_gone(world, monkeypatch):
    monkeypatch.setattr("api.revocable_stream.CHECK_S", 0.0)
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/data?{MARCH}"
    sari.get(path)
    world.run()
    access = open_access(world.settings)
    with sari.get(path, buffered=False) as answer:
        pieces = iter(answer.response)
        assert next(pieces)[:4] == b"PK\x03\x04"
        for row in access.grants():
            access.remove_grant(row.id)
        with pytest.raises(ConnectionResetError):
            next(pieces)


def test_more_rows_than_a_worksheet_holds_are_refused_and_no_job_is_started(world, monkeypatch):
    monkeypatch.setattr("data.export.row_limits.SHEET_ROWS", 100)
    history = world.history()
    answer = world.user("sari").get(f"/api/jobs/{history}/data?{MARCH}")
    assert (answer.status_code, answer.json["error"]["code"], answer.json["error"]["field"]) == (413, "too_large", "format")
    assert "99 rows" in answer.json["error"]["message"]
    assert [job.id for job in world.ledger.jobs()] == [history]


def test_workbooks_count_in_the_users_share(world):
    sari, job = world.user("sari"), world.history()
    codes = [
        sari.get(f"/api/jobs/{job}/data?format=xlsx&from=2013-0{month}-01&to=2013-0{month}-20").status_code for month in (1, 2, 3)
    ]
    assert codes == [202, 202, 429]


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_who_only_asks_again_does_not_start_anew_what_has_just_ended_badly(world, end):
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/data?{MARCH}"
    job = sari.get(path).json["id"]
    if end == "cancelled":
        sari.post(f"/api/jobs/{job}/cancel")
    else:
        world.site.shelf.path("x").parent.write_text("no folder")
        assert world.run().error.code == "error"
        world.site.shelf.path("x").parent.unlink()
    answer = sari.get(path)
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "conflict")
    assert sari.post(f"/api/jobs/{job}/retry").status_code == 202
    assert sari.get(path).json["id"] == job
    assert world.run().status is Status.COMPLETED
    assert sari.get(path).status_code == 200


def test_a_page_of_another_site_starts_nothing(world):
    path = f"/api/jobs/{world.history()}/data?{MARCH}"
    answer = world.user("sari").get(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "cross_site")
    assert [job.kind for job in world.ledger.jobs()] == ["history"]


def test_a_workbooks_job_gives_figure_statistics_and_rows_of_its_window(world):
    sari = world.user("sari")
    job = sari.get(f"/api/jobs/{world.history()}/data?{MARCH}").json["id"]
    assert sari.get(f"/api/jobs/{job}/data").json["id"] == job  # while it waits: itself
    assert sari.get(f"/api/jobs/{job}/data?format=csv").status_code == 409
    world.run()
    assert sari.get(f"/api/jobs/{job}/figure").json["data"]
    assert sari.get(f"/api/jobs/{job}/stats").json["complete"] is True
    assert sari.get(f"/api/jobs/{job}/data?format=csv").data.count(b"\n") > 600
    assert sari.get(f"/api/jobs/{job}/data").data[:4] == b"PK\x03\x04"
    assert world.user("budi").get(f"/api/jobs/{job}/data").status_code == 404


def test_the_workbook_of_a_part_says_so_by_its_name(world):
    sari = world.user("sari")
    part = world.ledger.submit("sari", request_of(["EWR"], ["temperature"], "2013-01-01", "2013-12-01", "raw", "UTC"))
    world.ledger.cancel(part.id)
    path = f"/api/jobs/{part.id}/data?format=xlsx"
    job = sari.get(path).json["id"]
    world.run()
    assert "_partial.xlsx" in sari.get(path).headers["Content-Disposition"]
    assert sari.get(f"/api/jobs/{job}/data").status_code == 200
    world.site.tiles.clear()
    assert sari.get(f"/api/jobs/{job}/data").status_code == 409


# -- what is in it ---------------------------------------------------------------------------------


def kept(settings: Settings, **series: tuple[Any, Any]) -> tuple[Site, HistoryRequest]:
    """A site with these series (times, values) of one station, by sensor,
    and the request of all of it.
    """
    site = open_site(settings)
    for name, (times, values) in series.items():
        store_rows(site.tiles, sensor_named(name), times, values, key=KEY._replace(sensor=name))
    times = np.concatenate([times for times, _ in series.values()])
    return site, HistoryRequest((KEY.station,), tuple(series), int(times.min()), int(times.max()) + 1)


def write(site: Site, request: HistoryRequest) -> Path:
    write_export(site, request, WORKBOOK, "x-1", lambda progress: None)
    return site.shelf.path(export_file_tag(site, request, WORKBOOK))


def test_every_digit_of_a_number_and_every_time_comes_back(settings):
    times = np.array([MARCH_2019, MARCH_2019 + 1500, MARCH_2019 + 86_400_000])
    values = np.array([0.1 + 0.2, -1e-7, 1 / 3])
    site, request = kept(settings, temperature=(times, values))
    header, *rows = sheet_rows(write(site, request))
    assert header == ("timestamp_utc", "timestamp_local", "station", "temperature (°C)", "flag")
    assert [row[3] for row in rows] == values.tolist()
    march = datetime.fromisoformat("2019-03-01")  # a workbook knows no zones; the header says UTC
    assert rows[0][:3] == (march, march, "aws-1")
    assert abs((rows[1][0] - march).total_seconds() - 1.5) < 1e-3
    assert rows[2][0] - march == timedelta(days=1)


def test_what_looks_like_a_formula_or_a_link_is_text(settings):
    for name in ("=1+1", "https://example.org", "+62", "007", "two\nlines", "a\x07b", "É ☂ "):
        site, request = kept(settings, temperature=([MARCH_2019], [1.0]))
        key = KEY._replace(station=name, sensor="temperature")
        store_rows(site.tiles, sensor_named("temperature"), [MARCH_2019], [1.0], key=key)
        path = write(site, HistoryRequest((name,), ("temperature",), request.start_ms, request.end_ms))
        cell = openpyxl.load_workbook(path)["Data"]["C2"]
        # openpyxl leaves what XML cannot hold as it is written there
        told = name.replace("\x07", "_x0007_")
        assert (cell.data_type, cell.value, cell.hyperlink) == ("s", told, None)


def test_rows_that_change_while_they_are_written_are_not_given_out(settings):
    site, request = kept(settings, temperature=([MARCH_2019], [1.0]))

    def load(_progress: object) -> None:
        store_rows(site.tiles, sensor_named("temperature"), [MARCH_2019], [2.0], generation=2)

    with pytest.raises(RowsChanged):
        write_export(site, request, WORKBOOK, "x-1", load)
    assert list((settings.tiles_path / ".workbooks").iterdir()) == []
    assert RowsChanged.retryable


def test_buckets_are_not_counted_by_reading_where_there_cannot_be_too_many(settings, monkeypatch):
    monkeypatch.setattr("data.export.row_limits.SHEET_ROWS", 400)
    times = MARCH_2019 + np.arange(2_000) * MINUTE
    site, request = kept(settings, temperature=(times, np.zeros(2_000)))
    hourly = HistoryRequest(request.stations, request.sensors, request.start_ms, request.end_ms, "1h")
    monkeypatch.setattr("data.export.row_limits.joined", lambda *_: pytest.fail("rows were read"))
    from data.export.row_limits import check_rows

    assert 34 <= check_rows(site, hourly, hourly.start_ms, hourly.end_ms, "xlsx") < 100
    with pytest.raises(TooLarge):
        check_rows(site, request, request.start_ms, request.end_ms, "xlsx")


_MEASURE = """
import json, re, sys
from pathlib import Path
import pyarrow
from config import Settings
from data.request import HistoryRequest
from data.site import open_site
from jobs.kinds.export_file import write_export

def peak_mb():  # not ru_maxrss, which begins with what the parent had
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024 / 1e6

pyarrow.array(["", "a"]).take(pyarrow.array([1, 0]))  # some 50 MB once, whatever is asked of it
site, before = open_site(Settings(data_dir=sys.argv[1], _env_file=None)), peak_mb()
found = write_export(site, HistoryRequest.from_json(sys.argv[2]), "workbook", "x-1", lambda progress: None)
print(json.dumps({"rows": found["rows"], "grown_mb": peak_mb() - before}))
"""


def test_memory_does_not_grow_with_the_rows(settings):
    """150,000 rows of three sensors: some 20 MB, mapped tiles included;
    cells that are kept in memory take 120 MB.
    """
    times = MARCH_2019 + np.arange(150_000) * MINUTE
    values = np.round(np.random.default_rng(1).normal(20, 5, len(times)), 2)
    names = ("temperature", "pressure", "humidity")
    _, request = kept(settings, **dict.fromkeys(names, (times, values)))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(settings.data_dir), request.to_json()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["rows"] == 150_000
    assert found["grown_mb"] < 60


# -- how long it is kept ---------------------------------------------------------------------------


def shelf_of(tmp_path: Path, *ages_s: float, ttl_s: float = 1e6, budget: int = 10**9) -> Shelf:
    """A shelf with a workbook of 100 bytes of each age, named a, b …"""
    shelf = Shelf(tmp_path, ttl_s, budget)
    for name, age_s in zip("abcdef", ages_s, strict=False):
        path = shelf.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(100))
        os.utime(path, (time.time() - age_s,) * 2)
    return shelf


def test_a_workbook_is_kept_for_its_time(tmp_path):
    shelf = shelf_of(tmp_path, 50, 200, ttl_s=100)
    assert (shelf.find("a"), shelf.find("b"), shelf.find("c")) == (shelf.path("a"), None, None)
    assert shelf.prune() == 100
    assert not shelf.path("b").exists()


def test_beyond_the_budget_the_oldest_go_but_none_that_somebody_may_be_about_to_fetch(tmp_path):
    shelf = shelf_of(tmp_path, FETCH_S + 10, FETCH_S + 30, FETCH_S + 20, 1, budget=200)
    assert shelf.prune(keep="b") == 200
    assert [shelf.path(name).exists() for name in "abcd"] == [False, True, False, True]
    assert shelf_of(tmp_path / "other", 1, FETCH_S + 1, budget=0).prune() == 100


@pytest.mark.parametrize("kind", ["xlsx", "nc", "answer"])
def test_files_of_every_kind_are_removed(tmp_path, kind):
    shelf = shelf_of(tmp_path)
    with shelf.draft("writing-1") as draft:
        draft.write_bytes(b"x" * 7)
        path = shelf.put(draft, "tag", kind)
    assert shelf.clear() == 7
    assert not path.exists()


def test_a_shelf_that_cannot_be_kept_in_order_stops_no_job(tmp_path):
    shelf = shelf_of(tmp_path, 50, ttl_s=10)
    path = shelf.path("a")
    path.unlink()
    path.mkdir()  # what cannot be unlinked
    os.utime(path, (time.time() - 50,) * 2)
    assert shelf.prune() == 0
    blocked = Shelf(tmp_path / "b", 10, 10)
    blocked.path("a").parent.parent.mkdir()
    blocked.path("a").parent.write_text("a file where the folder should be")
    assert (blocked.find("a"), blocked.prune(), blocked.clear()) == (None, 0, 0)


def test_drafts_that_lost_their_writer_go_and_others_stay(tmp_path):
    shelf = shelf_of(tmp_path, 1)
    with shelf.draft("writing-1") as path:
        lost = shelf.path("a").parent / "lost-1.draft"
        lost.mkdir()
        (lost / "part").write_bytes(b"x")
        for each in (lost / "part", lost):
            os.utime(each, (time.time() - DRAFT_LIFE_S - 1,) * 2)
        shelf.prune()
        assert not lost.exists()
        assert path.parent.exists()
    assert not path.parent.exists()
