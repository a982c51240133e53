"""The dialog of formulas as its user handles it: one is made, drawn, found, changed, removed."""

from __future__ import annotations

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from tests.browser import write_over
from tests.e2e.chart_page import GRAPH, Chart
from tests.e2e.test_workbench import click

OPEN = "Boolean(document.querySelector('.modal.show #formula-save'))"


def choices(chart: Chart) -> Select:
    return Select(chart.driver.find_element(By.ID, "formula-own"))


def open_dialog(chart: Chart, own: str = "") -> None:
    """Open it, and choose one's formula of that name."""
    click(chart, "#formula-open")
    chart.wait(f"return {OPEN}", "the dialog")
    if own:
        chart.wait_for(lambda: own in [each.text for each in choices(chart).options], f"{own} on the list")
        choices(chart).select_by_visible_text(own)
        chart.wait_for(lambda: chart.run("return document.getElementById('formula-name').value") == own, "its name")


def write(chart: Chart, **texts: str) -> None:
    for name, text in texts.items():
        write_over(chart.driver.find_element(By.ID, f"formula-{name}"), text)


def wait_for_verdict(chart: Chart, text: str, *, wrong: bool) -> None:
    kind = f"(said.dataset.wrong === 'true') === {str(wrong).lower()}"
    said = "const said = document.getElementById('formula-says')"
    chart.wait(f"{said}; return {kind} && said.innerText.includes('{text}')", text)


def wait_for_sensors(chart: Chart, *labels: str) -> None:
    """Wait until these are drawn, and no others."""
    drawn = f"return ({GRAPH}.layout.meta.series || []).map(({{sensor}}) => sensor)"
    chart.wait_for(lambda: set(chart.run(drawn)) == set(labels), f"{labels} in the chart")
    chart.wait(f"return !{OPEN}", "the dialog to be closed")


def test_a_formula_is_made_drawn_found_changed_and_removed(chart: Chart) -> None:
    open_dialog(chart)
    write(chart, name="Double rain", unit="mm", text="rainfall * wetness")
    wait_for_verdict(chart, "wetness", wrong=True)
    write(chart, text="rainfall * 2")
    wait_for_verdict(chart, "Gives mm.", wrong=False)
    click(chart, "#formula-save")
    wait_for_sensors(chart, "Air temperature", "Rainfall", "Double rain")

    chart.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.CONTROL, "k")
    chart.driver.switch_to.active_element.send_keys("double")
    chart.wait("return document.getElementById('search-list').innerText.includes('Double rain')", "the formula in the search")
    chart.driver.switch_to.active_element.send_keys(Keys.ESCAPE)

    open_dialog(chart, "Double rain")
    write(chart, name="Triple rain", text="rainfall * 3")
    click(chart, "#formula-save")  # at once: what is written counts
    wait_for_sensors(chart, "Air temperature", "Rainfall", "Triple rain")

    open_dialog(chart, "Triple rain")
    click(chart, "#formula-remove")
    chart.wait(f"return !{OPEN}", "the dialog to be closed")
    open_dialog(chart)
    chart.wait_for(lambda: [each.text for each in choices(chart).options if each.text] == ["New formula"], "an empty list")
    assert not [entry for entry in chart.driver.get_log("browser") if entry["level"] == "SEVERE"]
