"""Notes on the time axis: where their flags stand, and that a figure says no more than it may."""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go
import pytest

from access.notes.note import Note, NoteContent
from access.notes.noted import Noted
from data.catalogue import load_catalogue
from data.station_history import HistoryEntry
from figures.history import history_figure
from figures.note_marks import NOTES_PX, marks_of
from figures.overview import OVERVIEW_PX, overview_figure
from figures.rail import railed
from i18n import set_language
from tests.unit.views import DAY_MS, HOUR_MS, START_MS, line, view

CATALOGUE = load_catalogue()
HOSTILE = "<b>%{y}</b> \u202eevil <a href='x'>&"
VIEW = view(line([float(START_MS + hour * HOUR_MS) for hour in range(24)], range(24)))


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


def a_note(hour: float, until: float | None = None, text: str = "fog", sensor: str | None = "temperature") -> Note:
    start, end = (int(START_MS + (hour if each is None else each) * HOUR_MS) for each in (hour, until))
    content = NoteContent("aws-1", sensor, start, end, text)
    return Note(content.id_of("sari"), "sari", content, 0, 0)


def notes(*found: Note) -> Noted:
    return Noted(tuple(found))


MOVED = HistoryEntry("aws-1", None, START_MS + 6 * HOUR_MS, None, -6.6, 106.8, 250.0, "HMP155", "new mast")


def figure(noted: Noted, **more: Any) -> dict[str, Any]:
    return history_figure(VIEW, CATALOGUE, width_px=1000, noted=noted, **more)


def shapes(found: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in found["layout"]["shapes"] if each.get("name") == "note" and each["type"] == kind]


@pytest.mark.parametrize(
    ("hours", "counts"),
    [
        ([1, 2, 3], [1, 1, 1]),  # 1000 px a day: 42 px an hour
        ([1, 1.1, 3], [2, 1]),
        ([1, 1.2, 1.4], [2, 1]),  # near the flag, not near the one before
        ([-1, 30], []),
        ([0, 24], [1]),  # the window's end is not in it
    ],
)
def test_flags_that_would_overlap_are_one(hours, counts):
    found = marks_of(notes(*(a_note(hour, text=str(hour)) for hour in hours)), START_MS, START_MS + DAY_MS, 1000)
    assert [len(each.of) for each in found] == counts


def test_a_span_is_a_band_from_where_it_or_the_window_begins():
    found = figure(notes(a_note(-5, 2), a_note(20, 21), a_note(20.5, 40, "more")))
    offset = found["layout"]["meta"]["offset"] + START_MS
    assert [(each["x0"] - offset, each["x1"] - offset) for each in shapes(found, "rect")] == [
        (0, 2 * HOUR_MS),
        (20 * HOUR_MS, 24 * HOUR_MS),
    ]
    assert [each["xanchor"] - offset for each in shapes(found, "path")] == [0, 20 * HOUR_MS, 20.5 * HOUR_MS]


def test_marks_stand_beneath_the_plots_in_a_strip_that_is_there_for_all_windows_of_a_job():
    bare, far, near = figure(Noted()), figure(notes(a_note(99))), figure(notes(a_note(3)))
    assert far["layout"]["height"] == near["layout"]["height"] == bare["layout"]["height"] + NOTES_PX
    for found in (far, near):
        assert found["layout"]["margin"]["b"] == bare["layout"]["margin"]["b"] + NOTES_PX
        assert found["layout"]["xaxis"]["ticklabelstandoff"] == NOTES_PX
        assert found["layout"]["yaxis"]["domain"] == bare["layout"]["yaxis"]["domain"]
    assert not shapes(far, "path")
    for each in (*shapes(near, "path"), *shapes(near, "rect")):
        assert (each["yref"], each["yanchor"], each["ysizemode"]) == ("paper", 0, "pixel")
    framed = figure(notes(a_note(3)), height_px=400)
    assert framed["layout"]["height"] == figure(Noted(), height_px=400)["layout"]["height"] == 400


def test_the_pages_figure_has_places_and_no_words_and_others_say_them_as_text():
    noted = notes(a_note(3, text=HOSTILE), a_note(3.1, text="second"), a_note(9, 12))
    found = figure(noted)
    go.Figure(found)
    [first, _] = [each["hovertext"] for each in found["layout"]["annotations"] if "hovertext" in each]
    assert "&lt;b&gt;%&#123;y}&lt;/b&gt; \\u202eevil &lt;a href='x'&gt;&amp;" in first
    assert "second" in first
    paged = railed(found, VIEW, CATALOGUE)
    text = json.dumps(paged["layout"])
    assert "evil" not in text
    assert "second" not in text
    told = paged["layout"]["meta"]["notes"]
    assert [len(each["ids"]) for each in told["marks"]] == [2, 1]
    assert told["version"] == noted.version != notes(a_note(3)).version
    assert [each["text"] for each in paged["layout"]["annotations"]].count("2") == 1


def test_the_history_of_a_station_has_a_look_of_its_own():
    found = figure(Noted((a_note(12),), (MOVED,)))
    assert len({each["path"] for each in shapes(found, "path")}) == 2
    assert [each["history"] for each in found["layout"]["meta"]["notes"]["marks"]] == [True, False]
    hovers = [each["hovertext"] for each in found["layout"]["annotations"] if "hovertext" in each]
    assert "HMP155 · -6.6, 106.8, 250 m · new mast" in hovers[0]


def test_a_note_beside_the_history_of_its_station_is_one_flag_with_it():
    [mark] = figure(Noted((a_note(6.1),), (MOVED,)))["layout"]["meta"]["notes"]["marks"]
    assert (len(mark["ids"]), mark["history"]) == (2, False)


def test_the_overview_is_marked_at_its_upper_edge_and_as_high_as_before():
    found = overview_figure(VIEW, CATALOGUE, noted=notes(a_note(3), a_note(9, 12)))["layout"]
    assert found["height"] == OVERVIEW_PX
    assert {each["yanchor"] for each in found["shapes"]} == {1}
    assert [each["type"] for each in found["shapes"]] == ["rect", "path", "path"]


def test_only_what_is_drawn_of_a_job_has_its_notes():
    noted = notes(a_note(3), a_note(4, sensor=None, text="all"), a_note(5, sensor="rainfall", text="wet"))
    assert [one.content.text for one in noted.only({"rainfall"}).notes] == ["all", "wet"]
