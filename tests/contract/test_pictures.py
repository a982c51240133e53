"""Pictures from the server: who gets which file by what answer, and what is in it."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from config import Settings
from data.request import request_of
from data.site import Site, open_site
from errors import Conflict, PictureFailed
from jobs.chromium import browser_folder, find_chromium, remove_browser_folder, render
from jobs.job import Status
from jobs.kinds.draw_picture import draw_picture, drawn_by
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.policy import PICTURE

JULY = request_of(["JFK", "EWR"], ["temperature", "wind_speed", "wind_direction"], "2013-07-01", "2013-08-01", "raw", "UTC")


@pytest.fixture(scope="module")
def with_july(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("july") / "var"))
    site = open_site(Settings(data_dir=made, _env_file=None))
    load_history(site, JULY, lambda progress: None)
    site.engine.dispose()
    return made


class World:
    """A site with a loaded month, and no worker."""

    def __init__(self, data_dir: Path, **more: Any) -> None:
        self.settings = Settings(data_dir=data_dir, timezone="UTC", _env_file=None, **more)
        self.client: FlaskClient = create_app(self.settings).server.test_client()
        self.ledger: Ledger = open_ledger(self.settings)
        self.site: Site = open_site(self.settings)
        self.history = self.ledger.record_completed("local", JULY, {}).id

    def ask(self, query: str, **headers: str) -> TestResponse:
        return self.get(f"/api/jobs/{self.history}/picture?{query}", **headers)

    def get(self, path: str, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.get(path, headers=named, buffered=True)  # files are closed

    def pictures(self) -> list[Any]:
        return [job for job in self.ledger.jobs() if job.kind == PICTURE]


@pytest.fixture
def world(with_july: Path, tmp_path: Path) -> Iterator[World]:
    made = World(Path(shutil.copytree(with_july, tmp_path / "site")), chromium="/bin/true")
    yield made
    made.site.engine.dispose()
    made.ledger.engine.dispose()


def said(answer: TestResponse) -> str:
    return str(answer.json["error"]["message"])  # type: ignore[index]


def test_asked_again_while_it_waits_it_is_the_same_job_and_then_the_file(world):
    first, second = world.ask("format=png&view=wind"), world.ask("format=png&view=wind")
    assert (first.status_code, first.json["id"]) == (202, second.json["id"])
    (job,) = world.pictures()
    tag, kind = drawn_by(job)
    drawn = world.settings.tiles_path / ".workbooks" / f"{tag}.{kind}"
    drawn.write_bytes(b"a picture")
    answer = world.ask("format=png&view=wind")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/png", b"a picture")
    assert "filename=riwayat_EWR-JFK_temperature-" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Disposition"].endswith("_20130701_20130801_wind.png")
    assert world.ask("format=png&view=wind", If_None_Match=answer.headers["ETag"]).status_code == 304
    assert world.ask("format=png").status_code == 202  # of another view it is another one


def test_the_picture_of_its_job_is_had_of_that_job_as_well(world):
    job = world.ask("format=pdf").json["id"]
    path = f"/api/jobs/{job}/picture"
    assert "still being drawn" in said(world.get(path))
    claimed = world.ledger.claim("w", ["history"])
    world.ledger.complete(job, claimed.attempt, {})
    assert "no longer kept" in said(world.get(path))
    tag, _ = drawn_by(world.ledger.get(job))
    (world.settings.tiles_path / ".workbooks" / f"{tag}.pdf").write_bytes(b"%PDF")
    assert world.get(path).data == b"%PDF"


def test_a_job_that_was_cancelled_is_told_and_not_begun_again_at_once(world):
    world.ledger.cancel(world.ask("format=svg").json["id"])
    answer = world.ask("format=svg")
    assert (answer.status_code, said(answer)) == (409, "Drawing the picture was cancelled. Try again in a minute.")


def test_without_chromium_it_says_what_to_install_and_html_is_had_all_the_same(with_july, tmp_path):
    world = World(Path(shutil.copytree(with_july, tmp_path / "site")), chromium="no-such-browser")
    answer = world.ask("format=png")
    assert (answer.status_code, world.pictures()) == (409, [])
    assert "apt install chromium" in said(answer)
    assert "RIWAYAT_CHROMIUM" in said(answer)
    assert world.ask("format=html").status_code == 200


def test_html_is_one_file_in_the_language_that_is_asked_for_and_is_not_sent_twice(world):
    answer = world.ask("format=html&view=calendar&language=id")
    page = answer.get_data(as_text=True)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert '<html lang="id">' in page
    assert "Suhu udara" in page
    assert "Sumber: Riwayat, localhost · " in page
    assert world.ask("format=html&view=calendar&language=id", If_None_Match=answer.headers["ETag"]).status_code == 304
    compressed = answer.headers["ETag"].rstrip('"') + ':br"'
    assert world.ask("format=html&view=calendar&language=id", If_None_Match=compressed).status_code == 304


def test_html_is_compressed_but_for_plotlys_script_which_is_compressed_once(world, monkeypatch):
    plain = world.ask("format=html")
    assert plain.headers["Content-Encoding"] == "identity"
    first = world.ask("format=html", Accept_Encoding="gzip, deflate, br")
    fed: list[int] = []
    made = zlib.compressobj

    class Fed:
        def __init__(self, *options: int) -> None:
            self._made = made(*options)
            self.flush = self._made.flush

        def compress(self, data: bytes) -> bytes:
            fed.append(len(data))
            return self._made.compress(data)

    monkeypatch.setattr(zlib, "compressobj", Fed)
    again = world.ask("format=html", Accept_Encoding="br;q=1.0, gzip;q=0.5")
    assert (again.headers["Content-Encoding"], again.data) == ("gzip", first.data)
    assert again.headers["Vary"] == plain.headers["Vary"]
    assert gzip.decompress(again.data) == plain.data
    assert 0 < sum(fed) < len(plain.data) / 5, "the script again"
    assert world.ask("format=html", Accept_Encoding="br", If_None_Match=again.headers["ETag"]).status_code == 304


def test_series_that_are_hidden_are_not_in_it(world):
    both, one = (world.ask(f"format=html{more}").get_data(as_text=True) for more in ("", "&hidden=EWR.temperature&hidden=x"))
    assert '"legendgroup":"EWR.temperature"' in both
    assert '"legendgroup":"EWR.temperature"' not in one
    assert '"legendgroup":"JFK.temperature"' in one


@pytest.mark.parametrize(
    ("query", "status"), [("format=gif", 400), ("view=nothing", 400), ("view=wind&by=nothing", 400), ("view=trend&x=1", 400)]
)
def test_what_cannot_be_drawn_is_refused_before_a_job_begins(world, query, status):
    assert world.ask(query).status_code == status
    assert world.pictures() == []


def test_a_history_that_loads_or_has_lost_tiles_has_no_picture(world):
    queued = world.ledger.submit("local", request_of(["LGA"], ["temperature"], "2013-01-01", "2013-02-01", "raw", "UTC"))
    assert world.get(f"/api/jobs/{queued.id}/picture?format=html").status_code == 409
    world.site.tiles.clear()
    assert world.ask("format=html").status_code == 409


def test_what_was_to_be_drawn_goes_with_its_time_and_that_is_said(world):
    world.ask("format=svg")
    (job,) = world.pictures()
    (figure,) = (world.settings.tiles_path / ".workbooks").glob("*.figure")
    os.utime(figure, (0, 0))
    with pytest.raises(Conflict, match="no longer kept"):
        draw_picture(world.site, job.inquiry, "draft", lambda progress: None)


def test_a_browser_that_does_not_start_fails_the_attempt_and_leaves_nothing(world):
    """Over two seconds: kaleido asks a browser that has gone to end."""
    with pytest.raises(PictureFailed) as raised:  # /bin/true ends at once
        render(world.settings, {"data": [], "layout": {}}, "png", "en", "left")
    assert raised.value.retryable
    assert not browser_folder("left").exists()
    remove_browser_folder("left")


@pytest.mark.browser
def test_chromium_draws_it_with_the_words_of_its_language(world, monkeypatch):
    """Over two seconds: a browser starts."""
    monkeypatch.setattr(world, "settings", Settings(data_dir=world.settings.data_dir, _env_file=None))
    assert find_chromium(world.settings)
    world.ask("format=svg&language=id&from=2013-07-30T00:00:00Z&to=2013-08-01T00:00:00Z")
    (job,) = world.pictures()
    site = open_site(world.settings)
    seen: list[float] = []
    metrics = draw_picture(site, job.inquiry, "mine", lambda progress: seen.append(progress.fraction))
    drawn = site.shelf.find(*drawn_by(job)).read_text()
    assert metrics["bytes"] == len(drawn.encode())
    assert seen[-1] == 1.0
    assert all(words in drawn for words in ("Suhu udara", "30 Jul 2013 – 31 Jul 2013 UTC", "Sumber: Riwayat, localhost"))
    assert "fill: rgb(255, 255, 255)" in drawn
    assert not browser_folder("mine").exists()
    again = draw_picture(site, job.inquiry, "mine", lambda progress: None)
    assert again["reused"] == 1
    assert json.loads(job.inquiry)["language"] == "id"
    assert job.status is Status.QUEUED
    site.engine.dispose()
