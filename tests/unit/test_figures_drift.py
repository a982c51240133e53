"""The picture and the list of a series beside its neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.answer import Moment
from analysis.drift import Drift, MonthsAsked, drift_of
from data.time.buckets import BY_NAME, bucket_edges
from i18n import set_language
from layouts.analyses import drift
from tests.unit.answers import CATALOGUE, ODD_NAMES, ZONE, answer, at, drawn, subject, words

YEARS, SHAPE = ("2018-01-01", "2022-01-01"), (48, 31)


@pytest.fixture(autouse=True)
def _english():
    yield
    set_language("en")


def changing(change: float, number: int = 2, *, is_ratio: bool = False) -> Drift:
    """A station that drifts so much a year away from a number of neighbours."""
    rng = np.random.default_rng(1)
    own = 10 + change * np.arange(48)[:, None] / 12 + rng.normal(0, 0.1, SHAPE)
    others = {f"N{place}": 10 + rng.normal(0, 0.1, SHAPE) for place in range(number)}
    edges = bucket_edges(BY_NAME["1mo"], at(YEARS[0]), at(YEARS[1]), ZONE)
    months = MonthsAsked(tuple(map(Moment, edges[:-1].tolist())), np.arange(48), np.full(48, 18))
    return drift_of(own, others, np.ones(number), months, "%" if is_ratio else "°C", is_ratio=is_ratio)


def test_a_point_is_a_month_and_leads_to_it_and_the_line_ends_where_the_drift_has_come_to():
    points, line, step = drawn(answer("drift", *YEARS, subject(changing(0.3))))["data"]
    assert (len(points["x"]), points["x"][1]) == (48, "2018-02-15")
    assert points["customdata"][1][:2] == [at("2018-02-01"), at("2018-03-01")]
    assert "2 neighbours" in points["customdata"][1][2]
    assert line["y"][1] - line["y"][0] == pytest.approx(0.3 * 47 / 12, abs=0.05)
    assert (line["line"]["dash"], len(step["x"])) == ("solid", 4)
    assert drawn(answer("drift", *YEARS, subject(changing(0.0))))["data"][1]["line"]["dash"] != "solid"


def test_the_yearly_cycle_is_taken_out_unless_it_is_to_stay():
    wave = np.sin(np.arange(48) / 6 * np.pi)
    made = changing(0.0)
    made = answer("drift", *YEARS, subject(replace(made, value=made.value + wave)))
    flat, waved = (np.array(drawn(made, **how)["data"][0]["y"]) for how in ({}, {"season": "kept"}))
    assert flat.std() < 0.2 < waved.std()


def test_of_rain_points_are_percent_and_have_no_sign():
    picture = drawn(answer("drift", *YEARS, subject(changing(0.0, is_ratio=True), sensor="rainfall")))
    said = picture["data"][0]["customdata"][0][2]
    assert "%" in said
    assert "+" not in said
    assert not picture["data"][0]["error_y"]["visible"]


def test_one_neighbour_and_too_few_months_are_said_in_picture_and_list():
    one = answer("drift", *YEARS, subject(changing(0.3, 1)))
    few = changing(0.3)
    few = answer("drift", *YEARS, subject(replace(few, lacks="months", months=7, trend=None, likely_break=None, left_out=("X",))))
    none = replace(few.subjects[0].result, lacks="neighbours", neighbours=(), value=np.full(48, np.nan))
    for made, said in (
        (one, "either of the two"),
        (few, "7 months to compare; 24 are needed"),
        (few, "too few months in common: X"),
        (answer("drift", *YEARS, subject(none)), "No other station has enough days"),
    ):
        assert said in words(drawn(made))
        assert said in str(drift.details(made, CATALOGUE))
    assert drift.details(answer("drift", *YEARS), CATALOGUE) is None


def test_the_list_has_the_drift_in_bold_where_it_is_no_chance_and_its_break_is_a_door():
    text = str(drift.details(answer("drift", *YEARS, subject(changing(0.3)), subject(changing(0.0), "EWR")), CATALOGUE))
    assert "Strong('+0.3" in text
    assert text.count("data-from") == 2
    assert "before " in text


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 262)])
def test_odd_names_stay_names_in_each_language_theme_and_width(language, theme, width):
    set_language(language)
    subjects = [subject(replace(changing(0.3), left_out=ODD_NAMES), name) for name in ODD_NAMES]
    text = words(drawn(answer("drift", *YEARS, *subjects), theme=theme, width_px=width))
    assert "&lt;b&gt;" in text
    assert words(drawn(answer("drift", *YEARS)))
