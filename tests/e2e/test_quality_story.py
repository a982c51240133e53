"""A month of faults, from the rules that find them to the report that is sent: what quality control
is for, as one analyst does it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash.testing.browser import Browser
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from sqlalchemy import update

from access.tables import report_schedule
from config import Settings
from data.request import HistoryRequest, request_of
from data.site import open_site
from data.time.months import month_of, month_start_ms
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from reports.period import LATE_MS
from tests.browser import write_over
from tests.databases import migrate_as_new
from tests.e2e.chart_page import Chart
from tests.e2e.test_review import key, press
from tests.mailbox import Mailbox
from tests.processes import SiteProcess, run_manage
from tests.store import store_at

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

STEP_MIN = 10
STATIONS = ("Airport", "Ghent", "Reservoir")
SENSORS = ("temperature", "solar_radiation")
STUCK, SPIKE, NIGHT = slice(800, 800 + 6 * 144), 2000, slice(1000, 1006)


def last_month() -> tuple[datetime, datetime]:
    """The last month, UTC, whose readings have had time to come in: what a schedule sends first."""
    this = month_of(int(datetime.now(UTC).timestamp() * 1000) - LATE_MS)
    start, end = (datetime.fromtimestamp(month_start_ms(month) / 1000, UTC) for month in (this - 1, this))
    return start, end


def values_of(station: str, rows: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The month of a station: a thermometer that stands still for six days, one with a spike, a
    radiation sensor that is far below zero for an hour of one night.
    """
    hours = np.arange(rows) * STEP_MIN / 60
    day = np.sin((hours - 8) / 24 * 2 * np.pi)
    values = 15 + 5 * day + np.random.default_rng(3).normal(0, 0.2, rows)
    if station == "Ghent":
        values[STUCK] = 16.8
    elif station == "Airport":
        values[SPIKE] = -10.5
    else:
        values = np.where(day > 0, 800 * day, -1.0)
        values[NIGHT] = -7.9
    return values


def csv_of_month(start: datetime, end: datetime) -> str:
    """Every station's rows, as a file for import."""
    rows = round((end - start).total_seconds() / 60 / STEP_MIN)
    lines = ["timestamp_utc,station,temperature,solar_radiation"]
    for station in STATIONS:
        for row, value in enumerate(values_of(station, rows)):
            at = f"{start + timedelta(minutes=STEP_MIN * row):%Y-%m-%dT%H:%M:%SZ}"
            lines.append(f"{at},{station},,{value:.1f}" if station == "Reservoir" else f"{at},{station},{value:.1f},")
    return "\n".join(lines)


@dataclass(frozen=True)
class Desk:
    """A site with a month of faults, its page, and where its mail goes."""

    folder: Path
    settings: Settings
    chart: Chart
    mailbox: Mailbox
    smtp: dict[str, Any]

    def manage(self, *arguments: str) -> str:
        done = run_manage(*arguments, cwd=self.folder, data_dir=self.settings.data_dir, timezone="UTC", **self.smtp)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def request_of_month() -> HistoryRequest:
    start, end = last_month()
    return request_of(STATIONS, SENSORS, f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}", "raw", "UTC")


