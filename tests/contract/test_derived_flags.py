"""Derived series of inputs that rules flag or people correct: what they are by each choice of
flags, and when they are made again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.decision import Decision
from data.export.flag_column import flag_column
from data.export.rows import joined
from data.flags_missing import flags_missing, requests_beside
from data.overlay import with_derived
from data.range_rows import open_observations
from data.readings import FLAG_HARD
from data.site import Site
from data.tiles.series import SeriesKey
from data.time.months import parse_month
from data.view.flag_reasons import flag_reasons
from data.view.view_request import view_request
from tests.derived import APRIL, FEBRUARY, HOUR, JANUARY, asked, load, site_with_formulas, store, table

WARM = table("warm", "max(temperature, temperature)")
MEAN = table("mean_day", 'rolling_mean(temperature, "1 d")')
TIMES = np.arange(JANUARY, APRIL, HOUR)
SPIKE = 100
TEMPERATURE = 15 + 5 * np.sin(np.arange(len(TIMES)) / 24 * 2 * np.pi) + np.arange(len(TIMES)) % 7 / 10
TEMPERATURE[SPIKE] += 40


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_with_formulas(tmp_path, WARM, MEAN) as made:
        store(made, TIMES, {"temperature": TEMPERATURE})
        yield made


def rows(site: Site, name: str, flags: Any = "hard") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return open_observations(replace(site, flags=flags), asked(name), "a", name).read()


def decided(site: Site, *made: Decision) -> Site:
    return replace(site, decisions=lambda *series: made if series == ("a", "temperature") else ())


def said(kind: str, first: int, last: int, **more: Any) -> Decision:
    return Decision(1, "a", "temperature", kind, int(TIMES[first]), int(TIMES[last]), **more)  # type: ignore[arg-type]


def test_a_value_of_a_reading_that_cannot_be_right_is_left_out_and_of_a_window_without_it(site: Site) -> None:
    load(site, asked("warm", "mean_day"))
    assert not flags_missing(site, asked("warm", "mean_day"))
    assert np.flatnonzero(rows(site, "warm")[2]).tolist() == [SPIKE]
    assert rows(site, "warm")[2][SPIKE] == FLAG_HARD
    assert not rows(site, "warm", "none")[2].any()
    found, values, flags = rows(site, "mean_day")
    at = int(np.searchsorted(found, TIMES[SPIKE + 2]))
    assert values[at] == pytest.approx(np.delete(TEMPERATURE, SPIKE)[SPIKE - 21 : SPIKE + 2].mean())
    assert not flags[at]
    assert rows(site, "mean_day", "none")[1][at] == pytest.approx(TEMPERATURE[SPIKE - 21 : SPIKE + 3].mean())


def test_what_flags_a_derived_reading_is_told_by_reason_file_and_picture(site: Site) -> None:
    load(site, asked("warm"))
    hard, request = replace(site, flags="hard"), asked("warm")
    (reason,) = flag_reasons(hard, "a", site.catalogue["warm"], TIMES[SPIKE : SPIKE + 1], TEMPERATURE[SPIKE : SPIKE + 1])
    assert (reason.rule, reason.hard) == ("inputs", True)
    column = flag_column(hard, request, next(joined(hard, request, JANUARY, APRIL))).to_pylist()
    assert column[SPIKE] == "warm inputs hard"
    drawn = view_request(hard, request, JANUARY, APRIL, 300)
    assert drawn.statistics[0].flagged == 1
    assert drawn.statistics[0].max == pytest.approx(np.delete(TEMPERATURE, SPIKE).max())


def test_a_correction_of_an_input_counts_with_the_next_load_and_no_more_when_it_is_undone(site: Site) -> None:
    load(site, asked("warm"))
    before = rows(site, "warm")
    made = decided(site, said("offset", 200, 210, amount=2.0), replace(said("delete", 300, 301), number=2))
    assert flags_missing(made, asked("warm")) == {parse_month("2020-01")}
    load(made, asked("warm"))
    times, values, _ = rows(made, "warm")
    assert values[200:211] == pytest.approx(TEMPERATURE[200:211] + 2)
    assert not np.isin(TIMES[300:302], times).any()
    assert np.array_equal(rows(made, "warm", "none")[1], rows(site, "warm", "none")[1])
    load(site, asked("warm"))
    assert all(np.array_equal(one, other) for one, other in zip(rows(site, "warm"), before, strict=True))


def test_inputs_that_were_evicted_leave_flags_as_they_are_and_are_read_for_new_ones_of_their_months_alone(site: Site) -> None:
    load(site, asked("warm"))
    key = SeriesKey("own", "a", "temperature")
    site.tiles.drop(key, list(site.tiles.entries(key).values()))
    assert not flags_missing(site, asked("warm"))
    made = decided(site, said("delete", 300, 301))
    assert [(one.sensors, one.start_ms, one.end_ms) for one in requests_beside(made, asked("warm"))] == [
        (("temperature",), JANUARY, FEBRUARY)
    ]
    load(made, asked("warm"))
    assert not flags_missing(made, asked("warm"))
    assert len(rows(made, "warm")[0]) == len(TIMES) - 2


def test_a_month_into_which_an_input_is_filled_has_derived_readings(tmp_path: Path) -> None:
    with site_with_formulas(tmp_path, WARM) as site:
        kept = np.arange(len(TIMES))[TIMES < FEBRUARY]
        store(site, TIMES[kept], {"temperature": TEMPERATURE[kept]})
        store(site, TIMES, {"temperature": TEMPERATURE + 1}, station="b")
        span = int(np.searchsorted(TIMES, FEBRUARY)), len(TIMES) - 1
        made = decided(site, said("fill", *span, filled_from=("b", "temperature")))
        load(made, asked("warm"))
        times, values, flags = rows(made, "warm")
        assert np.array_equal(times, TIMES)
        assert values[flags == 0].max() < 30
        assert values[-1] == pytest.approx(TEMPERATURE[-1] + 1)
        assert len(rows(made, "warm", "none")[0]) == len(kept)


def test_what_applies_a_decision_makes_derived_series_anew_that_are_loaded(site: Site) -> None:
    whole = asked("temperature")
    assert with_derived(site, whole) == whole
    load(site, asked("warm", end=FEBRUARY))
    assert with_derived(site, whole).sensors == ("temperature", "warm")
    assert with_derived(site, asked("temperature", start=FEBRUARY)).sensors == ("temperature",)
