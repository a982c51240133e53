"""The review of what quality control found: an analyst in a browser, and a colleague who decides at
the same time.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from dash.testing.browser import Browser
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from access.grants import Grant
from config import Settings
from data.request import request_of
from data.site import open_site
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from tests.databases import migrate_as_new
from tests.e2e.chart_page import Chart
from tests.people import grant_everyone
from tests.processes import SiteProcess
from tests.store import store_at

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
HOURS, STUCK, STEP = 31 * 24, slice(300, 340), slice(510, 512)
REQUEST = request_of(["Ridge"], ["temperature"], "2024-01-01", "2024-02-01", "raw", "UTC")
MAXIMUM = "return document.querySelector('#stats [data-label=Maximum]').textContent"
MARKED = "return [...document.querySelectorAll('.review-table tr[aria-current]')].map((row) => row.textContent).join()"


def rows() -> str:
    """A temperature of a month that stands still at 41.7 °C for 40 hours, and jumps to 33.3 °C."""
    values = 20 + 4 * np.sin(np.arange(HOURS) / 24 * 2 * np.pi) + np.random.default_rng(1).normal(0, 0.4, HOURS)
    values[STUCK], values[STEP] = 41.7, 33.3
    lines = [f"{FIRST + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ},Ridge,{value:.1f}" for hour, value in enumerate(values)]
    return "\n".join(["timestamp_utc,station,temperature", *lines])


@dataclass(frozen=True)
class Colleague:
    """Somebody else who may review, and who uses the API."""

    url: str

    def decide(self, **body: Any) -> int:
        given = {"station": "Ridge", "sensor": "temperature", **body}
        request = urllib.request.Request(f"{self.url}/api/decisions", json.dumps(given).encode(), method="POST")
        for name, text in (("Content-Type", "application/json"), ("X-Forwarded-User", "budi")):
            request.add_header(name, text)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(json.load(answer)["number"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, site_port: int) -> Iterator[tuple[SiteProcess, Settings]]:
    folder = tmp_path_factory.mktemp("review")
    settings = Settings(data_dir=folder / "var", auth="proxy", timezone="UTC", _env_file=None)
    migrate_as_new(settings)
    store_at(settings.history_url, folder).load(rows())
    grant_everyone(settings, Grant(may_review=True))
    with SiteProcess(cwd=folder, port=site_port, data_dir=settings.data_dir, auth="proxy", timezone="UTC") as process:
        yield process.start(), settings


@pytest.fixture
def chart(site: tuple[SiteProcess, Settings], dash_br: Browser) -> Chart:
    """Ayu's page of the month."""
    process, settings = site
    load_history(open_site(settings), REQUEST, lambda _progress: None)
    job = open_ledger(settings).record_completed("ayu", REQUEST, {})
    dash_br.driver.execute_cdp_cmd("Network.enable", {})
    dash_br.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Forwarded-User": "ayu"}})
    return Chart(dash_br, process.url, job.id)


def key(chart: Chart, text: str) -> None:
    ActionChains(chart.driver).send_keys(text).perform()  # wherever the focus is


def maximum(chart: Chart, text: str) -> None:
    chart.wait(f"{MAXIMUM}.startsWith('{text}')", f"a maximum of {text}")


def press(chart: Chart, selector: str) -> None:
    chart.wait(f"return !!document.querySelector('{selector}')", selector)
    chart.run(f"document.querySelector('{selector}').click()")


def test_a_stuck_sensor_is_found_and_decided_about_by_keyboard_counts_and_is_undone(chart: Chart) -> None:
    maximum(chart, "33.3")  # what stands still is left out
    press(chart, "#views [data-view=quality]")
    press(chart, ".review-event")
    chart.wait(f"{MARKED}.includes('Stuck')", "the first event")
    chart.wait("return !!document.querySelector('.review-picture .scatterlayer .trace')", "its picture")
    number = len(chart.driver.find_elements(By.CSS_SELECTOR, ".review-table tbody tr"))
    assert chart.run("return document.querySelector('.review-count').textContent") == f"{number} of {number} to decide"
    key(chart, "r")  # it was real
    maximum(chart, "41.7")
    chart.wait_for(lambda: all(word in chart.run(MARKED) for word in ("Right", "ayu")), "what was decided, and by whom")
    chart.wait("return document.querySelector('.review-says').textContent === ''", "the end of its job")
    chart.wait("return document.querySelectorAll('.decisions-table tbody tr').length === 1", "the decision in the list")

    key(chart, "u")
    maximum(chart, "33.3")
    chart.wait(f"return document.querySelector('.review-count').textContent === '{number} of {number} to decide'", "none decided")
    key(chart, "j")
    chart.wait(f"!({MARKED}.includes('Stuck'))".replace("!(return ", "return !("), "the next event")
    key(chart, "w")
    maximum(chart, "2")  # without the reading of 33.3
    key(chart, "u")
    maximum(chart, "33.3")
    key(chart, Keys.ENTER)
    chart.wait("return document.querySelector('#views [aria-selected=true]').dataset.view === 'trend'", "Trend")
    assert not [entry for entry in chart.driver.get_log("browser") if entry["level"] == "SEVERE"]


