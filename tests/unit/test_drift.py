"""A station beside its neighbours: what is told of days that are known to drift or break."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.answer import Moment
from analysis.drift import Drift, MonthsAsked, drift_of

MONTHS = 48
SHAPE = (MONTHS, 31)  # every month has 31 days here
YEARS = (np.arange(MONTHS * 31) / 31 / 12).reshape(SHAPE)
WAVE = 20 + 5 * np.sin(YEARS * 2 * np.pi)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.3, SHAPE)


def told(stations: dict[str, np.ndarray], of: str, weight: list[float] | None = None, *, is_ratio: bool = False) -> Drift:
    months = MonthsAsked(tuple(map(Moment, range(MONTHS))), np.arange(MONTHS), np.full(MONTHS, 21))
    others = {name: days for name, days in stations.items() if name != of}
    weights = np.array(weight or [1.0] * len(others))
    return drift_of(stations[of], others, weights, months, "%" if is_ratio else "°C", is_ratio=is_ratio)


def gone(days: np.ndarray, *months: slice) -> np.ndarray:
    """Days without those of some months."""
    left = days.copy()
    for each in months:
        left[each] = np.nan
    return left


def with_change(change: np.ndarray) -> dict[str, np.ndarray]:
    """Five stations of other levels, of which the fourth changes."""
    return {name: WAVE + seed + noise(seed) + (change if name == "d" else 0) for seed, name in enumerate("abcde")}


def test_the_station_that_drifts_is_the_one_that_is_told():
    stations = with_change(0.5 * YEARS)
    found = told(stations, "d").trend
    assert (found.slope, found.significant) == (pytest.approx(0.5, abs=0.03), True)
    assert found.low < 0.5 < found.high
    assert max(abs(told(stations, name).trend.slope) for name in "abce") < 0.1


def test_the_station_that_breaks_is_the_one_that_is_told_with_the_month_after_it():
    stations = with_change(0.9 * (YEARS >= 27 / 12))
    found = told(stations, "d").likely_break
    assert (found.month, found.significant) == (27, True)
    assert (found.size, found.after - found.before) == (pytest.approx(0.9, abs=0.1), found.size)
    assert max(abs(told(stations, name).likely_break.size) for name in "abce") < 0.25


def test_with_one_neighbour_each_is_accused_of_what_the_other_does():
    stations = {"a": WAVE + noise(0), "b": WAVE + noise(1) + 0.4 * YEARS}
    slopes = [told(stations, name).trend.slope for name in "ab"]
    assert slopes[0] == pytest.approx(-slopes[1]) == pytest.approx(-0.4, abs=0.05)


def test_months_are_medians_of_daily_differences_with_their_quartiles():
    stations = {"a": WAVE + noise(1), "b": WAVE + noise(2)}
    stations["a"][1, 5] += 100  # which a median does not see
    stations["b"][1, 7:12] = np.nan
    found, apart = told(stations, "a"), (stations["a"] - stations["b"])[1]
    known = apart[np.isfinite(apart)]
    assert (found.value[1], found.days[1]) == (pytest.approx(np.median(known)), 26)
    assert [found.low[1], found.high[1]] == pytest.approx(np.quantile(known, [0.25, 0.75]).tolist())


def test_a_gauge_that_clogs_catches_a_falling_share_of_what_its_neighbours_do():
    rng = np.random.default_rng(8)
    rain = np.where(rng.random(SHAPE) < 0.4, rng.exponential(8, SHAPE), 0)
    stations = {name: rain * rng.uniform(0.8, 1.2, SHAPE) * (1 + place / 10) for place, name in enumerate("abc")}
    stations["c"] = stations["c"] * (1 - 0.1 * YEARS)
    stations["a"][9] = 0.0  # a month in which it is stuffed up
    stations["b"][11] = 0.05  # a month in which next to nothing fell
    clogged = told(stations, "c", is_ratio=True)
    assert clogged.trend.slope == pytest.approx(-0.1 * clogged.trend.middle, rel=0.1)
    assert clogged.trend.significant
    assert np.isnan(clogged.low).all()
    stuffed = told(stations, "a", is_ratio=True)
    assert stuffed.value[9] == 0.0
    both = np.isfinite(stations["a"][2]) & np.isfinite(stations["b"][2])
    only = told({name: stations[name] for name in "ab"}, "a", is_ratio=True)
    assert np.flatnonzero(np.isnan(only.value)).tolist() == [11]
    assert only.value[2] == pytest.approx(100 * stations["a"][2][both].sum() / stations["b"][2][both].sum())


@pytest.mark.parametrize("weight", [[1.0, 1.0], [1.0, 9.0]])
def test_a_neighbour_that_comes_and_goes_makes_no_break_however_it_differs(weight):
    far = gone(WAVE - 9 + noise(3), slice(0, 12), slice(36, None))
    found = told({"a": WAVE + noise(1), "b": WAVE + noise(2), "far": far}, "a", weight)
    assert found.neighbours == ("b", "far")
    assert found.stations.tolist() == [1] * 12 + [2] * 24 + [1] * 12
    assert abs(found.likely_break.size) < 0.2
    assert not found.likely_break.significant


def test_a_neighbour_that_drifts_tells_no_other_its_level():
    late = gone(WAVE + noise(4), slice(0, 20))
    stations = {"a": WAVE + noise(1), "drifting": WAVE + noise(2) + YEARS, "good": WAVE + noise(3), "late": late}
    found = told(stations, "a", [1.0, 1.0, 1.0])
    assert set(found.neighbours) == {"drifting", "good", "late"}
    after = found.value[20:]
    assert after.max() - after.min() < 0.5
    assert abs(after.mean()) < 0.2
    rates = {name: 5 * np.exp(days - WAVE) for name, days in stations.items()}
    assert np.ptp(told(rates, "a", is_ratio=True).value[20:]) < 60


def test_what_has_too_few_months_in_common_is_said_and_not_guessed():
    stations = {
        "a": WAVE + noise(1),
        "b": WAVE + noise(2),
        "new": gone(WAVE + noise(3), slice(0, 40)),
        "old": gone(WAVE + noise(4), slice(20, None)),
        "none": np.full(SHAPE, np.nan),
    }
    found = told(stations, "a")
    assert (found.neighbours, found.left_out) == (("b", "old"), ("new", "none"))
    young = told(stations, "new")
    assert (young.lacks, young.months, young.trend, young.likely_break) == ("months", 8, None, None)
    assert np.isfinite(young.value).sum() == 8
    assert (told(stations, "none").lacks, told(stations, "none").months) == ("neighbours", 0)


def test_a_month_without_eleven_days_or_more_does_not_count():
    stations = {"a": WAVE + noise(1), "b": WAVE + noise(2)}
    stations["b"][3, :10] = stations["b"][4, :11] = np.nan
    found = told(stations, "a")
    assert (found.days[3], found.days[4], np.isnan(found.value[4])) == (21, 0, True)


def test_of_many_neighbours_the_nearest_are_compared_with_and_else_those_with_the_most_days():
    stations = {f"s{place:02d}": WAVE + noise(place) for place in range(12)}
    found = told(stations, "s00", [1.0] * 3 + [2.0] * 8)
    assert found.neighbours == tuple(f"s{place:02d}" for place in range(4, 12))
    stations |= {name: gone(stations[name], slice(0, 2)) for name in ("s01", "s05", "s07")}
    assert found.left_out == ()
    assert told(stations, "s00").neighbours == ("s02", "s03", "s04", "s06", "s08", "s09", "s10", "s11")
