"""Pictures of years, cycles and events: numbers as answered, doors to their own windows."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.answer import Moment
from analysis.compare import Compare
from analysis.cycle import Cycle, Part
from analysis.events import Event, Events
from i18n import set_language
from layouts.analyses import compare, cycle, events
from tests.unit.answers import CATALOGUE, ODD_NAMES, answer, at, drawn, numbers, subject, words


@pytest.fixture(autouse=True)
def _english():
    yield
    set_language("en")


def years() -> Compare:
    values = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    return Compare(
        ("03-10", "03-11"), (2022, 2023, 2024), values, np.array([3, 3]), values[0], values[1], values[2], values - values[1]
    )


def cycles() -> Cycle:
    part = Part("03", 4, 7.5, 1.0, 7.0, 9.0)
    return Cycle((part,), (part,), np.full((12, 24), np.nan), np.zeros((12, 24), np.int64))


def found() -> Events:
    begin = at("2024-03-10")
    one = Event(Moment(begin), Moment(begin + 7_200_000), 120.0, 2, 35.0, Moment(begin + 3_600_000))
    return Events("above", 30.0, (one,), 1, 120.0, 0.5)


RESULTS = {"compare": years, "cycle": cycles, "events": found}


@pytest.mark.parametrize("form", ["overlay", "side by side", "difference"])
def test_a_line_has_the_values_of_its_year_and_a_point_is_a_door_to_its_day(form):
    picture = drawn(answer("compare", "2022-01-01", "2025-01-01", subject(years()), bucket="1d"), **{"as": form})
    lines = [trace for trace in picture["data"] if "customdata" in trace]
    expected = [[-2, -2], [0, 0], [2, 2]] if form == "difference" else [[1, 2], [3, 4], [5, 6]]
    assert sorted(numbers(line["y"]).tolist() for line in lines) == expected
    doors = {tuple(point[:2]) for line in lines for point in line["customdata"]}
    assert (at("2024-03-10"), at("2024-03-11")) in doors


def test_the_mean_of_an_hour_stands_at_its_hour():
    *_, line = [
        one for one in drawn(answer("cycle", "2024-01-01", "2025-01-01", subject(cycles())))["data"] if one["xaxis"] == "x"
    ]
    assert numbers(line["y"])[3] == 7.5
    assert np.isfinite(numbers(line["y"])).sum() == 1


def test_an_event_is_a_bar_from_the_threshold_to_its_extreme_and_a_door():
    made = answer("events", "2024-03-01", "2024-04-01", subject(found()))
    (bars,) = drawn(made)["data"]
    assert (bars["base"], numbers(bars["y"]).tolist()) == (30.0, [5.0])
    low, high = bars["customdata"][0][:2]
    assert low < at("2024-03-10") < high
    assert events.details(made, CATALOGUE) is not None


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 262])
def test_odd_names_stay_names_and_nothing_says_so(name, language, theme, width):
    set_language(language)
    made = answer(name, "2022-01-01", "2025-01-01", *(subject(RESULTS[name](), odd) for odd in ODD_NAMES))
    text = words(drawn(made, theme=theme, width_px=width))
    assert "%{y}" not in text
    assert "&lt;b&gt;" in text
    assert words(drawn(answer(name, "2022-01-01", "2025-01-01")))


def test_controls_name_options_of_their_analyses():
    assert [control.name for control in compare.controls()] == ["as", "years", "months", "bucket", "cumulative", "complete", "y"]
    assert cycle.controls() == ()
    assert [control.name for control in events.controls()] == ["above", "below", "minutes"]
