"""No page breaks its own Content-Security-Policy,
and zooming as fast as one can is never too much.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dash.testing.browser import Browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from access.grants import Grant
from access.passwords import hash_password
from access.store import open_access
from config import Settings
from jobs.ledger.ledger import open_ledger
from tests.e2e.conftest import YEAR
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.e2e.portal import Frame, portal_at
from tests.processes import SiteProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

PASSWORD = "curah hujan 1950"
# Before any script of a page: what the browser refuses is kept where a page load cannot lose it.
LISTEN = """
addEventListener("securitypolicyviolation", (event) => {
  const kept = JSON.parse(sessionStorage.getItem("violations") || "[]");
  kept.push(`${location.pathname}: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`);
  sessionStorage.setItem("violations", JSON.stringify(kept));
});
"""
VIOLATIONS = "return JSON.parse(sessionStorage.getItem('violations') || '[]')"
BREAK = "const script = document.createElement('script'); script.textContent = 'window.broken = 1'; document.body.append(script)"
MAKE_EMBED = """
const [origin, done] = arguments;
const wanted = {stations: ["JFK"], sensors: ["temperature"], range: {from: "2013-01-01", to: "2013-02-01"}, origin};
fetch("/api/embeds", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(wanted)})
  .then((answer) => answer.json()).then((made) => done(made.iframe));
"""


@pytest.fixture
def page(start_site, data_dir: Path, site_port: int, dash_br: Browser) -> Iterator[HistoryPage]:
    """A tab of an administrator who has not signed in yet, which keeps what its pages break."""
    settings = Settings(data_dir=data_dir, auth="login")
    access, ledger = open_access(settings), open_ledger(settings)
    access.add_account("kepala", password_hash=hash_password(PASSWORD), admin=True)
    access.add_grant("everyone", "", Grant(may_embed=True), by="test")
    site: SiteProcess = start_site(port=site_port, auth="login", timezone="UTC")
    dash_br.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTEN})
    yield HistoryPage(dash_br, site, ledger)
    access.engine.dispose()
    ledger.engine.dispose()


def see(page: HistoryPage, selector: str):
    return wait_until(lambda: page.driver.find_elements(By.CSS_SELECTOR, selector), selector, PATIENCE_S)[0]


def text(page: HistoryPage, selector: str) -> str:
    script = "return document.querySelector(arguments[0])?.textContent || ''"
    return str(page.driver.execute_script(script, selector))


def refused(page: HistoryPage) -> list[str]:
    """What the browser has refused on this page and those before it,
    by its events and its console.
    """
    console = [entry["message"] for entry in page.driver.get_log("browser")]
    return [*page.driver.execute_script(VIOLATIONS), *(line for line in console if "Security Policy" in line or "429" in line)]


def test_no_page_breaks_its_policy_and_fifty_zooms_are_answered(page, tmp_path):
    driver = page.driver
    driver.get(f"{page.site.url}/login")
    see(page, "#name").send_keys("kepala")
    see(page, "#password").send_keys(PASSWORD, Keys.ENTER)
    wait_until(lambda: "/login" not in driver.current_url, "the page", PATIENCE_S)

    page.open(station=["JFK"], sensor=["temperature", "rainfall"], **YEAR)
    page.load()
    page.wait_until_drawn()
    started = "return document.querySelector('#chart .js-plotly-plot').layout.meta.start"
    whole = driver.execute_script(started)
    chart = see(page, "#chart-frame")
    driver.execute_script("document.querySelector('#chart-frame').focus()")
    for key in "+-" * 24 + "++":
        chart.send_keys(key)
    wait_until(lambda: driver.execute_script(started) != whole, "the window", PATIENCE_S)
    assert refused(page) == []

    driver.get(f"{page.site.url}/jobs")
    wait_until(lambda: "JFK" in text(page, "#jobs-grid"), "the jobs", PATIENCE_S)
    assert refused(page) == []

    driver.get(f"{page.site.url}/admin")
    wait_until(lambda: "kepala" in text(page, "#admin-user-grid"), "the users", PATIENCE_S)
    for tab in driver.find_elements(By.CSS_SELECTOR, "[data-tab]"):
        tab.click()
    assert refused(page) == []

    driver.get(f"{page.site.url}/account")
    see(page, "form")
    driver.get(f"{page.site.url}/nowhere")
    assert "no such page" in text(page, "body")
    assert refused(page) == []

    with portal_at(tmp_path / "portal") as portal:
        portal.show(driver.execute_async_script(MAKE_EMBED, portal.origin))
        driver.get(portal.origin)
        driver.execute_script("window.scrollBy(0, 400)")
        frame = Frame(driver)
        frame.become("drawn")
        assert frame.run(VIOLATIONS) == []
        assert refused(page) == []

    driver.switch_to.default_content()  # what is broken would have been heard
    driver.get(f"{page.site.url}/account")
    driver.execute_script(BREAK)
    assert wait_until(lambda: driver.execute_script(VIOLATIONS), "the event", PATIENCE_S)[0].startswith("/account: script-src")
    assert driver.execute_script("return window.broken") is None
