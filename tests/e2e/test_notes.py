"""Notes in a browser: written at the cursor, on the axis and in the list, changed, removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.chart_page import DAY, GRAPH, START, Chart
from tests.e2e.test_accessibility import AXE, LOOK

HOSTILE = "<img src=x onerror='window.broken=1'>%{y} \u202eevil"
JULY = START + 181 * DAY


@pytest.fixture
def notes(chart: Chart) -> Iterator[Chart]:
    """The page of a job without a note, which it is left with."""
    yield chart
    for one in requests.get(f"{chart.url}/api/notes", timeout=10).json()["notes"]:
        requests.delete(f"{chart.url}/api/notes/{one['id']}", timeout=10)
    chart.open()


def write(chart: Chart, **note: Any) -> None:
    given = {"station": "EWR", "from": "2013-07-01T00:00:00Z", "text": "fog"} | note
    answer = requests.post(f"{chart.url}/api/notes", json=given, timeout=10)
    assert answer.ok, answer.text


def wait_for_flags(chart: Chart, count: int) -> None:
    chart.wait(f"return document.querySelectorAll('.note-flag').length === {count}", f"{count} flags")


def flag_px(chart: Chart) -> float:
    """Where the first flag is, px from the left edge of the plot."""
    script = (
        "const [flag, box] = ['.note-flag', '#chart'].map((each) => document.querySelector(each).getBoundingClientRect());"
        f"return flag.left + flag.width / 2 - box.left - {GRAPH}._fullLayout._size.l"
    )
    return float(chart.run(script))


def faults(chart: Chart, *within: str) -> list[str]:
    """What axe-core finds in parts of the page; nothing where node is too old for it, as
    test_accessibility.py says.
    """
    if not AXE.exists():
        return []
    chart.run(AXE.read_text(encoding="utf-8"))
    return [each for part in within for each in chart.driver.execute_async_script(LOOK, part)]


def type_keys(chart: Chart, *keys: str) -> None:
    ActionChains(chart.driver).send_keys(*keys).perform()


def test_a_note_is_written_at_a_and_b_by_key_changed_and_removed(notes: Chart):
    left, top, width, height = notes.box("#chart .nsewdrag")
    for share in (0.25, 0.5):
        notes.hover(left + width * share, top + height / 2)
        notes.wait("return !!window.riwayatCursors", "the cursors")
        notes.click(left + width * share, top + height / 2)
    notes.wait("return document.querySelectorAll('.cursor-pin').length === 2", "A and B")
    type_keys(notes, "n")
    notes.wait("return !!document.querySelector('dialog.note-dialog[open] textarea')", "the dialog")
    assert notes.run("return document.activeElement.name") == "text"
    assert faults(notes, "dialog.note-dialog") == []
    times = notes.run("return ['from', 'to'].map((name) => document.querySelector(`.note-form [name=${name}]`).value)")
    assert times[0].startswith("2013-04") and times[1].startswith("2013-07")  # noqa: PT018
    notes.run("document.querySelector('.note-form textarea').value = arguments[0]", HOSTILE)
    notes.run("document.querySelector('.note-form [type=submit]').click()")
    wait_for_flags(notes, 1)
    notes.wait("return !document.querySelector('.note-panel').hidden", "what it says")
    assert HOSTILE.replace("\u202e", "\\u202e") == notes.run(
        "return document.querySelector('.note-panel .note-text').textContent"
    )
    assert faults(notes, "#chart", "#notes") == []
    assert notes.run("return [window.broken, document.querySelector('#main img[src=x], #notes img')]") == [None, None]
    assert flag_px(notes) == pytest.approx(width * 0.25, abs=2)
    [made] = requests.get(f"{notes.url}/api/notes", timeout=10).json()["notes"]
    assert (made["station"], made["sensor"], made["shared"]) == ("EWR", None, False)
    assert abs((notes.run("return Date.parse(arguments[0])", made["from"]) - START) / DAY - 365 / 4) < 2

    notes.run("[...document.querySelectorAll('.note-panel button')].find((each) => each.textContent === 'Edit').click()")
    notes.wait("return !!document.querySelector('dialog.note-dialog[open]')", "the dialog of the note")
    notes.run("document.querySelector('.note-form [name=from]').value = 'soon'")
    notes.run("document.querySelector('.note-form [type=submit]').click()")
    notes.wait("return document.querySelector('.note-wrong').textContent.includes('is not a time')", "what is wrong")
    notes.run("document.querySelector('.note-form [name=from]').value = '2013-03-01'")
    notes.run("document.querySelector('.note-form textarea').value = 'calm'")
    notes.run("document.querySelector('.note-form [type=submit]').click()")
    notes.wait("return (document.querySelector('.note-name') || {}).textContent === 'calm'", "the note as it is now")

    for words in ("Remove", "Remove for good"):
        notes.wait("return !document.querySelector('.note-panel').hidden", "what it says")
        script = "return [...document.querySelectorAll('.note-panel button')].find((each) => each.textContent === arguments[0])"
        notes.run(f"{script.replace('return ', 'const found = ')}; found.click()", words)
    wait_for_flags(notes, 0)
    assert not [line for line in notes.driver.get_log("browser") if "400" not in line["message"]]


def test_flags_follow_a_zoom_and_a_note_of_the_list_leads_to_its_time(notes: Chart):
    write(notes)
    write(notes, sensor="temperature", text="cold", **{"from": "2013-02-01T00:00:00Z", "to": "2013-02-03T00:00:00Z"})
    notes.open()
    wait_for_flags(notes, 2)
    height = notes.run(f"return {GRAPH}._fullLayout.height")
    width = notes.run(f"return {GRAPH}._fullLayout._size.w")
    notes.after(lambda: notes.drag("#chart .nsewdrag", 0.4, 0.6))
    wait_for_flags(notes, 1)
    start, end = notes.window()
    assert flag_px(notes) == pytest.approx((JULY - start) / (end - start) * width, abs=2)
    assert notes.run(f"return {GRAPH}._fullLayout.height") == height
    notes.after(lambda: notes.run("document.querySelectorAll('.note-go')[0].click()"))
    notes.wait("return (document.querySelector('.note-panel:not([hidden]) .note-text') || {}).textContent === 'cold'", "the note")
    assert notes.window()[0] < START + 31 * DAY < notes.window()[1]
    type_keys(notes, Keys.ESCAPE)
    notes.wait("return document.querySelector('.note-panel').hidden", "it to be closed")
    assert notes.run("return document.activeElement.className") == "note-flag"
    picture = notes.run(
        "return riwayatPicture.framed(riwayatChart.chart, 700).layout.shapes.filter(({name}) => name === 'note').length"
    )
    assert picture == 2  # a flag and the band of its span are on paper, too
