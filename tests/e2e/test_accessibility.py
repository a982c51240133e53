"""axe-core looks at every page, dialog and sheet: in both themes and languages it finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from access.grants import Grant
from access.passwords import hash_password
from access.store import open_access
from config import Settings
from tests.browser import is_there
from tests.databases import missing_server
from tests.e2e.chart_page import GRAPH, Chart
from tests.e2e.history_page import PATIENCE_S
from tests.e2e.portal import Frame, post
from tests.processes import ROOT, wait_until

AXE = ROOT / ".venv" / "node" / "node_modules" / "axe-core" / "axe.min.js"
# Plotly's drawings are many elements without a role, and axe-core knows no colour of a fill. All
# else takes its colours from the style sheet by an attribute of the root, so that the other theme
# needs no other page, and no other rule than that of contrast.
LOOK = """
const [within, done] = arguments, root = document.documentElement;
const run = (more) => axe.run({include: [within], exclude: ['.main-svg']}, {resultTypes: ['violations'], ...more}).then(
  ({violations}) => violations.flatMap(({id, nodes}) => nodes.map(({target, html}) =>
    `${theme()}, ${id}: ${target} ${html.slice(0, 160)}`)));
const attribute = ['data-bs-theme', 'data-theme'].find((name) => root.hasAttribute(name));
const theme = () => root.getAttribute(attribute);
const moves = () => document.getAnimations().some(({playState}) => playState === 'running');
const still = async () => { while (moves()) await new Promise((next) => setTimeout(next, 20)); };
(async () => {
  await still();
  const found = await run({});
  if (!attribute) return found;
  const before = theme();
  root.setAttribute(attribute, before === 'dark' ? 'light' : 'dark');
  await still();
  found.push(...await run({runOnly: ['color-contrast']}));
  root.setAttribute(attribute, before);
  return found;
})().then(done, (error) => done([String(error)]));
"""
OPEN_FORMS = "document.querySelectorAll(arguments[0]).forEach((summary) => summary.click())"
REST = "return document.getElementById('chart-frame').getAttribute('aria-busy') === 'false'"
LOOKS = (("en", "light"), ("id", "dark"))
SENSORS = ["temperature", "rainfall"]
WIND = ["wind_speed", "wind_direction"]
EMBED = {"stations": ["JFK"], "range": {"from": "2013-01-01", "to": "2014-01-01"}, "origin": "http://portal.localhost"}
FRAMED = ("trend", "wind", "calendar", "events")  # a line, one without axes, a grid, one with a table
PASSWORD = "curah hujan 1950"
pytestmark = [pytest.mark.browser, pytest.mark.process]

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}


class Watcher:
    """Who shows pages to axe-core, and keeps what it finds."""

    def __init__(self, driver: WebDriver, axe: str) -> None:
        self.driver = driver
        self.axe = axe
        self.wrong: list[str] = []

    def dress(self, language: str, theme: str) -> None:
        """Choose how pages to come look; the browser is on a page of the site."""
        for name, value in (("language", language), ("theme", theme), ("shade", theme)):
            self.driver.add_cookie({"name": f"riwayat_{name}", "value": value})

    def see(self, selector: str) -> Any:
        return wait_until(lambda: self.driver.find_elements(By.CSS_SELECTOR, selector), selector, PATIENCE_S)[0]

    def wait(self, script: str, what: str) -> None:
        wait_until(lambda: self.driver.execute_script(script), what, PATIENCE_S)

    def click(self, selector: str) -> None:
        """Press what is there by now, wherever it lies."""
        self.see(selector)
        self.driver.execute_script("document.querySelector(arguments[0]).click()", selector)

    def look(self, what: str, within: str = "html") -> None:
        """Let axe-core look at the page as it is, or at a part of it alone, which is quicker, when
        nothing moves any more; and at its colours in the other theme.
        """
        if not self.driver.execute_script("return 'axe' in window"):
            self.driver.execute_script(self.axe)
        found: list[str] = self.driver.execute_async_script(LOOK, within)
        self.wrong.extend(f"{what}, {each}" for each in found)

    def page(self, address: str, selector: str, what: str) -> None:
        self.driver.get(address)
        self.see(selector)
        self.look(what)


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core."""
    if not AXE.exists():
        missing_server("axe-core is not installed (.ci/node)")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture
