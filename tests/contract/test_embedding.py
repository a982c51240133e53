"""The dialog "Embed this chart": all that it sends is the browser's, so it is untrusted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from access.embeds import embed_token as embeds_module
from access.grants import Grant, Rights
from access.identity import Identity
from access.store import open_access
from app import create_app
from callbacks.embedding import page_origin
from config import Settings
from data.request import request_of
from errors import Conflict, InvalidRequest, NotPermitted
from i18n import set_language
from jobs.authorized import may_embed
from jobs.job import Job
from jobs.ledger.ledger import open_ledger
from jobs.services import Services
from layouts.embed_fields import wanted
from layouts.embedding import ENDS_DAYS, LASTS, embed_list, end_names, last_names, range_options

ORIGIN = "https://portal.example"
DAY_MS = 86_400_000


@pytest.fixture
def services(site, data_dir) -> Iterator[Services]:
    settings = Settings(data_dir=data_dir, auth="proxy", _env_file=None)
    ledger, access = open_ledger(settings), open_access(settings)
    identity = Identity("sari", rights=Rights((Grant(may_embed=True),)))
    yield Services(settings, site, ledger, access, lambda: identity, lambda: None)
    for engine in (ledger.engine, access.engine, site.engine):
        engine.dispose()


@pytest.fixture
def job(services) -> Job:
    request = request_of(["JFK"], ["temperature"], "2013-03-01", "2013-06-01", "raw", "Asia/Jakarta")
    return services.ledger.record_completed("sari", request, {})


def meant(job: Job, **fields: Any) -> Any:
    given = {"kind": "fixed", "shown": None, "last": "7d", "theme": "auto", "language": "en", "switches": ["controls"]}
    return wanted(job.request, **{**given, **fields})


def test_a_fixed_range_is_the_window_that_is_visible_and_lies_in_the_job(job):
    start, end = job.request.start_ms, job.request.end_ms
    inside = [start + DAY_MS, end - DAY_MS]
    spec = meant(job, shown=dict(zip(("start", "end"), inside, strict=True)))
    assert [spec.start_ms, spec.end_ms] == inside
    for span in ([None, None], [end, start], [-1e30, 1e30], [start - DAY_MS, end + DAY_MS]):
        spec = meant(job, shown={"start": span[0], "end": span[1]})
        assert (spec.start_ms, spec.end_ms) == (start, end), span
    for nothing in (None, [], "x", [1], {"a": 1}):
        spec = meant(job, shown=nothing)
        assert (spec.start_ms, spec.end_ms, spec.view) == (start, end, "trend"), nothing


def test_the_view_that_is_shown_is_embedded_with_its_options_and_made_of_all_readings(job):
    daily = replace(job, request=replace(job.request, resolution="1d"))
    spec = meant(daily, shown={"view": "calendar", "options": {"show": "max"}})
    assert (spec.view, spec.options, spec.resolution) == ("calendar", {"show": "max"}, "raw")
    for wrong in (
        {"view": "tea"},
        {"view": "calendar", "options": {"show": "tea"}},
        {"view": "trend", "options": {"show": "max"}},
    ):
        with pytest.raises(InvalidRequest):
            meant(job, shown=wrong)


def test_the_chart_itself_is_the_jobs_whatever_the_fields_say(job):
    spec = meant(job, kind="rolling", last="30d", language=["xx"], theme="dark", switches=["transparent", "stations"])
    assert (spec.stations, spec.sensors, spec.timezone) == (("JFK",), ("temperature",), "Asia/Jakarta")
    assert (spec.last_ms, spec.language, spec.controls, spec.transparent) == (30 * DAY_MS, "en", False, True)


@pytest.mark.parametrize(
    "fields", [{"theme": ["dark"]}, {"theme": None}, {"kind": [], "last": None}, {"kind": "rolling", "last": "soon"}]
)
def test_fields_that_mean_nothing_are_refused(job, fields):
    with pytest.raises(InvalidRequest):
        meant(job, **fields)


@pytest.mark.parametrize(
    ("rights", "may"),
    [
        (Rights((Grant(may_embed=True),)), True),
        (Rights((Grant(),)), False),
        (Rights((Grant(), Grant(may_embed=True, to_ms=0))), False),
        (Rights((Grant(stations=("EWR",), may_embed=True),)), False),
    ],
)
def test_the_button_is_for_whom_may_embed_all_of_the_job(job, rights, may):
    assert may_embed(Identity("sari", rights=rights), job) is may


def test_an_owner_has_only_so_many_charts_in_other_pages(services, job, monkeypatch):
    monkeypatch.setattr(embeds_module, "MOST_EMBEDS", 2)
    now_ms = time.time_ns() // 1_000_000

    def make() -> Any:
        return embeds_module.make_embed(
            services.access, services.site, services.identify(), meant(job), ORIGIN, None, now_ms=now_ms
        )

    first, _second = make(), make()
    with pytest.raises(Conflict):
        make()
    embeds_module.revoke(services.access, services.identify(), first.id)
    make()


def test_a_key_without_the_scope_makes_none(services, job):
    reader = replace(services.identify(), scopes=frozenset({"read", "load"}))
    with pytest.raises(NotPermitted):
        embeds_module.make_embed(services.access, services.site, reader, meant(job), ORIGIN, None, now_ms=0)


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_words_of_all_choices_are_there(services, job, language):
    set_language(language)
    assert set(end_names()) == set(ENDS_DAYS)
    assert set(last_names()) == set(LASTS)
    assert len(range_options((job.request.start_ms, job.request.end_ms), "Asia/Jakarta")) == 2
    made = [
        embeds_module.make_embed(services.access, services.site, services.identify(), spec, ORIGIN, None, now_ms=0)
        for spec in (meant(job), meant(job, kind="rolling", last="5d"), meant(job, kind="rolling", last="24h"))
    ]
    shown = str(embed_list(made, services.site.catalogue, "Asia/Jakarta", 0))
    assert {"en": "the last 5 days", "id": "5 hari terakhir"}[language] in shown
    assert embed_list([replace(made[0], revoked_ms=1)], services.site.catalogue, "UTC", 0) is None


def test_the_dialog_is_part_of_the_page_and_the_frames_script_is_not(data_dir):
    client = create_app(Settings(data_dir=data_dir, _env_file=None)).server.test_client()
    html = client.get("/").get_data(as_text=True)
    assert "/assets/embedding.css" in html
    assert "embed.js" not in html
    assert "embed-dialog" in client.get("/_dash-layout").get_data(as_text=True)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://portal.example", "https://portal.example"),
        (" https://Portal.example:8443/weather/JFK?day=1#now ", "https://Portal.example:8443"),
        ("https://portal.example?x=https://b.example", "https://portal.example"),
        ("portal.example/weather", "portal.example/weather"),  # no scheme: refused by who reads it
        ("https://a@b/c", "https://a@b"),  # so is this
    ],
)
def test_the_dialog_takes_the_address_of_any_page_of_the_portal(address, origin):
    assert page_origin(address) == origin


def test_the_dialog_asks_for_an_address_where_none_is_written():
    with pytest.raises(InvalidRequest, match="Enter the site that will embed the chart"):
        page_origin("  ")
