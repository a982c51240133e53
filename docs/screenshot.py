"""Take the pictures of the README: ``.venv/bin/python docs/screenshot.py`` (needs
requirements-dev.txt and Chromium).

Starts a site of its own with the bundled sample in a temporary folder, loads a history in headless
Chromium, and writes docs/images/history.png, wind.png and calendar.png (light) and
history-dark.png.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from selenium import webdriver  # noqa: E402 - after the path
from selenium.webdriver.chrome.options import Options  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

from tests.processes import SiteProcess, run_manage, wait_until  # noqa: E402

WIDTH_PX, HEIGHT_PX = 1360, 1180
SHOWN = urlencode(
    {
        "station": "JFK",
        "sensor": ["temperature", "rainfall", "wind_speed", "wind_direction"],
        "from": "2013-01-01",
        "to": "2013-12-31",
    },
    doseq=True,
)
REST = "return document.getElementById('chart-frame').getAttribute('aria-busy') === 'false'"
STILL = f"{REST} && document.querySelector('#chart .js-plotly-plot').layout.meta.still === true"
DRAWN = "return document.querySelectorAll('#chart .trace path').length > 0"


def take(site: SiteProcess, names: Sequence[str], scheme: str) -> None:
    """Take pictures, of views where they are called so, in the light or dark scheme."""
    options = Options()
    for argument in ("headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars", "lang=en"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--window-size={WIDTH_PX},{HEIGHT_PX}")
    with webdriver.Chrome(options=options) as driver:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        driver.get(f"{site.url}/?{SHOWN}")
        wait_until(lambda: driver.find_elements(By.ID, "load"), "the form")
        wait_until(lambda: "rows" in driver.find_element(By.ID, "estimate").text, "the form to be filled in by the address")
        driver.find_element(By.ID, "load").click()
        wait_until(lambda: driver.execute_script(DRAWN), "the figure")
        wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, "#stats td"), "the statistics")
        wait_until(lambda: driver.execute_script(REST), "the page to come to rest")
        for name in names:
            view = name.removesuffix(".png")
            for tab in driver.find_elements(By.CSS_SELECTOR, f"#views [data-view={view}]"):
                tab.click()
                wait_until(lambda: driver.execute_script(STILL), f"the picture of {view}")
            driver.get_screenshot_as_file(str(ROOT / "docs/images" / name))
            print(f"docs/images/{name}")


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        done = run_manage("setup", "--sample-only", cwd=here, data_dir=here / "var")
        if done.returncode:
            sys.exit(done.stderr)
        with SiteProcess(cwd=here, data_dir=here / "var", timezone="America/New_York").start() as site:
            (ROOT / "docs/images").mkdir(exist_ok=True)
            take(site, ["history.png", "wind.png", "calendar.png"], "light")
            take(site, ["history-dark.png"], "dark")


if __name__ == "__main__":
    main()