def at(request: pytest.FixtureRequest, axe: str) -> Iterator[Callable[[WebDriver], Watcher]]:
    """A watcher of a browser, who must have found nothing in the end."""
    made: list[Watcher] = []

    def watch(driver: WebDriver) -> Watcher:
        made.append(Watcher(driver, axe))
        return made[-1]

    yield watch
    wrong = [each for one in made for each in one.wrong]
    assert not wrong, "\n".join(wrong)


def test_axe_finds_nothing_in_any_view_of_the_workbench(chart: Chart, at: Callable[[WebDriver], Watcher]) -> None:
    watcher = at(chart.driver)
    for view in reversed(tabs(chart)):  # Trend is the last, for what follows
        watcher.click(f"#views [data-view={view}]")
        chart.wait(f"return document.querySelector('#views [aria-selected=true]').dataset.view === '{view}'", view)
        chart.wait(REST, f"the picture of {view}")
        if view == "table":
            chart.wait("return document.querySelectorAll('.table-grid .ag-row').length > 2", "rows")
        if view == "quality":
            watcher.click(".review-event")
            chart.wait("return !!document.querySelector('.review-picture .main-svg')", "the picture of an event")
            watcher.click(".review-limits")
            watcher.see(".limits[open] .limits-table input")
            watcher.look("the dialog of limits", ".limits[open]")
            watcher.click(".limits[open] .details-close")
        watcher.look(view, "html" if view == "trend" else "#chart-area")  # all else stays as it is


def test_axe_finds_nothing_in_any_dialog_or_sheet_of_the_workbench_and_in_another_language(
    chart: Chart, at: Callable[[WebDriver], Watcher]
) -> None:
    watcher = at(chart.driver)
    look_at_pins_and_axes(watcher, chart)
    look_at_dialogs(watcher, chart)
    look_at_a_telephone(watcher, chart)
    watcher.dress("id", "dark")
    chart.driver.get(f"{chart.url}/?job={chart.job_id}")
    chart.wait(f"return document.documentElement.lang === 'id' && !!({GRAPH} && {GRAPH}.layout.meta)", "the page")
    chart.wait(REST, "the picture")
    watcher.look("the page in Indonesian")


def tabs(chart: Chart) -> list[str]:
    """Return the views that the page of the chart has tabs of."""
    found: list[str] = chart.run("return [...document.querySelectorAll('#views [data-view]')].map((tab) => tab.dataset.view)")
    return found


def look_at_pins_and_axes(watcher: Watcher, chart: Chart) -> None:
    chart.driver.execute_script("document.getElementById('chart-frame').focus()")
    chart.wait("return !!window.riwayatCursors", "the cursor's script")
    for key in ("Enter", "Enter", "ArrowRight", "Enter"):
        chart.press(key)
    chart.wait("return document.querySelectorAll('.cursor-pin').length === 2", "both pins")
    chart.wait("return document.querySelectorAll('#between tbody tr').length > 0", "what lies between")
    watcher.click(".readout-decide")
    watcher.see(".decide[open] .form-select")
    watcher.look("the dialog of decisions", ".decide[open]")
    watcher.click(".decide[open] .details-close")
    watcher.click(".axes-summary")
    watcher.look("pins, and axes", ".chart")
    watcher.click(".axes-summary")
    watcher.click(".chart-exports summary")
    watcher.look("the menu of files", ".chart-tools")
    chart.press("Escape")


def look_at_dialogs(watcher: Watcher, chart: Chart) -> None:
    for opener, dialog in (("#saved-open", "#saved-dialog"), ("#embed-open", "#embed-dialog"), ("#formula-open", "")):
        watcher.click(opener)
        watcher.see(".modal.show .modal-body")
        if dialog == "#embed-dialog":
            Frame(chart.driver).become("drawn")
        watcher.look(f"the dialog of {opener}", ".modal")
        watcher.click(".modal.show .btn-close")
        chart.wait_for(lambda: not is_there(chart.driver, ".modal"), "the dialog to be gone")
    watcher.click("#schedules-open")
    watcher.see(".limits[open]")
    watcher.look("the dialog of schedules", ".limits[open]")
    watcher.click(".limits[open] .details-close")
    watcher.see("#search").send_keys("E")
    watcher.see("#search-list .search-item")
    watcher.look("the search", ".site-header")
    watcher.see("#search").send_keys(Keys.ESCAPE)