@pytest.fixture
def desk(tmp_path: Path, site_port: int, dash_br: Browser, request_of_month: HistoryRequest) -> Iterator[Desk]:
    settings = Settings(data_dir=tmp_path / "var", timezone="UTC", _env_file=None)
    migrate_as_new(settings)
    store_at(settings.history_url, tmp_path).load(csv_of_month(*last_month()))
    load_history(open_site(settings), request_of_month, lambda _progress: None)
    job = open_ledger(settings).record_completed("local", request_of_month, {})
    with Mailbox() as mailbox:
        smtp = {"smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "smtp_security": "none", "smtp_from": "riwayat@example.org"}
        with SiteProcess(cwd=tmp_path, port=site_port, data_dir=settings.data_dir, timezone="UTC", **smtp) as process:
            site = process.start()
            yield Desk(tmp_path, settings, Chart(dash_br, site.url, job.id), mailbox, smtp)


EVENT = """
const row = [...document.querySelectorAll('.review-table tbody tr')].find(
  ({textContent}) => textContent.includes(arguments[0]) && textContent.includes(arguments[1])
);
"""
MINIMUM = """
return [...document.querySelectorAll('#stats tbody tr')]
  .filter(({textContent}) => textContent.includes(arguments[0]))
  .map((row) => row.querySelector('[data-label=Minimum]').textContent).join(' ');
"""


def open_event(chart: Chart, station: str, rule: str) -> None:
    """Press the event of a rule at a station until it is looked at: a list that is just drawn anew
    may lose a press.
    """
    pressed = (
        f"{EVENT} if (!row) return false; if (row.hasAttribute('aria-current')) return true;"
        "row.querySelector('.review-event').click(); return false;"
    )
    chart.wait_for(lambda: chart.run(pressed, station, rule), f"{rule} at {station} to be looked at")


def decided(chart: Chart, number: int) -> None:
    listed = "return document.querySelectorAll('.decisions-table tbody tr').length"
    chart.wait_for(lambda: chart.run(listed) == number, f"{number} decisions")
    chart.wait("return document.querySelector('.review-says').textContent === ''", "the end of its job")


def minimum(chart: Chart, station: str, text: str) -> None:
    """Wait for a station's minimum in the statistics."""
    chart.wait_for(lambda: text in chart.run(MINIMUM, station), f"a minimum of {text} at {station}")


def send_monthly(chart: Chart, address: str) -> None:
    """Ask in the dialog of the menu Report for a mail each month: what is no address is said at its
    field, and the second half of a double click removes nothing.
    """
    press(chart, "#schedules-open")
    chart.wait("return !!document.querySelector('dialog[open] #schedule-to')", "the dialog")
    to, title = (chart.driver.find_element(By.ID, f"schedule-{name}") for name in ("to", "title"))
    title.send_keys("The month")
    chart.run("document.getElementById('schedule-format').value = 'html'")
    to.send_keys("nobody", Keys.ENTER)
    chart.wait("return document.getElementById('schedule-to').getAttribute('aria-invalid') === 'true'", "what is wrong")
    write_over(to, address)
    to.send_keys(Keys.ENTER)
    (remove,) = chart.wait_for(lambda: chart.driver.find_elements(By.CSS_SELECTOR, "dialog[open] tbody button"), "the schedule")
    ActionChains(chart.driver).double_click(remove).perform()
    chart.wait("return document.querySelector('dialog[open] tbody button').textContent === 'Remove for good'", "the question")
    press(chart, "dialog[open] .details-close")


def make_due(settings: Settings) -> None:
    """Make the last month due, as it was when it had ended."""
    ledger = open_ledger(settings)
    at_ms = int(last_month()[1].timestamp() * 1000) + LATE_MS
    with ledger.engine.begin() as connection:
        connection.execute(update(report_schedule).values(next_ms=at_ms))
    ledger.engine.dispose()


def test_faults_are_found_reviewed_undone_reported_by_mail_and_the_export_is_made_again(
    desk: Desk, request_of_month: HistoryRequest
) -> None:
    chart = desk.chart
    minimum(chart, "Reservoir", "\u22128")
    press(chart, "#views [data-view=quality]")
    open_event(chart, "Ghent", "Stuck")
    key(chart, "w")
    decided(chart, 1)
    open_event(chart, "Airport", "Spike")
    key(chart, "r")
    minimum(chart, "Airport", "\u221210.5")
    key(chart, "u")
    decided(chart, 1)
    open_event(chart, "Reservoir", "Below dark")
    key(chart, "w")
    minimum(chart, "Reservoir", "\u22121")
    decided(chart, 2)

    send_monthly(chart, "head@example.org")
    make_due(desk.settings)
    desk.manage("schedule", "run")
    mail: EmailMessage = chart.wait_for(lambda: desk.mailbox.mails, "the mail")[0]
    (page,) = [part.get_content() for part in mail.iter_attachments()]
    told = page if isinstance(page, str) else page.decode()
    assert all(name in told for name in ("The month", *STATIONS, "Decisions of people"))
    desk.manage("schedule", "run")

    start, end = (f"{each:%Y-%m-%d}" for each in last_month())
    series = [word for name in STATIONS for word in ("--station", name)] + [
        word for name in SENSORS for word in ("--sensor", name)
    ]
    span = ("--from", start, "--to", end, "--timezone", "UTC", "--flags", "hard")
    desk.manage("history", *series, *span, "--out", "month.nc", "--manifest")
    manifest = json.loads((desk.folder / "month.nc.manifest.json").read_text(encoding="utf-8"))
    assert len(manifest["decisions"]) == 2
    assert json.loads(desk.manage("reproduce", "month.nc.manifest.json", "--json"))["same"]
    assert len(desk.mailbox.mails) == 1
