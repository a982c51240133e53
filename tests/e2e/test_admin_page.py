"""The administrators' page in a real browser: what is granted there, a user sees; what is taken away asks once more."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from access.passwords import hash_password
from access.store import open_access
from config import Settings
from tests.e2e.history_page import PATIENCE_S
from tests.processes import wait_until

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


def test_an_administrator_grants_a_station_a_user_sees_it_and_it_is_taken_away(start_site, access, dash_br):
    site, driver = start_site(auth="login", timezone="UTC"), dash_br.driver

    def see(selector: str):
        return wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, selector), selector, PATIENCE_S)[0]

    def text(selector: str) -> str:
        script = "const found = document.querySelector(arguments[0]); return found ? found.textContent : ''"
        return str(driver.execute_script(script, selector))

    def sign_in(name: str, page: str) -> None:
        driver.get(f"{site.url}/healthz")  # leaves a page that would ask on
        driver.delete_all_cookies()
        driver.get(f"{site.url}{page}")
        see("#name").send_keys(name)
        see("#password").send_keys(PASSWORD, Keys.ENTER)

    sign_in("sari", "/")
    wait_until(lambda: text("#state") or text("#alert"), "the page of somebody to whom nothing is granted", PATIENCE_S)
    assert "JFK" not in text("body")
    assert not driver.find_elements(By.CSS_SELECTOR, ".nav-link[href='/admin']")

    sign_in("kepala", "/admin")
    wait_until(lambda: "sari" in text("#admin-user-grid"), "the users", PATIENCE_S)
    see("[data-tab=user]").send_keys(Keys.ARROW_RIGHT, Keys.NULL)
    driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)  # by keyboard: users, groups, grants
    see(".admin-add summary").click()
    see("#admin-grant-stations").send_keys("J*")
    wait_until(lambda: "1 of 3 stations: JFK" in text("#admin-grant-preview"), "which stations fit", PATIENCE_S)
    see("#admin-grant-note").send_keys("for the airport", Keys.ENTER)
    wait_until(lambda: "Grant 1 is made" in text("#admin-alert"), "the grant", PATIENCE_S)
    wait_until(lambda: "for the airport" in text("#admin-grant-grid"), "the grant in the list", PATIENCE_S)
    assert [row.grant.stations for row in access.grants()] == [("J*",)]

    sign_in("sari", "/")
    wait_until(lambda: "JFK" in text("#state"), "the station on the user's page", PATIENCE_S)
    assert "LGA" not in text("#state")

    sign_in("kepala", "/admin")
    wait_until(lambda: "sari" in text("#admin-user-grid"), "the users", PATIENCE_S)
    driver.get_log("browser")  # so far: icons of pages without one
    driver.get(f"{site.url}/admin#grant")  # the address names the tab
    wait_until(lambda: "for the airport" in text("#admin-grant-grid"), "the grant in the list", PATIENCE_S)
    see("#admin-grant-grid .ag-cell[col-id=note]").click()
    button = see("#admin-grant-details [data-confirm]")
    button.click()
    assert button.text == "Press again to take it away"
    assert len(access.grants()) == 1
    button.click()
    wait_until(lambda: "Grant 1 is taken away" in text("#admin-alert"), "the grant to go", PATIENCE_S)
    assert access.grants() == []

    see("[data-tab=audit]").click()
    wait_until(lambda: "Grant removed" in text("#admin-audit-grid"), "both in the log", PATIENCE_S)
    assert "Grant added" in text("#admin-audit-grid")
    assert [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
