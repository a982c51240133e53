"""A new analysis is three small files and one line: then page, API and command line have it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import analysis
import figures.analyses
import layouts.analyses
from analysis import registry
from analysis.registry import ANALYSES, Analysis
from app import create_app
from callbacks.pictures import ViewQuery
from callbacks.selection import Selection
from callbacks.view import draw
from jobs.job import Job
from jobs.services import Services
from layouts.views import view_names
from tests.contract.test_job_view import END, START, folder, job, services  # noqa: F401 - fixtures

DAY = 86_400_000

QUESTION = '''
"""How many readings there are above a limit."""
from dataclasses import dataclass
from pydantic import BaseModel, ConfigDict
from analysis.answer import Method, Table

class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limit: float = 0.0

@dataclass(frozen=True)
class Above:
    count: int

METHOD = (Method("count above", "counted"),)

def run(question, observed, options):
    return Above(int((observed.read()[1] > options.limit).sum()))

def table(result, unit):
    return Table(("count",), [(result.count,)])
'''
PICTURE = '''
"""Bars of the counts."""
from figures.canvas import canvas_layout

def figure(answer, catalogue, canvas):
    counts = [subject.result.count for subject in answer.subjects]
    return {"data": [{"type": "bar", "y": counts, "width": 0.9}], "layout": canvas_layout(canvas, 300)}
'''
PAGE = '''
"""What the page shows of it."""
from dash import html
from layouts.controls import Control

def label():
    return "Toy"

def controls():
    return (Control("limit", "Limit"), Control("bars", "Bars", {"wide": "wide", "thin": "thin"}, drawing=True, default="wide"))

def details(answer, catalogue):
    return html.P(f"{len(answer.subjects)} series")
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three files of a name, as a newcomer would write them, and the line in the list."""
    for package, text in ((analysis, QUESTION), (figures.analyses, PICTURE), (layouts.analyses, PAGE)):
        place = tmp_path / package.__name__
        place.mkdir()
        (place / "toy.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(place)])
    importlib.invalidate_caches()
    monkeypatch.setitem(ANALYSES, "toy", Analysis("toy", importlib.import_module("analysis.toy"), registry._each))
    yield
    for package in (analysis, figures.analyses, layouts.analyses):
        sys.modules.pop(f"{package.__name__}.toy", None)
        vars(package).pop("toy", None)


@pytest.mark.usefixtures("toy")
def test_a_new_analysis_is_a_tab_with_its_picture_its_controls_and_its_lists(services: Services, job: Job) -> None:  # noqa: F811
    assert view_names()["toy"] == "Toy"
    stored = {"job": job.id, "start": START, "end": START + 30 * DAY, "sequence": 3, "view": "toy"}
    counts = []
    for options in ({}, {"limit": "5", "bars": "thin"}):
        drawn = draw(services, ViewQuery(job.id, Selection.of(stored | {"options": options}), False, "light", 800)).whole
        assert (drawn["view"], drawn["options"]) == ("toy", options)
        assert "6 series" in str(drawn["lists"])
        assert drawn["figure"]["layout"]["meta"]["end"] == START + 30 * DAY
        assert drawn["statistics"] is not None
        assert "in the chart" not in str(drawn["statistics"])  # nothing of the view is drawn here
        counts.append(drawn["figure"]["data"][0]["y"])
    assert all(fewer <= all_ for fewer, all_ in zip(counts[1], counts[0], strict=True))
    assert counts[0] != counts[1]
    assert "'5'" in str(drawn["controls"])


@pytest.mark.usefixtures("toy")
def test_a_new_analysis_answers_over_the_api_as_on_the_page(services: Services, job: Job) -> None:  # noqa: F811
    client = create_app(services.settings).server.test_client()
    answer = client.get(f"/api/jobs/{job.id}/analysis/toy?limit=5&from=2013-01-01T00:00:00Z&to=2013-01-31T00:00:00Z")
    assert answer.status_code == 200, answer.text
    stored = {"job": job.id, "start": START, "end": START + 30 * DAY, "view": "toy", "options": {"limit": "5"}}
    drawn = draw(services, ViewQuery(job.id, Selection.of(stored), False, "light", 800)).whole
    found = [result["count"] for result in answer.json["results"]]
    assert sorted(found) == sorted(drawn["figure"]["data"][0]["y"])  # the page has the order of Trend


@pytest.mark.usefixtures("toy")
def test_a_wrong_option_is_said_in_the_place_of_the_picture_and_the_window_stays(services: Services, job: Job) -> None:  # noqa: F811
    for options, words in (({"limit": "much"}, "limit"), ({"colour": "red"}, "no option colour")):
        stored = {"job": job.id, "start": START, "end": START + DAY, "view": "toy", "options": options}
        drawn = draw(services, ViewQuery(job.id, Selection.of(stored), False, "light", 800)).whole
        layout = drawn["figure"]["layout"]
        assert words in layout["annotations"][0]["text"].replace("<br>", " ")
        assert (layout["meta"]["start"], layout["meta"]["end"]) == (START, START + DAY)
        assert drawn["statistics"] is not None


def test_an_unknown_view_is_trend(services: Services, job: Job) -> None:  # noqa: F811
    for view in ("rose", "summary", "__init__", "../wind", 7, None):
        stored = {"job": job.id, "view": view, "options": {"x": "y"}}
        drawn = draw(services, ViewQuery(job.id, Selection.of(stored), False, "light", 800)).whole
        assert (drawn["view"], drawn["options"], drawn["figure"]["layout"]["meta"]["end"]) == ("trend", {}, END)
