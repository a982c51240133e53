"""The table of rows in the browser: it fetches what is looked at, and is part of the selection."""

from __future__ import annotations

import csv
import io
from urllib.request import urlopen

from tests.e2e.chart_page import Chart
from tests.e2e.test_workbench import address, click, fill, wait_for_view

CELLS = """
const cells = [...document.querySelectorAll(`.table-grid [row-index="${arguments[0]}"] .ag-cell`)];
return Object.fromEntries(cells.map((cell) => [cell.getAttribute("col-id"), cell.textContent]))
"""
SAID = "return (document.querySelector('.table-said') || {}).textContent || ''"
CLICK = """
const cell = document.querySelector(`.table-grid [row-index="${arguments[0]}"] .table-time`);
cell.dispatchEvent(new MouseEvent("click", {bubbles: true, ...arguments[1]}))
"""
COPY = """
const event = new ClipboardEvent("copy", {clipboardData: new DataTransfer(), bubbles: true, cancelable: true});
document.querySelector(".table-grid .table-time").dispatchEvent(event);
return event.clipboardData.getData("text/plain")
"""
TIMES = "return [...document.querySelectorAll('.table-grid .table-time')].map((cell) => cell.textContent)"


def cells(chart: Chart, row: int) -> dict[str, str]:
    """The texts of a row's cells by column, when they are there."""
    return dict(chart.wait_for(lambda: (found := chart.run(CELLS, row)) and found.get("time") and found, f"row {row}"))


def write(chart: Chart, option: str, text: str) -> None:
    """Write into a field of the table; what stood there is gone."""
    fill(chart, f"label[data-option={option}] input", text)


def test_the_table_shows_the_rows_of_the_file_and_goes_to_filters_and_sorts_as_its_address_says(chart: Chart) -> None:
    scripts = "return [...document.scripts].filter(({src}) => src.includes('ag_grid') || src.includes('table.js')).length"
    assert chart.run(scripts) == 0  # who does not look at it does not load it
    click(chart, "#views [data-view=table]")
    wait_for_view(chart, "table")
    with urlopen(str(chart.run("return document.getElementById('download-csv').href"))) as answer:
        file = [row for row in csv.DictReader(io.StringIO(answer.read().decode())) if row["station"] == "EWR"]
    first = cells(chart, 0)
    local = file[0]["timestamp_local"]
    assert (first["time"], first["offset"]) == (local[:19].replace("T", " "), local[19:])
    assert float(first["EWR/temperature"]) == float(file[0]["temperature (°C)"])
    total = int("".join(filter(str.isdigit, chart.wait(SAID, "the number of rows"))))
    assert total >= len(file)

    for row, keys in ((0, {}), (2, {"shiftKey": True})):
        chart.run(CLICK, row, keys)
    chart.wait_for(lambda: "3 selected" in chart.run(SAID), "the rows that are chosen")
    copied = [line.split("\t") for line in chart.run(COPY).splitlines()]
    assert [copied[0][0], len(copied), *copied[1][:2]] == ["Time", 4, first["time"], first["offset"]]
    assert float(copied[1][3]) == float(file[0]["temperature (°C)"])

    write(chart, "at", "2013-07-18 12:00")
    wait_for_view(chart, "table", at="2013-07-18 12:00")
    chart.wait_for(lambda: "2013-07-18 12:00:00" in chart.run(TIMES), "that hour")

    write(chart, "where", "EWR temperature > 30 and rainfall = 0")
    chart.wait_for(lambda: address(chart).get("where"), "the filter in the address")
    click(chart, ".table-grid .ag-header-cell[col-id='EWR/temperature']")
    click(chart, ".table-grid .ag-header-cell[col-id='EWR/temperature']")
    chart.wait_for(lambda: address(chart).get("sort") == "-EWR/temperature", "the order in the address")
    hottest = max(float(row["temperature (°C)"]) for row in file if row["temperature (°C)"] and row["rainfall (mm)"] in ("", "0"))
    chart.wait_for(lambda: float(cells(chart, 0)["EWR/temperature"]) == hottest, "the hottest hour")
    chart.driver.refresh()
    chart.wait_for(lambda: float(cells(chart, 0)["EWR/temperature"]) == hottest, "the same after a reload")

    write(chart, "where", "warm")
    chart.wait_for(lambda: "Write it like temperature > 30" in chart.run(SAID), "what is wrong with the filter")
    click(chart, "#views [data-view=trend]")
    wait_for_view(chart, "trend")
    assert chart.axis() == chart.window()
    logged = [entry["message"] for entry in chart.driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in logged if "/rows?" not in message] == []
