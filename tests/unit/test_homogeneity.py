"""Trend and break of monthly series that are known: by hand, as published, drawn with a seed."""

from __future__ import annotations

import math
from itertools import combinations
from statistics import NormalDist, median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.homogeneity import critical_value, inflation, shift_of, trend_of, without_season
from analysis.neighbour_months import levelled, weighted_middle

# Annual flow of the Nile at Aswan 1871-1970 (Cobb 1978), whose level fell with the dam: before 1899
_FLOWS = """1120 1160 963 1210 1160 1160 813 1230 1370 1140 995 935 1110 994 1020 960 1180 799 958 1140 1100 1210 1150 1250 1260
1220 1030 1100 774 840 874 694 940 833 701 916 692 1020 1050 969 831 726 456 824 702 1120 1100 832 764 821 768 845 864
862 698 845 744 796 1040 759 781 865 845 944 984 897 822 1010 771 676 649 846 812 742 801 1040 860 874 848 890 744 749
838 1050 918 986 797 923 975 815 1020 906 901 1170 912 746 919 718 714 740"""
NILE = np.array(_FLOWS.split(), np.float64)


def months(number: int) -> np.ndarray:
    return np.arange(number, dtype=np.int64)


def test_the_break_of_the_nile_is_that_of_the_literature():
    found = shift_of(months(100), NILE)
    assert 1871 + found.place == 1899  # Cobb (1978): the last year of the old level is 1898
    assert (found.before, found.after) == (pytest.approx(NILE[:28].mean()), pytest.approx(NILE[28:].mean()))
    z = (NILE - NILE.mean()) / NILE.std(ddof=1)
    by_hand = max(k * z[:k].mean() ** 2 + (100 - k) * z[k:].mean() ** 2 for k in range(1, 100))
    assert found.statistic == pytest.approx(by_hand)
    assert found.significant


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-40, 40), min_size=24, max_size=40), st.data())
def test_slope_and_test_are_those_of_every_pair(values, data):
    gaps = data.draw(st.lists(st.integers(1, 3), min_size=len(values), max_size=len(values)))
    at, given_values = np.cumsum(gaps), np.array(values, np.float64) / 10
    found = trend_of(at, given_values)
    pairs = list(combinations(range(len(values)), 2))
    slope = median((given_values[j] - given_values[i]) / ((at[j] - at[i]) / 12) for i, j in pairs)
    assert found.slope == pytest.approx(slope, abs=1e-12)
    score = sum(int(np.sign(values[j] - values[i])) for i, j in pairs)
    number = len(values)
    ties = [values.count(value) for value in set(values)]
    variance = (number * (number - 1) * (2 * number + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    variance *= inflation(at, given_values - slope * (at - at[0]) / 12)
    z = (abs(score) - 1) / math.sqrt(variance) if score and variance else 0.0
    assert found.p == pytest.approx(2 * (1 - NormalDist().cdf(z)), abs=1e-9)
    assert not found.low > found.slope > found.high


@pytest.mark.parametrize("number", [24, 36, 120])
def test_a_drift_is_found_whole_beneath_a_season_and_noise(number):
    at, rng = months(number), np.random.default_rng(number)
    values = 5 + 0.3 * at / 12 + 2 * np.sin(at * math.pi / 6) + rng.normal(0, 0.02, number)
    found = trend_of(at, without_season(at, values))
    assert found.slope == pytest.approx(0.3, abs=0.03)
    assert found.low < 0.3 < found.high
    assert found.significant
    assert without_season(at, 5 + 0.3 * at / 12 + 2 * np.sin(at * math.pi / 6)).tolist() == pytest.approx(
        (np.mean(values) + 0.3 * (at - at.mean()) / 12).tolist(), abs=0.02
    )


@pytest.mark.parametrize(("number", "place"), [(36, 18), (60, 20), (120, 90)])
def test_a_break_is_found_where_it_is_and_as_great_as_it_is(number, place):
    at, rng = months(number), np.random.default_rng(number)
    values = 2 * np.sin(at * math.pi / 6) + np.where(at >= place, 0.8, 0) + rng.normal(0, 0.1, number)
    found = shift_of(at, without_season(at, values))
    assert (found.place, found.significant) == (place, True)
    assert found.size == pytest.approx(0.8, abs=0.08)


def test_few_series_without_a_change_are_accused_of_one_also_where_months_resemble_those_before():
    rng, at = np.random.default_rng(3), months(60)
    noise = rng.normal(0, 1, (150, 110))
    for place in range(1, 110):
        noise[:, place] += 0.4 * noise[:, place - 1]
    left = [without_season(at, row) for row in noise[:, 50:]]
    assert sum(trend_of(at, row).significant for row in left) / len(left) < 0.12
    assert sum(shift_of(at, row).significant for row in left) / len(left) < 0.12


@pytest.mark.parametrize(("number", "limit"), [(20, 6.95), (50, 8.45), (100, 9.15)])
def test_critical_values_are_those_that_are_published(number, limit):
    assert critical_value(number) == pytest.approx(limit)


def test_a_series_that_does_not_change_has_neither_trend_nor_break():
    at, level = months(24), np.full(24, 3.0)
    found = trend_of(at, without_season(at, level))
    assert (found.slope, found.significant) == (pytest.approx(0, abs=1e-9), False)
    assert not shift_of(at, level).significant


def test_a_median_between_two_that_weigh_the_same_is_their_mean_and_the_nearer_of_two_alone_counts():
    values = np.array([[1.0, 1.0, np.nan], [4.0, np.nan, np.nan]])
    assert weighted_middle(values, np.array([1.0, 1.0]))[:2].tolist() == [2.5, 1.0]
    assert math.isnan(weighted_middle(values, np.array([1.0, 1.0]))[2])
    assert weighted_middle(values, np.array([1.0, 3.0]))[0] == 4.0


@pytest.mark.parametrize("is_ratio", [False, True])
def test_a_neighbour_that_comes_or_goes_moves_no_level(is_ratio):
    level = np.array([1.0, 5.0, 30.0])
    change = np.linspace(1, 2, 48)
    values = level[:, None] * change if is_ratio else level[:, None] + change
    values[1, :20] = np.nan
    values[2, 30:] = np.nan
    found, usual = levelled(values, np.array([1.0, 1.0, 2.0]), is_ratio=is_ratio)
    apart = found / change if is_ratio else found - change
    assert apart == pytest.approx(np.full(48, apart[0]))
    assert (usual / usual[0] if is_ratio else usual - usual[0]) == pytest.approx(level / 1 if is_ratio else level - 1)
