"""The chart in a real browser: every gesture asks for its window, the newest wins,
and nothing that its user did is lost.
"""

from __future__ import annotations

import json
import urllib.request

from tests.e2e.chart_page import DAY, END, GRAPH, START, Chart
from tests.e2e.history_page import PATIENCE_S
from tests.processes import wait_until

AXIS_TIMES = (
    ("2013-07-01 12:00:00.1234", 1_372_680_000_123),
    ("2013-07-01 12:00", 1_372_680_000_000),
    ("2013-07-01", 1_372_636_800_000),
    ("0099-03-01", -59_037_897_600_000),
    (1_372_680_000_123.4, 1_372_680_000_123),
)


def test_a_zoom_brings_the_rows_of_its_window_and_a_double_click_the_whole_again(chart: Chart) -> None:
    whole_badge = chart.badge()
    assert "every peak kept" in whole_badge
    chart.drag("#chart .nsewdrag", 0.50, 0.52)
    chart.wait_for_answer(0)
    start, end = chart.window()
    assert abs(end - start - 0.02 * (END - START)) < 2 * DAY
    chart.wait("return document.getElementById('badge').textContent.startsWith('all ')", "every row drawn")
    left, top, width, _height = chart.box("#chart .nsewdrag")

    def clicked_back() -> bool:
        # on a busy machine two clicks may be too slow to be a double one
        chart.click(left + width / 2, top + 40, times=2)
        return chart.window() == (START, END)

    wait_until(clicked_back, "the whole range", PATIENCE_S)
    assert not [entry for entry in chart.driver.get_log("browser") if entry["level"] == "SEVERE"]


def test_keys_and_brush_move_the_window(chart: Chart) -> None:
    chart.press("+")
    chart.wait_for_answer(0)
    start, end = chart.window()
    assert abs((end - start) - (END - START) / 2) < 10
    chart.press("ArrowRight")
    chart.wait_for_answer(1)
    assert abs(chart.window()[0] - start - 0.2 * (end - start)) < 10
    before, sequence = chart.window(), chart.sequence()
    chart.drag("#overview-brush", 0.5, 0.25)
    chart.wait_for_answer(sequence)
    wait_until(lambda: chart.window()[0] < before[0], "the brush to move the window", PATIENCE_S)
    start, end = chart.window()
    assert abs((end - start) - (before[1] - before[0])) < 10
    sequence = chart.sequence()
    chart.press("0")
    chart.wait_for_answer(sequence)
    assert chart.window() == (START, END)
    sequence = chart.sequence()
    for _ in range(6):  # quicker than any answer: only the last counts
        chart.press("+")
    chart.wait_for_answer(sequence + 5)
    start, end = chart.window()
    assert abs((end - start) - (END - START) / 64) < 100


def test_a_zoom_survives_progress_and_so_does_a_hidden_series(chart: Chart) -> None:
    chart.run("document.querySelector('.rail-eye').click()")
    chart.wait(f"return {GRAPH}._fullData[0].visible === 'legendonly'", "the series to be hidden")
    chart.press("+")
    chart.wait_for_answer(0)
    window = chart.window()
    chart.run(f"window.before = {GRAPH}.layout; dash_clientside.set_props('job-version', {{data: 1000}})")
    chart.wait(f"return {GRAPH}.layout !== window.before", "the figure of the next progress")
    assert chart.window() == window
    shown = chart.run(f"return {GRAPH}._fullLayout.xaxis._rl.map(Number)")
    assert shown == [window[0] + chart.meta()["offset"], window[1] + chart.meta()["offset"]]
    assert chart.run(f"return {GRAPH}._fullData[0].visible") == "legendonly"


def test_an_answer_to_an_older_gesture_is_not_drawn_and_times_are_read_exactly(chart: Chart) -> None:
    old = chart.meta()["revision"], chart.meta()["sequence"]
    chart.run("window.old = {job: arguments[0], sequence: arguments[1], figure: {data: [], layout: {}}}", *old)
    chart.press("+")
    kept = "return dash_clientside.riwayat_chart.draw(window.old).then((drawn) => drawn === dash_clientside.no_update)"
    assert chart.run(kept)  # the gesture has only begun, and the answer is already stale
    chart.wait_for_answer(0)
    assert chart.run(kept)
    hour = 3_600_000
    read = "return dash_clientside.riwayat_chart.axisTime(arguments[0], arguments[1])"
    assert {text: chart.run(read, text, -4 * hour) - 4 * hour for text, _time in AXIS_TIMES} == dict(AXIS_TIMES)


