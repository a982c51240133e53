"""A zoom brings finer points, and at last the very rows of the table."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from selenium.webdriver.common.by import By

from jobs.job import Status
from tests.e2e.conftest import year_of
from tests.e2e.history_page import PATIENCE_S
from tests.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

# Window, number of the last gesture, what is said to be drawn,
# and the points of the first trace in UTC.
DRAWN = """
const graph = document.querySelector('#chart .js-plotly-plot');
const {start, end, offset, sequence} = graph.layout.meta;
const line = graph._fullData.find((trace) => trace.name && trace.mode.includes('lines'));
const points = [];
for (let at = 0; at < line.x.length; at += 1) {
  const y = line.y[at];
  if (y !== null && !Number.isNaN(y)) points.push([Math.round(line.x[at] - offset), y]);
}
const [rows, said] = document.getElementById('badge').textContent.replace(/\u202f/g, '').match(/(\\d+) rows(.*)/).slice(1);
return {start, end, sequence, rows: Number(rows), exact: said.startsWith(' drawn'), points};
"""


def rows_of_the_table(running, drawn):
    query = "SELECT time, temperature FROM observation WHERE station = 'JFK' AND time >= ? AND time < ? AND temperature NOTNULL"
    with closing(sqlite3.connect(running.settings.data_dir / "observations.sqlite")) as database:
        return [list(row) for row in database.execute(f"{query} ORDER BY time", (drawn["start"], drawn["end"]))]


def test_each_zoom_has_fewer_rows_behind_a_point_until_every_row_is_drawn_exactly(running, sample_page):
    page = sample_page
    page.open(**year_of("JFK", "temperature"))
    job = page.load()
    page.wait_for_job(job.id, Status.COMPLETED)
    page.wait_until_drawn()
    page.wait_for_text("badge", "every peak kept", "complete")
    frame = page.driver.find_element(By.ID, "chart-frame")
    seen = [page.driver.execute_script(DRAWN)]
    entries = page.driver.execute_script("return history.length")
    while not seen[-1]["exact"]:
        assert len(seen) < 10, [each["rows"] for each in seen]
        frame.send_keys("+")
        wait_until(lambda: page.driver.execute_script(DRAWN)["sequence"] > seen[-1]["sequence"], "finer points", PATIENCE_S)
        seen.append(page.driver.execute_script(DRAWN))
    rows = [each["rows"] for each in seen]
    assert rows == sorted(rows, reverse=True)
    assert len(rows) > 2

    last = seen[-1]
    page.wait_for_text("badge", "all ", " rows drawn")
    inside = [point for point in last["points"] if last["start"] <= point[0] < last["end"]]
    expected = rows_of_the_table(running, last)
    assert [time for time, _ in inside] == [time for time, _ in expected]
    assert [y for _, y in inside] == pytest.approx([y for _, y in expected], abs=1e-5)
    assert len(expected) > 50
    assert running.ledger.get(job.id).attempt <= 1  # a zoom reads tiles and starts nothing
    assert len(running.ledger.jobs()) == 1

    page.driver.refresh()
    page.wait_until_drawn()
    again = page.driver.execute_script(DRAWN)
    assert [again[name] for name in ("start", "end", "points")] == [last[name] for name in ("start", "end", "points")]
    # each window that was drawn is an entry, which Undo leaves again; a reload is none
    assert page.driver.execute_script("return history.length") == min(entries + len(seen) - 1, 50)
    page.driver.find_element(By.ID, "chart-frame").send_keys("0")
    wait_until(lambda: page.driver.execute_script("return location.search") == f"?job={job.id}", "the whole range", PATIENCE_S)
    # the address names what was loaded last, whatever window of another job it named
    assert page.load().id != job.id
