"""Signing in with real browsers: what an open page does when its session ends,
and that two users see their own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from dash.testing.browser import Browser
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from access.grants import Grant
from access.store import migrate_access, open_access
from config import Settings
from data.site import Site, open_site
from jobs.job import Status
from jobs.ledger.ledger import Ledger, open_ledger
from tests.conftest import CHEAP_HASHER, pytest_setup_options
from tests.e2e.conftest import Running, year_of
from tests.e2e.gate import Gate
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import SiteProcess, wait_until

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

PASSWORD, NEW_PASSWORD = "curah hujan 1950", "tekanan udara 1013"


@dataclass(frozen=True)
class Doors:
    """A site of sari, budi and dewi, its parts, and a browser for each of two people."""

    process: SiteProcess
    ledger: Ledger
    site: Site
    first: HistoryPage
    second: HistoryPage


@pytest.fixture(scope="module")
def other_browser() -> Iterator[Chrome]:
    """The browser of somebody else."""
    driver = Chrome(options=pytest_setup_options())
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def shared(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory, site_port: int) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("doors")
    data_dir = shutil.copytree(sample_data_dir, folder / "var")
    settings = Settings(data_dir=data_dir, auth="login", timezone="UTC", _env_file=None)
    access = open_access(settings)
    migrate_access(access.engine)
    for name in ("sari", "budi", "dewi"):
        access.add_account(name, password_hash=CHEAP_HASHER.hash(PASSWORD))
    access.add_grant("everyone", "", Grant(), by="test")
    access.engine.dispose()
    with SiteProcess(cwd=folder, port=site_port, data_dir=data_dir, auth="login", timezone="UTC") as process:
        yield Running(process.start(), settings, open_site(settings), open_ledger(settings))


@pytest.fixture
def doors(shared: Running, dash_br: Browser, other_browser: Chrome) -> Iterator[Doors]:
    shared.forget()
    first = HistoryPage(dash_br, shared.process, shared.ledger)
    second = HistoryPage(SimpleNamespace(driver=other_browser), shared.process, shared.ledger)
    yield Doors(shared.process, shared.ledger, shared.site, first, second)
    other_browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    other_browser.get("about:blank")  # asks nothing of the next test's site


def found(driver: WebDriver, selector: str) -> WebElement:
    """The element, as soon as it is there."""
    return wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, selector), selector, PATIENCE_S)[0]


def fill(driver: WebDriver, **fields: str) -> None:
    """Write into the fields of a plain page, and send its form."""
    for name, text in fields.items():
        box = found(driver, f"#{name}")
        box.clear()
        box.send_keys(text)
    box.submit()


def sign_in(page: HistoryPage, name: str, password: str = PASSWORD, path: str = "") -> None:
    """Ask for a page, be led to the sign-in, and from there to the page."""
    page.driver.get(f"{page.site.url}/{path}")
    wait_until(lambda: "/login" in page.driver.current_url, "the sign-in", PATIENCE_S)
    fill(page.driver, name=name, password=password)
    wait_until(lambda: page.driver.current_url == f"{page.site.url}/{path}", "the page that was wanted", PATIENCE_S)


@pytest.mark.browser
def test_a_page_whose_session_ends_while_it_polls_keeps_its_figure_and_leads_back_to_its_job(doors):
    here, there = doors.first, doors.second
    with Gate(doors.site) as gate:
        gate.hold_from("JFK", 0.5)
        sign_in(here, "dewi")
        here.open(**year_of("JFK", "temperature"))
        job = here.load()
        wait_until(lambda: here.points > 0, "the part that is there", PATIENCE_S)

        sign_in(there, "dewi", path="account")
        fill(there.driver, current=PASSWORD, new=NEW_PASSWORD, again=NEW_PASSWORD)
        wait_until(lambda: "The password is changed" in there.driver.page_source, "the new password", PATIENCE_S)

        here.wait_for_text("offline", "You were signed out.")
        drawn = here.points
        assert drawn > 0
        assert here.drawn_job == job.id
        link = here.driver.find_element(By.ID, "sign-in-again")
        wait_until(link.is_displayed, "the way back", PATIENCE_S)
    doors.first.wait_for_job(job.id, Status.COMPLETED)
    link.click()
    fill(here.driver, name="dewi", password=NEW_PASSWORD)
    here.wait_until_drawn()
    assert (here.drawn_job, here.address_job) == (job.id, job.id)
    assert here.points > drawn
    assert there.driver.get_cookie("riwayat_session")["httpOnly"]


@pytest.mark.browser
def test_two_users_in_two_browsers_see_their_own_jobs_only(doors):
    jobs = {}
    for name, page, station in (("sari", doors.first, "JFK"), ("budi", doors.second, "EWR")):
        sign_in(page, name, path="account")
        page.open(**year_of(station, "temperature"))
        assert page.driver.find_element(By.CSS_SELECTOR, ".user-menu summary").text == name
        jobs[name] = page.load()
        page.wait_until_drawn()
    assert {job.owner for job in jobs.values()} == set(jobs)
    for name, page, station, not_theirs in (("sari", doors.first, "JFK", "EWR"), ("budi", doors.second, "EWR", "JFK")):
        other = next(job for owner, job in jobs.items() if owner != name)
        page.driver.get(f"{page.site.url}/api/jobs/{other.id}")
        assert "job_not_found" in page.driver.page_source
        page.driver.get(f"{page.site.url}/jobs")
        page.wait_for_text("jobs-table", station)
        assert not_theirs not in page.text("jobs-table")
        found(page.driver, ".user-menu summary").click()
        found(page.driver, ".user-menu button").click()
        wait_until(lambda page=page: "You are signed out." in page.driver.page_source, "the end of the session", PATIENCE_S)
    assert {job.owner for job in doors.ledger.jobs()} == {"sari", "budi"}