def test_statistics_are_copied_and_rows_downloaded(chart: Chart) -> None:
    chart.run("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    # The button says it for a moment only, so what it says is written down.
    chart.run(
        "const button = document.getElementById('stats-copy'); window.said = [];"
        "new MutationObserver(() => window.said.push(button.textContent)).observe(button, {childList: true, subtree: true});"
        "button.click()"
    )
    copied = chart.wait("return window.copied", "the statistics in the clipboard")
    lines = [line.split("\t") for line in copied.splitlines()]
    assert lines[0][:4] == ["station", "sensor", "unit", "rows"]
    assert len(lines) == 5
    chart.wait("return window.said.includes('Copied')", "the word that it is done")
    # … and the rows of the window are one click away.
    chart.press("+")
    chart.wait_for_answer(0)
    start, end = chart.window()
    href = chart.wait(
        "const link = document.getElementById('download-csv').href; return link.includes('from=') && link", "the link"
    )
    assert f"from={start}&to={end}" in href
    with urllib.request.urlopen(href) as answer:
        header = "timestamp_utc,timestamp_local,station,rainfall (mm),temperature (°C),flag\n"
        assert answer.readline().decode() == header


def test_the_cursor_tells_readings_and_what_lies_between_two_of_them(chart: Chart) -> None:
    left, top, width, height = chart.box("#chart .nsewdrag")
    x, y = left + width * 0.4, top + height * 0.5
    chart.hover(x, y)
    chart.wait("return !!window.riwayatCursors", "the cursor's script")
    chart.hover(x + 1, y)
    told = "return [...document.querySelectorAll('.rail-value')].map((value) => value.textContent)"
    chart.wait_for(lambda: "°C" in chart.run(told)[0][1:] and chart.run(told)[3].endswith("mmdaily sum"), "values at the cursor")
    assert "2013" in chart.run("return document.querySelector('.readout-time').textContent")
    assert not chart.run("return document.querySelectorAll('#chart .hoverlayer *').length")

    for share in (0.4, 0.6):
        chart.click(left + width * share, y)
        chart.wait(f"return document.querySelectorAll('.cursor-pin').length === {1 if share == 0.4 else 2}", "the pin")
    cells = "return [...document.querySelectorAll('#between td:nth-of-type(4)')].map((cell) => cell.textContent)"
    chart.wait_for(lambda: [text[-4:] for text in chart.run(cells)] == ["mean", "mean", "otal", "otal"], "the server's answer")
    start, end = (int(time) for time in chart.run("const {start, end} = riwayatBetween.span(); return [start, end]"))
    with urllib.request.urlopen(f"{chart.url}/api/jobs/{chart.meta()['revision']}/stats?from={start}&to={end}") as answer:
        statistics = json.load(answer)["series"]
    mean = next(one["mean"] for one in statistics if (one["station"], one["sensor"]) == ("EWR", "temperature"))
    assert chart.run(cells)[0].startswith(f"{mean:.1f}")
    chart.run("document.querySelector('.readout-button').click()")
    chart.wait_for(lambda: chart.window() == (start, end), "the window from A to B")
    chart.press("Escape")
    chart.wait("return document.getElementById('between').hidden", "the pins to be gone")


def test_indonesian_months_need_no_network(chart: Chart) -> None:
    chart.driver.execute_cdp_cmd("Network.setCookie", {"name": "riwayat_language", "value": "id", "url": chart.url})
    chart.open()
    ticks = chart.run(f"return [...{GRAPH}.querySelectorAll('.xtick text')].map((tick) => tick.textContent)")
    assert any("Mei" in tick or "Agu" in tick or "Okt" in tick for tick in ticks), json.dumps(ticks)
    chart.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chart.driver.get("about:blank")