def test_what_a_colleague_decided_meanwhile_is_shown_before_one_decides_otherwise(
    chart: Chart, site: tuple[SiteProcess, Settings]
) -> None:
    press(chart, "#views [data-view=quality]")
    press(chart, ".review-event")
    chart.wait(f"{MARKED}.includes('Stuck')", "the first event")
    start, end = FIRST + timedelta(hours=STUCK.start), FIRST + timedelta(hours=STUCK.stop - 1)
    span = {"from": start.isoformat(), "to": end.isoformat()}
    Colleague(site[0].url).decide(kind="wrong", rule="stuck", reason="ice on the mast", **span)
    key(chart, "r")
    chart.wait("return document.querySelector('.review-says').textContent.includes('ice on the mast')", "the other's decision")
    assert "budi" in chart.run("return document.querySelector('.review-says').textContent")
    press(chart, ".review-says button")
    maximum(chart, "41.7")
    assert "Right" in chart.run(MARKED)
    press(chart, ".decisions-table .btn")
    chart.wait("return document.querySelectorAll('.decisions-table tbody tr').length === 1", "the colleague's alone")
    press(chart, ".decisions-table .btn")
    maximum(chart, "33.3")


def test_readings_between_the_cursors_are_corrected_by_hand_with_a_reason_and_listed(chart: Chart) -> None:
    chart.run("document.getElementById('chart-frame').focus()")
    chart.wait("return !!window.riwayatCursors", "the cursor's script")
    for name in ("Enter", "Enter", "ArrowRight", "Enter"):
        chart.press(name)
    press(chart, ".readout-decide")
    chart.wait("return !!document.querySelector('.decide[open]')", "the dialog")
    assert fields(chart, "from") < fields(chart, "to") < "2024-02"
    choose(chart, "kind", "offset")
    find(chart, "amount").send_keys("32")
    find(chart, "amount").send_keys(Keys.ENTER)
    chart.wait("return document.querySelector('#decide-reason-wrong').textContent.includes('reason')", "an error at its field")
    assert chart.driver.switch_to.active_element.get_attribute("id") == "decide-reason"
    find(chart, "reason").send_keys("shield off")
    press(chart, ".decide [type=submit]")
    chart.wait("return !document.querySelector('.decide[open]')", "the end of the dialog")
    listed = "return [...document.querySelectorAll('.decisions-table tbody tr')].map((row) => row.textContent).join()"
    chart.wait(f"{listed}.match(/Corrected by \\+32.*shield off/)", "the decision in the list")
    maximum(chart, "5")
    chart.wait("return document.getElementById('badge').textContent.includes('1\u00a0decision')", "the badge")
    press(chart, ".decisions > .btn")  # as measured
    maximum(chart, "41.7")
    press(chart, ".decisions > .btn")
    maximum(chart, "5")
    press(chart, ".decisions-table .btn")
    maximum(chart, "33.3")
    chart.wait("return document.querySelector('.decisions').hidden", "no decision")


def test_a_limit_of_the_series_is_set_in_its_dialog_counts_and_is_given_back(chart: Chart) -> None:
    maximum(chart, "33.3")
    press(chart, "#views [data-view=quality]")
    press(chart, ".review-limits")
    press(chart, "#limit-still_hours")
    assert not chart.driver.find_element(By.ID, "limits-scope").is_displayed()  # of all stations: an administrator's
    press(chart, "#limit-climate")
    first = chart.driver.find_element(By.CSS_SELECTOR, "#limit-climate ~ table input")
    first.send_keys("-20", Keys.ENTER)
    chart.wait("return document.querySelector('.limits .decide-wrong').textContent.includes('each field')", "half a pair is told")
    first.clear()
    field = chart.driver.find_element(By.ID, "limit-still_hours")
    assert field.get_attribute("value") == "4"
    field.clear()
    field.send_keys("100", Keys.ENTER)
    chart.wait("return !document.querySelector('.limits[open]')", "the end of the dialog")
    maximum(chart, "41.7")  # what stands still for 40 hours counts
    press(chart, ".review-limits")
    back = "[...document.querySelectorAll('.limits-table tr')].find((row) => row.textContent.includes('ayu'))"
    chart.wait(f"return !!{back}", "by whom it is set")
    chart.run(f"{back}.querySelector('.btn').click()")
    chart.wait("return document.querySelector('#limit-still_hours').value === '4'", "the catalogue's")
    press(chart, ".limits .details-close")
    maximum(chart, "33.3")


def find(chart: Chart, name: str) -> Any:
    return chart.driver.find_element(By.ID, f"decide-{name}")


def fields(chart: Chart, name: str) -> str:
    return str(find(chart, name).get_attribute("value"))


def choose(chart: Chart, name: str, value: str) -> None:
    find(chart, name).find_element(By.CSS_SELECTOR, f"[value={value}]").click()