def look_at_a_telephone(watcher: Watcher, chart: Chart) -> None:
    chart.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    try:
        for sheet in ("series", "range", "export"):
            watcher.click(f".sheet-button[data-sheet={sheet}]")
            chart.wait(f"return document.body.dataset.sheet === '{sheet}'", "the sheet")
            watcher.look(f"the sheet {sheet}", "#exports" if sheet == "export" else "#form")
        watcher.click(".sheet-button[data-sheet=export]")
    finally:
        chart.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_axe_finds_nothing_on_a_first_visit_among_jobs_where_nothing_is_and_in_frames(
    chart: Chart, at: Callable[[WebDriver], Watcher]
) -> None:
    watcher = at(chart.driver)
    for language, theme in LOOKS:
        watcher.dress(language, theme)
        watcher.page(f"{chart.url}/", ".station-list button", f"a first visit, {language}")
        watcher.page(f"{chart.url}/jobs", ".ag-row", f"Jobs, {language}")
        watcher.click(".ag-row .ag-cell")
        watcher.see(".details-actions")
        watcher.look(f"a job, {language}", ".job-details")
        watcher.page(f"{chart.url}/nowhere", "body", f"a page that is not there, {language}")
    for number, view in enumerate(FRAMED):
        language, theme = LOOKS[number % 2]
        asked = {"view": view, "sensors": WIND if view == "wind" else SENSORS, "language": language, "theme": theme}
        more = {"options": {"above": "30"}} if view == "events" else {}
        made = post(chart.url, "/api/embeds", EMBED | asked | more)
        chart.driver.get(made["url"])
        Frame(chart.driver, None).become("drawn")
        watcher.look(f"the frame of {view}")


def test_axe_finds_nothing_where_people_sign_in_and_administer(start_site, site_port, data_dir, dash_br, at) -> None:
    access = open_access(Settings(data_dir=data_dir, auth="login"))
    for name in ("kepala", "sari"):
        access.add_account(name, password_hash=hash_password(PASSWORD), admin=name == "kepala")
    access.add_grant("user", "sari", Grant(stations=("J*",)), by="kepala")
    access.engine.dispose()
    site, watcher = start_site(port=site_port, auth="login", timezone="UTC"), at(dash_br.driver)
    dash_br.driver.get(f"{site.url}/login")
    for language, theme in LOOKS:
        watcher.dress(language, theme)
        watcher.page(f"{site.url}/login", "#password", f"the sign-in, {language}")
        send(watcher, name="kepala", password="wrong")
        watcher.see("[role=alert]")
        watcher.look(f"a wrong password, {language}")
        send(watcher, name="kepala", password=PASSWORD)
        watcher.see("#main")  # whoever leaves before is not signed in
        watcher.page(f"{site.url}/account", "#current", f"the account, {language}")
        if language == "en":  # the second time would be a change too many
            send(watcher, current=PASSWORD, new="short", again="other")
            watcher.see("[aria-invalid=true]")
            watcher.look("a password that cannot be")
        watcher.page(f"{site.url}/admin", "#admin-user-grid .ag-row", f"users, {language}")
        if language == "en":
            look_at_administration(watcher)
        dash_br.driver.delete_cookie("riwayat_session")


def send(watcher: Watcher, **fields: str) -> None:
    """Fill in the fields of a plain page, and send its form."""
    for name, text in fields.items():
        box = watcher.see(f"#{name}")
        box.clear()
        box.send_keys(text)
    box.submit()


def look_at_administration(watcher: Watcher) -> None:
    for kind in ("user", "group", "grant", "key", "embed", "audit"):
        watcher.click(f"[data-tab={kind}]")
        watcher.see(f"#admin-{kind}-panel:not(.admin-hidden)")
        watcher.driver.execute_script(OPEN_FORMS, f"#admin-{kind}-panel .admin-add summary")
        if kind in ("user", "grant"):
            watcher.click(f"#admin-{kind}-grid .ag-row .ag-cell")
            watcher.see(f"#admin-{kind}-details .details-actions")
        watcher.look(kind, f"#admin-{kind}-panel")
