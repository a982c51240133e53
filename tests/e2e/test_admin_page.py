"""The administrators' page in a real browser: what is granted there, a user sees;
what is taken away asks once more.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from access.passwords import hash_password
from access.store import open_access
from config import Settings
from tests.e2e.history_page import PATIENCE_S
from tests.processes import SiteProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

PASSWORD = "curah hujan 1950"


@pytest.fixture
def access(data_dir):
    found = open_access(Settings(data_dir=data_dir, auth="login"))
    known = hash_password(PASSWORD)
    found.add_account("kepala", password_hash=known, admin=True)
    found.add_account("sari", password_hash=known)
    yield found
    found.engine.dispose()


def signed_in(site: SiteProcess, name: str) -> OpenerDirector:
    """A session of a user, without a browser; pages are test_rights_page.py's."""
    session = build_opener(HTTPCookieProcessor())
    with session.open(f"{site.url}/login", timeout=30) as form:
        found = re.search(r'name="csrf" value="([^"]+)"', form.read().decode())
    assert found
    sent = {"csrf": found[1], "name": name, "password": PASSWORD}
    session.open(f"{site.url}/login", urlencode(sent).encode(), timeout=30).close()
    return session


def page_of(site: SiteProcess, session: OpenerDirector) -> str:
    """The history page of a session, as it comes from the server."""
    with session.open(f"{site.url}/_dash-layout", timeout=30) as answer:
        return answer.read().decode()


def test_an_administrator_grants_a_station_a_user_sees_it_and_it_is_taken_away(start_site, site_port, access, dash_br):
    site, driver = start_site(port=site_port, auth="login", timezone="UTC"), dash_br.driver

    def see(selector: str):
        return wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, selector), selector, PATIENCE_S)[0]

    def text(selector: str) -> str:
        script = "const found = document.querySelector(arguments[0]); return found ? found.textContent : ''"
        return str(driver.execute_script(script, selector))

    sari = signed_in(site, "sari")
    nothing = page_of(site, sari)
    assert not any(name in nothing for name in ("JFK", "LGA", "/admin"))

    driver.get(f"{site.url}/admin")
    see("#name").send_keys("kepala")
    see("#password").send_keys(PASSWORD, Keys.ENTER)
    wait_until(lambda: "sari" in text("#admin-user-grid"), "the users", PATIENCE_S)
    see("[data-tab=user]").send_keys(Keys.ARROW_RIGHT, Keys.NULL)
    # by keyboard: users, groups, grants
    driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    see(".admin-add summary").click()
    see("#admin-grant-stations").send_keys("J*")
    wait_until(lambda: "1 of 3 stations: JFK" in text("#admin-grant-preview"), "which stations fit", PATIENCE_S)
    see("#admin-grant-note").send_keys("for the airport", Keys.ENTER)
    wait_until(lambda: "Grant 1 added" in text("#admin-alert"), "the grant", PATIENCE_S)
    wait_until(lambda: "for the airport" in text("#admin-grant-grid"), "the grant in the list", PATIENCE_S)
    assert [row.grant.stations for row in access.grants()] == [("J*",)]

    assert "JFK" in page_of(site, sari)
    assert "LGA" not in page_of(site, sari)

    driver.get_log("browser")  # so far: icons of pages without one
    driver.get("about:blank")
    driver.get(f"{site.url}/admin#grant")  # the address names the tab
    wait_until(lambda: "for the airport" in text("#admin-grant-grid"), "the grant in the list", PATIENCE_S)
    see("#admin-grant-grid .ag-cell[col-id=note]").click()
    button = see("#admin-grant-details [data-confirm]")
    button.click()
    wait_until(lambda: button.text == "Confirm: remove the grant", "to be asked again", PATIENCE_S)
    assert len(access.grants()) == 1
    button.click()
    wait_until(lambda: "Grant 1 removed" in text("#admin-alert"), "the grant to go", PATIENCE_S)
    assert access.grants() == []
    assert "JFK" not in page_of(site, sari)

    see("[data-tab=audit]").click()
    wait_until(lambda: "Grant removed" in text("#admin-audit-grid"), "both in the log", PATIENCE_S)
    assert "Grant added" in text("#admin-audit-grid")
    assert [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
