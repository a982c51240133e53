"""What is granted, as a user meets it in a browser:
nothing yet, a part, a part that is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dash.testing.browser import Browser
from selenium.webdriver.common.by import By

from access.grants import Grant
from access.passwords import hash_password
from access.store import AccessStore, migrate_access, open_access
from config import Settings
from jobs.job import Status
from jobs.ledger.ledger import open_ledger
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import SiteProcess, wait_until

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

PASSWORD = "curah hujan 1950"
MAY_MS = 1_367_366_400_000  # 2013-05-01


@dataclass(frozen=True)
class Guest:
    """A user to whom nothing is granted, the page, and who decides."""

    page: HistoryPage
    access: AccessStore

    def grant(self, **what: object) -> int:
        return self.access.add_grant("user", "sari", Grant(("EWR",), **what), by="test")  # type: ignore[arg-type]

    def shown(self, selector: str) -> bool:
        return any(each.is_displayed() for each in self.page.driver.find_elements(By.CSS_SELECTOR, selector))


@pytest.fixture
def guest(tmp_path: Path, data_dir: Path, site_port: int, dash_br: Browser) -> Iterator[Guest]:
    settings = Settings(data_dir=data_dir, auth="login", timezone="UTC")
    access, ledger = open_access(settings), open_ledger(settings)
    migrate_access(access.engine)
    access.add_account("sari", password_hash=hash_password(PASSWORD))
    try:
        with SiteProcess(cwd=tmp_path, port=site_port, data_dir=data_dir, auth="login", timezone="UTC") as process:
            process.start()
            page = HistoryPage(dash_br, process, ledger)
            page.driver.get(f"{process.url}/")
            wait_until(lambda: page.driver.find_elements(By.ID, "password"), "the sign-in", PATIENCE_S)
            for name, text in (("name", "sari"), ("password", PASSWORD)):
                page.driver.find_element(By.ID, name).send_keys(text)
            page.driver.find_element(By.ID, "password").submit()
            yield Guest(page, access)
    finally:
        ledger.engine.dispose()
        access.engine.dispose()


@pytest.mark.browser
def test_a_user_is_told_what_is_granted_and_loses_what_is_taken_away(guest):
    page, driver = guest.page, guest.page.driver
    page.wait_for_text("state", "You do not have access to any stations yet. Ask your administrator.")
    assert not guest.shown("#form")
    assert "EWR" not in driver.page_source

    first = guest.grant(from_ms=MAY_MS)
    driver.get(f"{page.site.url}/?station=EWR&sensor=temperature&from=2013-01-01&to=2013-12-01")
    page.wait_for_text("estimate", "You have access to EWR from 1 May 2013 00:00 UTC on.")
    assert guest.shown("#form")
    assert not any(name in driver.page_source for name in ("JFK", "LGA"))
    page.press("load")
    page.wait_for_text("alert", "You have access to EWR from 1 May 2013 00:00 UTC on.")
    page.press_action()
    wait_until(lambda: page.value("range-start") == "2013-04-30 20:00", "the range that is granted", PATIENCE_S)
    job = page.load()
    page.wait_for_job(job.id, Status.COMPLETED)
    page.wait_until_drawn()

    guest.access.remove_grant(first)
    driver.refresh()
    page.wait_for_text("alert", "This link has expired or is not yours")
    assert page.points == 0
    assert "EWR" not in driver.page_source
