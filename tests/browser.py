"""One Chromium for all browser tests of a process;
each test has a tab of its own in a browser that remembers no state.

Its cache stays, and so does the process that shows pages, which has compiled their programs:
to compile them anew costs one to two seconds of processor time a test,
and files have addresses of their contents.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dash.testing.browser import Browser
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.common.keys import Keys

from tests.processes import wait_until


class SharedBrowser:
    """Starts Chromium when it is first asked for, and anew when a test has left it unusable."""

    def __init__(self, options: Sequence[Options], folder: Path, *, headless: bool) -> None:
        self._options, self._folder, self._headless = options, folder, headless
        self._browser: Browser | None = None

    def fresh(self, downloads: Path) -> Browser:
        """Return the browser with one new tab: no cookies, no storage, no log,
        downloads into ``downloads``.
        """
        browser = self._browser
        if browser is None:
            browser = self._browser = Browser(
                "Chrome",
                options=list(self._options),
                headless=self._headless,
                download_path=str(self._folder),
                percy_run=False,
            )
        allow = {"behavior": "allow", "downloadPath": str(downloads)}
        browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", allow)
        browser.driver.get_log("browser")
        return browser

    def leave(self) -> None:
        """Close what a test has opened, before the next test's site may have the same address."""
        if self._browser is not None:
            try:
                _forget(self._browser.driver)
            except WebDriverException:
                self.quit()

    def quit(self) -> None:
        """End Chromium and its driver."""
        if self._browser is not None:
            with suppress(WebDriverException):
                self._browser.driver.quit()
        self._browser = None


LETTER_S = 10.0


def write_over(field: Any, text: str) -> None:
    """Write over what a field holds, a letter when the last one is there: dcc.Input puts the caret
    back a moment after each, and letters of the same moment change places. Where an answer that was
    on its way empties the field meanwhile, begin anew.
    """
    wait_until(lambda: _is_written(field, text), f"{text} in the field")


def _is_written(field: Any, text: str) -> bool:
    field.send_keys(Keys.CONTROL, "a", Keys.NULL)
    for length, letter in enumerate(text, start=1):
        field.send_keys(letter)
        if not _has_value(field, text[:length]):
            return False
    return True


def _has_value(field: Any, text: str) -> bool:
    try:
        return wait_until(lambda: bool(field.get_attribute("value") == text), "the letter", LETTER_S)
    except AssertionError:
        return False


def is_there(driver: Any, selector: str) -> bool:
    """Whether the page has such an element now; ``find_elements`` waits for one."""
    return bool(driver.execute_script("return document.querySelector(arguments[0]) !== null", selector))


# A tab that a page opens stays in the page's process,
# and begins with a copy of the page's storage of the session.
LEAVE = """
try { localStorage.clear(); sessionStorage.clear(); } catch { /* a page without storage, such as about:blank */ }
window.onbeforeunload = null;
"""


def _forget(driver: Any) -> None:
    """Close every tab but a new one (emulation, scripts and blocked addresses end with their tab);
    clear what tabs share.
    """
    old = driver.window_handles
    driver.switch_to.window(old[0])
    driver.execute_script(LEAVE + "window.open('about:blank')")
    (new,) = set(driver.window_handles) - set(old)
    for handle in old:
        driver.switch_to.window(handle)
        driver.execute_script(LEAVE)
        driver.close()
    driver.switch_to.window(new)
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    driver.implicitly_wait(2)  # what dash[testing] sets
    driver.set_page_load_timeout(300)
    driver.set_window_size(1280, 900)
