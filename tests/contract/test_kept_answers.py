"""Analyses as jobs: who gets which answer by what way, that a kept answer is the very answer, and
that nothing half written or of other rows is given out.
"""

from __future__ import annotations

import json
import os
import signal
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from access.store import open_access
from analysis.answer import Moment
from analysis.codec import NoAnswer, decode, encode
from analysis.inquiry import Inquiry
from analysis.question import ask
from analysis.registry import ANALYSES, find
from data.export.shelf import ANSWER_FILE
from data.request import request_of
from data.site import open_site
from errors import RowsChanged
from jobs.job import Status
from jobs.kinds.history import load_history
from jobs.kinds.kept_answer import answer_tag, kept_answer, write_answer
from jobs.policy import ANALYSIS
from jobs.worker.attempt_cleanup import AttemptCleanup, draft_name
from tests.contract.test_workbooks import World, with_year, world  # noqa: F401 - fixtures

MARCH = "from=2013-03-01T00:00:00Z&to=2013-04-01T00:00:00Z"
NEEDS: dict[str, tuple[str, str, dict[str, str]]] = {  # stations, sensors and options of each analysis
    "scatter": ("EWR", "rainfall temperature", {}),
    "differences": ("EWR JFK", "temperature", {}),
    "drift": ("EWR JFK", "temperature rainfall", {}),
    "wind": ("EWR", "wind_speed wind_direction", {"by": "season", "of": "temperature"}),
    "rain": ("EWR", "rainfall", {}),
    "events": ("EWR", "temperature", {"above": "25"}),
    "earlier": ("EWR", "temperature", {"offset": "week"}),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than ten readings are too much for the web process."""
    for name, analysis in ANALYSES.items():
        monkeypatch.setitem(ANALYSES, name, replace(analysis, at_once=10))


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same, types of moments, arrays and their NaNs included."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if is_dataclass(one):
        return type(one) is type(other) and all(equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, (tuple, list)):
        return type(one) is type(other) and len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, Moment):
        return isinstance(other, Moment) and one == other
    return bool(one == other or (one != one and other != other))


def shelf(world: World, pattern: str = "*") -> list[str]:  # noqa: F811
    return sorted(path.name for path in (world.settings.tiles_path / ".workbooks").glob(pattern))


# -- the file --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ANALYSES))
def test_a_kept_answer_comes_back_exactly(data_dir, settings, name):
    site = open_site(settings.model_copy(update={"data_dir": data_dir}))
    stations, sensors, texts = NEEDS.get(name, ("EWR", "temperature", {}))
    if texts.get("of"):
        sensors += f" {texts['of']}"
    request = request_of(stations.split(), sensors.split(), "2013-03-01", "2013-05-01", "raw", "Asia/Jakarta")
    load_history(site, request, lambda _: None)
    analysis = find(name)
    april = (request.end_ms - 30 * 86_400_000, request.end_ms)
    answer = analysis.answer(ask(site, request, april), analysis.options(texts))
    back = decode(encode(answer))
    assert equal(back, answer)
    assert back.as_json() == answer.as_json()
    assert analysis.csv_table(back) == analysis.csv_table(answer) or "nan" in str(analysis.csv_table(answer))
    site.engine.dispose()


@pytest.mark.parametrize("spoil", [lambda c: c[:-1], lambda c: b"", lambda c: c[:40] + b"x" + c[41:], lambda c: b"\n" + c])
def test_a_damaged_answer_is_none(world, small, spoil):  # noqa: F811
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/analysis/summary?{MARCH}"
    sari.get(path)
    world.run()
    (file,) = (world.settings.tiles_path / ".workbooks").glob("*.answer")
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(NoAnswer):
        decode(file.read_bytes())
    assert sari.get(path).status_code == 202  # and the job makes it anew
    assert not file.exists()
    assert world.run().metrics["reused"] == 0
    assert sari.get(path).status_code == 200


# -- answers ---------------------------------------------------------------------------------------


def test_asked_again_while_it_waits_it_is_the_same_job_and_then_the_answer(world, monkeypatch):  # noqa: F811
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/analysis/calendar?{MARCH}"
    at_once = sari.get(path).json
    monkeypatch.setitem(ANALYSES, "calendar", replace(ANALYSES["calendar"], at_once=10))
    first, second = sari.get(path), sari.get(path)
    assert (first.status_code, second.status_code, first.headers["Retry-After"]) == (202, 202, "5")
    assert first.headers["Location"] == second.headers["Location"] == f"/api/jobs/{first.json['id']}"
    done = world.run()
    assert (done.status, done.kind, done.progress.fraction, done.metrics["reused"]) == (Status.COMPLETED, ANALYSIS, 1.0, 0)
    shown = sari.get(first.headers["Location"]).json
    assert (shown["kind"], shown["inquiry"]["analysis"]) == ("analysis", "calendar")
    got = sari.get(path)
    assert (got.status_code, got.json) == (200, at_once)
    assert sari.get(f"{path}&format=csv").text.startswith("station,sensor,unit,date")
    assert world.ledger.claim("w", ["history"]) is None
    (file,) = (world.settings.tiles_path / ".workbooks").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_another_window_option_zone_or_flag_is_another_question(world, small):  # noqa: F811
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/analysis/distribution?{MARCH}"
    ids = set()
    for more in ("", "&bins=7", "&zone=Asia/Jakarta", "&flagged=true", "&from=2013-03-02T00:00:00Z"):
        query = path.replace("from=2013-03-01T00:00:00Z&", "") if "from" in more else path
        ids.add(sari.get(query + more).json["id"])
        world.run()
    assert (len(ids), len(shelf(world))) == (5, 5)


def test_two_users_have_a_job_each_and_never_see_the_others(world, small):  # noqa: F811
    sari, budi = world.user("sari"), world.user("budi")
    mine = sari.get(f"/api/jobs/{world.history()}/analysis/summary?{MARCH}").json["id"]
    his = budi.get(f"/api/jobs/{world.history('budi')}/analysis/summary?{MARCH}").json["id"]
    assert mine != his
    assert budi.get(f"/api/jobs/{mine}").status_code == 404
    assert [int(world.run().metrics["reused"]) for _ in range(2)] == [0, 1]
    assert len(shelf(world)) == 1


def test_a_kept_answer_is_not_given_to_whom_the_rows_are_not_granted(world, small):  # noqa: F811
    job = world.history()
    path = f"/api/jobs/{job}/analysis/summary?{MARCH}"
    world.user("sari").get(path)
    world.run()
    assert world.user("sari").get(path).status_code == 200
    assert world.user("budi").get(path).status_code == 404
    access = open_access(world.settings)
    for row in access.grants():
        access.remove_grant(row.id)
    assert world.user("sari").get(path).status_code == 404


def test_rows_that_are_lost_make_no_answer_and_the_job_says_load_again(world, small):  # noqa: F811
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/analysis/summary?{MARCH}"
    sari.get(path)
    world.site.tiles.clear()
    done = world.run()
    assert (done.status, done.attempt, done.error.message) == (
        Status.FAILED,
        1,
        "Parts of this result are no longer cached. Load it again.",
    )
    assert shelf(world) == []


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_who_only_asks_again_does_not_start_anew_what_has_just_ended_badly(world, small, end):  # noqa: F811
    sari, path = world.user("sari"), f"/api/jobs/{world.history()}/analysis/summary?{MARCH}"
    job = sari.get(path).json["id"]
    if end == "cancelled":
        sari.post(f"/api/jobs/{job}/cancel")
    else:
        world.site.shelf.path("x").parent.write_text("no folder")
        assert world.run().error.code == "error"
        world.site.shelf.path("x").parent.unlink()
    assert (sari.get(path).status_code, sari.get(path).json["error"]["code"]) == (409, "conflict")
    assert sari.post(f"/api/jobs/{job}/retry").status_code == 202
    assert sari.get(path).json["id"] == job
    assert world.run().status is Status.COMPLETED
    assert sari.get(path).status_code == 200


def test_a_page_of_another_site_starts_nothing(world, small):  # noqa: F811
    path = f"/api/jobs/{world.history()}/analysis/summary?{MARCH}"
    answer = world.user("sari").get(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "cross_site")
    assert [job.kind for job in world.ledger.jobs()] == ["history"]


def test_readings_of_series_that_an_analysis_does_not_read_do_not_count(world, monkeypatch):  # noqa: F811
    path = f"/api/jobs/{world.history()}/analysis/rain?{MARCH}"
    rain = ANALYSES["rain"]
    question = ask(world.site, world.year, (world.year.start_ms, world.year.end_ms))
    assert rain.readings(question, rain.options({})) < sum(each.series.rows for each in question.series)
    march = world.user("sari").get(path).json["series"][0]["rows"]
    monkeypatch.setitem(ANALYSES, "rain", replace(rain, at_once=march))
    assert world.user("sari").get(path).status_code == 200
    monkeypatch.setitem(ANALYSES, "rain", replace(rain, at_once=march - 1))
    assert world.user("sari").get(path).status_code == 202


# -- the child -------------------------------------------------------------------------------------


def test_progress_tells_the_month_and_grows(world):  # noqa: F811
    told: list[Any] = []
    inquiry = Inquiry.of("summary", (world.year.start_ms, world.year.end_ms), find("summary").options({}), flagged=False)
    write_answer(world.site, world.year, inquiry, "x-1", told.append)
    assert len({progress.month for progress in told}) > 12
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert (fractions[-1], 0.85 < fractions[-2] <= 0.9) == (1.0, True)


def test_rows_that_change_meanwhile_are_not_kept(world, monkeypatch):  # noqa: F811
    tags = iter("abcdefgh")
    monkeypatch.setattr("jobs.kinds.kept_answer.answer_tag", lambda *_: next(tags))
    inquiry = Inquiry.of("summary", (world.year.start_ms, world.year.end_ms), find("summary").options({}), flagged=False)
    with pytest.raises(RowsChanged):
        write_answer(world.site, world.year, inquiry, "x-1", lambda _: None)
    assert shelf(world) == []


def test_a_child_that_is_killed_while_it_writes_leaves_a_draft_that_its_worker_removes(world, monkeypatch):  # noqa: F811
    def half(path: Path, content: bytes) -> None:
        with path.open("xb") as file:
            file.write(content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(Path, "write_bytes", half)
    inquiry = Inquiry.of("summary", (world.year.start_ms, world.year.end_ms), find("summary").options({}), flagged=False)
    world.site.engine.dispose()
    child = os.fork()
    if not child:
        write_answer(world.site, world.year, inquiry, draft_name("x", 1), lambda _: None)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert shelf(world) == ["x-1.draft"]
    assert kept_answer(world.site, world.year, inquiry) is None
    AttemptCleanup(world.ledger, None, world.site.shelf).start("x", 1)
    assert shelf(world) == []


def test_other_code_other_rows_and_other_sensors_have_another_tag(world, monkeypatch):  # noqa: F811
    inquiry = Inquiry.of("summary", (world.year.start_ms, world.year.end_ms), find("summary").options({}), flagged=False)
    tags = {answer_tag(world.site, world.year, inquiry)}
    monkeypatch.setattr("jobs.kinds.kept_answer.code_digest", lambda: "other")
    tags.add(answer_tag(world.site, world.year, inquiry))
    world.site.tiles.clear()
    tags.add(answer_tag(world.site, world.year, inquiry))
    assert len(tags) == 3


def test_a_kept_answer_is_removed_when_its_time_is_over(world, small):  # noqa: F811
    world.user("sari").get(f"/api/jobs/{world.history()}/analysis/summary?{MARCH}")
    job = world.run()
    inquiry = Inquiry.from_json(job.inquiry)
    assert kept_answer(world.site, job.request, inquiry) is not None
    assert world.site.shelf.find(answer_tag(world.site, job.request, inquiry), ANSWER_FILE) is not None
    assert json.loads(inquiry.options) == {}
    assert world.site.shelf.clear() > 0
    assert kept_answer(world.site, job.request, inquiry) is None
