"""A chart in a portal of another origin, in a browser that keeps no cookie of others,
inside a sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.select import Select
from sqlalchemy import update

from access.embeds.embed_table import embeds
from access.store import open_access
from access.tables import embed as embed_table
from jobs.job import Status
from tests.browser import is_there, write_over
from tests.e2e.conftest import Running, year_of
from tests.e2e.history_page import HistoryPage
from tests.e2e.portal import PATIENCE_S, Frame, Portal, browser_without_foreign_cookies, portal_at, post, refusals
from tests.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process]

YEAR = {"from": "2013-01-01", "to": "2014-01-01"}
# The last time that has a point: of few months every row is drawn, more points than of many.
LAST = "return Math.max(...document.getElementById('chart')._fullData.flatMap(({x}) => Array.from(x || []).slice(-1)))"
# Waits of more than five seconds in the page become a hundred times shorter:
# so a test need not wait for a refresh.
HURRY = "const slow = window.setTimeout; window.setTimeout = (f, ms, ...more) => slow(f, ms > 5000 ? ms / 100 : ms, ...more);"
HIDE_FIRST = """  // as a press on the legend does: with its flagged markers
  const {data} = document.getElementById('chart');
  const own = data.flatMap(({legendgroup}, at) => (legendgroup === data[0].legendgroup ? [at] : []));
  Plotly.restyle('chart', {visible: 'legendonly'}, own)"""


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def viewer(downloads: Path) -> Iterator[WebDriver]:
    with browser_without_foreign_cookies(downloads) as driver:
        yield driver


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with portal_at(tmp_path_factory.mktemp("portal") / "pages") as made:
        yield made


def make(running: Running, portal: Portal, **fields: Any) -> dict[str, Any]:
    """An embed of the site for the portal."""
    asked = {"stations": ["JFK"], "sensors": ["temperature"], "range": YEAR, "origin": portal.origin, "theme": "light"}
    return post(running.process.url, "/api/embeds", asked | fields)


def test_two_charts_live_in_a_portal_of_another_origin(with_data, portal, viewer, downloads):
    first = make(with_data, portal, label="New York", sensors=["temperature", "rainfall"])
    second = make(with_data, portal, language="id", controls=False, view="calendar")
    portal.show(first["iframe"], second["iframe"])
    viewer.get(f"{with_data.process.url}/healthz")
    viewer.execute_script("document.cookie = 'probe=1; SameSite=None; Secure; path=/'")
    assert "probe=1" in viewer.execute_script("return document.cookie")
    viewer.get(portal.origin)
    frames = [Frame(viewer, 0), Frame(viewer, 1)]
    for frame in frames:
        viewer.execute_script("window.scrollBy(0, 400)")  # the line says loading="lazy"
        frame.become("drawn")
    # third-party cookies are blocked: the frame has not even the one that this browser holds
    # for the site, and needs none
    assert frames[0].run("return document.cookie") == ""
    assert frames[0].run("return document.getElementById('title').textContent") == "New York"
    assert frames[1].run("return document.getElementById('title').textContent") == "JFK · Suhu udara · Kalender"
    assert frames[1].run("return document.getElementById('chart').data[0].type") == "heatmap"
    assert frames[1].run("return document.getElementById('tools').hidden") is True
    # each tells its height to the page around it, which gives it that height
    heard = wait_until(lambda: viewer.execute_script("return window.heard"), "a message", PATIENCE_S)
    assert {message["type"] for message in heard} == {"riwayat:size"}
    assert {message["origin"] for message in heard} == {with_data.process.url}
    assert {message["id"] for message in heard} <= {first["id"], second["id"]}
    height = next(message["height"] for message in heard if message["id"] == first["id"])
    wait_until(lambda: viewer.find_elements(By.TAG_NAME, "iframe")[0].size["height"] == height, "the frame's height", PATIENCE_S)
    # a window that is drawn with the mouse is asked for anew, in full detail;
    # a double click goes back
    whole, points = frames[0].meta["whole"], frames[0].points
    frames[0].drag(0.4, 0.45)
    wait_until(lambda: frames[0].meta["start"] > whole[0], "the window", PATIENCE_S)
    length = frames[0].meta["end"] - frames[0].meta["start"]
    assert length == pytest.approx((whole[1] - whole[0]) * 0.05, rel=0.1)
    # all rows of the window, where there were extremes of the year
    assert frames[0].points > points * 0.05 * 2
    wait_until(lambda: frames[0].is_back_at(whole), "the whole range", PATIENCE_S)
    frames[0].drag(0.4, 0.45)  # the same again is another zoom, and the axis shows what is drawn
    wait_until(lambda: frames[0].meta["start"] > whole[0], "the window again", PATIENCE_S)
    shown = "const {layout, _fullLayout} = document.getElementById('chart'); const {start, end, offset} = layout.meta;"
    axis = "_fullLayout.xaxis.range.map((time) => riwayatView.axisTime(time, offset))"
    assert frames[0].run(f"{shown} return {axis}.join() === [start, end].join()")
    wait_until(lambda: frames[0].is_back_at(whole), "the whole range again", PATIENCE_S)
    # rows: fetched with the token and saved, which the sandbox allows
    frames[0].run("document.getElementById('rows').click()")
    file = wait_until(lambda: next(downloads.glob("riwayat_JFK_*.csv"), None), "the rows", PATIENCE_S)
    wait_until(lambda: file.read_text().count("\n") > 8000, "all rows", PATIENCE_S)


def test_two_viewers_who_come_while_it_loads_see_its_progress_and_share_its_job(running, gate, portal, viewer):
    made = make(running, portal)
    gate.hold_from("JFK", 0.5)
    portal.show(made["iframe"])
    viewer.get(portal.origin)
    frame = Frame(viewer)
    frame.become("drawn")  # what there is, while the rest is still to come
    wait_until(lambda: frame.progress is not None and 0.3 < frame.progress < 0.7, "the progress", PATIENCE_S)
    wait_until(lambda: "% loaded" in frame.note, "the words of the progress", PATIENCE_S)
    some = frame.run(LAST)
    viewer.switch_to.new_window("window")  # both are seen: a frame that nobody sees asks nothing
    viewer.get(portal.origin)
    other = Frame(viewer)
    other.become("drawn")
    jobs = running.ledger.jobs(f"embed:{made['id']}")
    assert [job.status for job in jobs] == [Status.RUNNING]
    gate.release()
    wait_until(lambda: other.progress is None and other.meta["complete"], "the whole chart", PATIENCE_S)
    viewer.close()
    viewer.switch_to.window(viewer.window_handles[0])

    wait_until(lambda: frame.progress is None and frame.meta["complete"], "the whole chart in the first window", PATIENCE_S)
    assert frame.run(LAST) > some
    assert frame.note == ""
    viewer.get(portal.origin)
    frame.become("drawn")
    assert [job.id for job in running.ledger.jobs(f"embed:{made['id']}")] == [jobs[0].id]


def test_a_page_of_a_third_origin_cannot_show_it_and_no_page_can_show_anything_else(with_data, portal, viewer):
    made = make(with_data, portal)
    portal.show(made["iframe"], f'<iframe src="{with_data.process.url}/" width="300" height="300"></iframe>')
    viewer.get(portal.other)
    refusals_of_other = wait_until(lambda: refusals(viewer), "a refusal", PATIENCE_S)
    assert any(portal.origin in text for text in refusals_of_other)
    assert with_data.ledger.jobs(f"embed:{made['id']}") == []
    viewer.get(portal.origin)
    Frame(viewer).become("drawn")
    assert any("'none'" in text for text in wait_until(lambda: refusals(viewer), "a refusal of the history page", PATIENCE_S))


def test_what_has_ended_says_so_in_plain_words(with_data, portal, viewer):
    revoked, expired, edited = (make(with_data, portal) for _ in range(3))
    post(with_data.process.url, f"/api/embeds/{revoked['id']}/revoke", {})
    access = open_access(with_data.settings)
    with access.engine.begin() as connection:
        connection.execute(update(embed_table).where(embed_table.c.id == expired["id"]).values(expires_ms=1_700_000_040_000))
    access.engine.dispose()
    words = [
        (revoked["url"], "This chart is no longer shared; ask its owner."),
        (expired["url"], "The link of this chart expired on 14 Nov 2023 22:14 UTC; ask its owner for a new one."),
        (edited["url"][:-5], "The link to this chart is invalid; ask its owner for a new one."),
        (edited["url"].partition("#")[0], "The link to this chart is invalid; ask its owner for a new one."),
    ]
    for url, sentence in words:
        portal.show(f'<iframe src="{url}" width="320" height="240"></iframe>')
        viewer.get(portal.origin)
        frame = Frame(viewer)
        frame.become("closed")
        assert frame.message == sentence
    viewer.get(f"{with_data.process.url}/embed/trend?id={'0' * 16}")
    assert "There is no such chart." in viewer.find_element(By.TAG_NAME, "body").text


def test_a_chart_that_is_revoked_while_it_is_looked_at_goes(with_data, portal, viewer):
    made = make(with_data, portal)
    viewer.get(made["url"])
    frame = Frame(viewer, None)
    frame.become("drawn")
    post(with_data.process.url, f"/api/embeds/{made['id']}/revoke", {})
    frame.drag(0.4, 0.6)
    frame.become("closed")
    assert frame.run("return document.getElementById('chart').hidden") is True


def test_a_chart_whose_data_has_left_the_disk_is_loaded_again(with_data, portal, viewer):
    made = make(with_data, portal)
    viewer.get(made["url"])
    frame = Frame(viewer, None)
    frame.become("drawn")
    first = wait_until(lambda: frame.meta if frame.meta["complete"] else {}, "the whole chart", PATIENCE_S)
    with_data.site.tiles.clear()
    frame.drag(0.4, 0.6)
    wait_until(lambda: frame.meta["start"] > first["start"] and frame.meta["complete"], "the window, loaded again", PATIENCE_S)
    assert frame.meta["revision"] != first["revision"]


def test_a_finger_scrolls_the_page_and_buttons_zoom(with_data, portal, viewer):
    made = make(with_data, portal)
    viewer.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    viewer.execute_cdp_cmd("Emulation.setEmitTouchEventsForMouse", {"enabled": True, "configuration": "mobile"})
    viewer.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 420, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        viewer.get(made["url"])
        frame = Frame(viewer, None)
        frame.become("drawn")
        assert frame.run("return document.getElementById('chart').layout.dragmode") is False
        whole = frame.meta["whole"]
        frame.run("document.getElementById('closer').click()")
        wait_until(lambda: frame.meta["end"] - frame.meta["start"] < (whole[1] - whole[0]) * 0.6, "half of it", PATIENCE_S)
        assert frame.run("return getComputedStyle(document.getElementById('closer')).display") != "none"
        frame.run("document.getElementById('wider').click()")
        wait_until(lambda: [frame.meta["start"], frame.meta["end"]] == whole, "all of it", PATIENCE_S)
    finally:
        viewer.execute_cdp_cmd("Emulation.setEmitTouchEventsForMouse", {"enabled": False})
        viewer.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        viewer.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_while_the_server_does_not_answer_it_says_so_and_tries_again_by_itself(with_data, portal, viewer):
    made = make(with_data, portal)
    viewer.execute_cdp_cmd("Network.enable", {})
    viewer.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/*"]})
    try:
        viewer.get(made["url"])
        frame = Frame(viewer, None)
        frame.become("trouble")
        assert frame.message == "The server does not answer; trying again."
    finally:
        viewer.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    frame.become("drawn")


def test_a_rolling_chart_looks_for_newer_data_by_itself_and_keeps_what_its_viewer_hid(with_data, portal, viewer):
    made = make(with_data, portal, sensors=["temperature", "rainfall"], range={"last": "7300d"}, refresh=60)
    script = viewer.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HURRY})
    try:
        viewer.get(made["url"])
        frame = Frame(viewer, None)
        frame.become("drawn")
        wait_until(lambda: frame.meta["complete"], "the whole chart", PATIENCE_S)
        frame.run(HIDE_FIRST)
        asked = "return performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/api/embed')).length"
        wait_until(lambda: frame.run(asked) >= 3, "two refreshes", PATIENCE_S)
        assert frame.run("return document.getElementById('chart').data[0].visible") == "legendonly"
    finally:
        viewer.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def test_while_nobody_looks_nothing_is_asked(with_data, portal, viewer):
    made = make(with_data, portal)
    hidden = "window.away = true; Object.defineProperty(document, 'hidden', {get: () => window.away});"
    script = viewer.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": hidden})
    try:
        viewer.get(made["url"])
        frame = Frame(viewer, None)
        asked = "return performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/')).length"
        assert frame.run("return document.readyState") == "complete"
        assert frame.run(asked) == 0
        assert frame.message == "Loading the chart …"
        frame.run("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        frame.become("drawn")
        assert frame.run(asked) >= 3
    finally:
        viewer.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def test_a_range_without_data_says_so(with_data, portal, viewer):
    made = make(with_data, portal, range={"last": "7d"})
    viewer.get(made["url"])
    frame = Frame(viewer, None)
    frame.become("nothing")
    assert frame.message.startswith("There is no data in this range.")


@pytest.mark.parametrize(
    ("theme", "system", "ground"),
    [("dark", "light", (20, 24, 29)), ("auto", "dark", (20, 24, 29)), ("light", "dark", (255, 255, 255))],
)
def test_it_fits_a_small_frame_in_the_theme_that_was_chosen(with_data, portal, viewer, theme, system, ground):
    made = make(with_data, portal, theme=theme)
    viewer.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": system}]})
    viewer.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 320, "height": 240, "deviceScaleFactor": 1, "mobile": False}
    )
    try:
        viewer.get(made["url"])
        frame = Frame(viewer, None)
        frame.become("drawn")
        size = frame.run("const all = document.documentElement; return [all.scrollWidth, all.scrollHeight]")
        assert size[0] <= 320
        assert size[1] <= 240
        assert frame.run("return document.querySelector('#chart .nsewdrag').getBoundingClientRect().height") > 100
        colour = frame.run("return getComputedStyle(document.body).backgroundColor")
        assert colour == f"rgb({ground[0]}, {ground[1]}, {ground[2]})"
    finally:
        viewer.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        viewer.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_chart_is_embedded_from_the_page_which_shows_it_as_its_viewers_will_see_it_and_revoked_there(
    running, sample_page: HistoryPage, portal, viewer
):
    page = sample_page
    page.open(**year_of("JFK", "temperature"))
    # nothing is shown yet
    assert page.driver.find_element(By.ID, "embed-open").is_displayed() is False
    page.load()
    page.wait_until_drawn()
    jobs = [job.id for job in running.ledger.jobs()]
    page.press("embed-open")
    wait_until(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".embed-dialog.show"), "the dialog", PATIENCE_S)
    assert_preview_follows_the_fields(page)
    page.press("embed-create")  # without an origin
    page.wait_for_text("embed-result", "Enter the site that will embed the chart")
    write_over(page.driver.find_element(By.ID, "embed-origin"), f"{portal.origin}/weather?of=JFK")
    page.press("embed-create")
    line = wait_until(lambda: page.value("embed-line") if page.text("embed-result").count("Copy") else "", "the line", PATIENCE_S)
    assert 'title="Kennedy"' in line
    # a fixed range is drawn from the job of the page
    assert [job.id for job in running.ledger.jobs()] == jobs
    portal.show(line)
    viewer.get(portal.origin)
    Frame(viewer).become("drawn")
    access = open_access(running.settings)
    made = next(one for one in embeds(access) if one.label == "Kennedy")

    def living() -> list[str]:
        return [one.id for one in embeds(access) if one.revoked_ms is None]

    page.wait_for_text("embed-list", "Kennedy")
    button = page.driver.find_element(By.CSS_SELECTOR, ".embed-item")
    button.find_element(By.TAG_NAME, "summary").click()
    button.find_element(By.CSS_SELECTOR, ".btn-danger").click()
    wait_until(lambda: made.id not in living(), "the end of the chart", PATIENCE_S)
    wait_until(lambda: "Kennedy" not in page.text("embed-list"), "the list without it", PATIENCE_S)
    access.engine.dispose()
    address = page.driver.find_element(By.ID, "embed-preview").get_attribute("src")
    page.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
    wait_until(lambda: not is_there(page.driver, ".embed-dialog.show"), "the dialog to close", PATIENCE_S)
    blank = "return document.getElementById('embed-preview')?.src ?? 'about:blank'"
    wait_until(lambda: page.driver.execute_script(blank) == "about:blank", "the preview to end with the dialog", PATIENCE_S)
    assert page.severe() == []
    jobs = [job.id for job in running.ledger.jobs()]
    page.driver.get(address)  # a link to the preview, in a tab of its own
    assert not is_there(page.driver, "#chart")
    assert [job.id for job in running.ledger.jobs()] == jobs


def assert_preview_follows_the_fields(page: HistoryPage) -> None:
    """Choose theme, language, label and no buttons; the preview is drawn so."""
    frame = Frame(page.driver)
    frame.become("drawn")
    assert frame.run("return document.getElementById('title').textContent") == "JFK · Air temperature"
    assert frame.run("return [innerHeight, document.documentElement.lang]") == [420, "en"]
    assert frame.run("return document.getElementById('tools').hidden") is False
    choose(page.driver, "embed-theme", "dark")
    choose(page.driver, "embed-language", "id")
    write_over(page.driver.find_element(By.ID, "embed-label"), "Kennedy")
    page.driver.find_element(By.CSS_SELECTOR, "#embed-switches input[value=controls]").click()
    wait_until(lambda: frame.run("return document.documentElement.dataset.theme") == "dark", "the dark theme", PATIENCE_S)
    said = (
        "return [document.getElementById('title')?.textContent, document.documentElement.lang,"
        " document.getElementById('tools')?.hidden]"
    )
    wait_until(lambda: frame.run(said) == ["Kennedy", "id", True], "title, language and no buttons", PATIENCE_S)
    frame.become("drawn")
    assert frame.run("return getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"


def choose(driver: WebDriver, name: str, value: str) -> None:
    """Choose in a list by its value."""
    Select(driver.find_element(By.ID, name)).select_by_value(value)
