"""The picture goes on by itself: what a gateway sends is drawn where the range ends now."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dash.testing.browser import Browser

from config import Settings
from data.time.epoch import epoch_ms
from data.time.months import iso_utc
from jobs.ledger.ledger import open_ledger
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import SiteProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

KEY = "follow-follow-follow"
MINUTE = 60_000
START = (epoch_ms() // MINUTE - 300) * MINUTE  # what ended days ago goes on no more


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SiteProcess]:
    """A site with a receiver, and two hours of one station."""
    with SiteProcess(cwd=tmp_path, data_dir=tmp_path / "var", timezone="UTC", ingest_keys=f"{KEY}:*") as process:
        process.start()
        send(process, range(120))
        yield process


@pytest.fixture
def page(site: SiteProcess, dash_br: Browser, tmp_path: Path) -> HistoryPage:
    return HistoryPage(dash_br, site, open_ledger(Settings(data_dir=tmp_path / "var")))


def send(site: SiteProcess, minutes: range) -> None:
    """Post a reading a minute."""
    rows = [{"station": "aws-1", "time": iso_utc(START + at * MINUTE), "temperature": 20 + at / 100} for at in minutes]
    body = json.dumps({"observations": rows}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    with urllib.request.urlopen(urllib.request.Request(f"{site.url}/api/observations", body, headers), timeout=10) as answer:
        assert answer.status == 202


def greatest(page: HistoryPage) -> float:
    return max((high for _, high in page.extremes().values()), default=0.0) if page.points else 0.0


def test_a_reading_that_is_sent_is_drawn_and_who_has_zoomed_is_told_of_it(site: SiteProcess, page: HistoryPage) -> None:
    def stored() -> bool:
        page.driver.get(f"{site.url}/?station=aws-1&sensor=temperature")
        return page.chosen("station") == ["aws-1"]

    wait_until(stored, "the station", PATIENCE_S)
    choose_all = "window.dash_clientside.set_props('range-preset', {value: 'all'})"
    chosen = f"try {{ {choose_all}; return true }} catch {{ return false }}"  # the page may still be made
    wait_until(lambda: page.driver.execute_script(chosen), "the presets", PATIENCE_S)
    end = f"{datetime.fromtimestamp((START + 120 * MINUTE) / 1000, UTC):%Y-%m-%d %H:%M}"
    wait_until(lambda: page.value("range-end") == end, "the range", PATIENCE_S)
    first = page.load()
    page.wait_until_drawn()
    assert greatest(page) == pytest.approx(21.19)

    went_on = "return dash_component_api.getLayout('follow-next').props.data?.status === 'completed'"
    wait_until(lambda: page.driver.execute_script(went_on), "the first step, which finds nothing new", PATIENCE_S)
    assert page.drawn_job == first.id
    page.driver.execute_script(
        "window.states = new Set(); new MutationObserver(() => states.add(document.getElementById('main').dataset.status))"
        ".observe(document.getElementById('main'), {attributeFilter: ['data-status']})"
    )
    send(site, range(120, 121))
    wait_until(lambda: greatest(page) == pytest.approx(21.2), "the new reading", PATIENCE_S)
    assert page.driver.execute_script("return [...window.states]") in ([], ["completed"])  # no panel came between
    followed = page.drawn_job
    assert followed != first.id
    wait_until(lambda: page.address_job == followed, "its address", PATIENCE_S)

    page.driver.execute_script("document.getElementById('chart-frame').focus(); riwayatChart.chart.zoom(0.5)")
    wait_until(
        lambda: page.driver.execute_script("return 'zoomed' && riwayatChart.chart.window !== null"), "the zoom", PATIENCE_S
    )
    send(site, range(121, 124))
    page.wait_for_text("follow-news", "3 new readings")
    assert page.drawn_job == followed
    page.press("follow-news")
    wait_until(lambda: greatest(page) == pytest.approx(21.23), "the newest reading", PATIENCE_S)
    assert not page.driver.find_element("id", "follow-news").is_displayed()
    assert page.severe() == []
