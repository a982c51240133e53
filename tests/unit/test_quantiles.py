"""What is found slice by slice is what numpy finds of all values at once, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.angles import sines
from analysis.bins import SLICE_ROWS, Bins, tally
from analysis.quantiles import grouped_quantiles, quantiles, quantiles_of_parts
from analysis.question import Question, _part, parts_of
from analysis.value_counts import count_values

PROBABILITIES = (0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.999, 1)
ROWS = SLICE_ROWS + 1000  # more than a slice


def samples(rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(rows)
    return {
        "continuous": rng.normal(size=rows),
        "rounded": np.round(rng.normal(20, 5, rows), 1),
        "whole": np.round(rng.normal(1000, 400, rows)) * 1e3,
        "rounded at first": np.append(np.round(rng.normal(20, 5, rows - 1), 2), 1 / 3),
        "rain": np.where(rng.random(rows) < 0.95, 0, np.round(rng.exponential(1, rows), 1)),
        "one value": np.full(rows, 7.3),
        "one outlier": np.append(rng.normal(size=rows - 1), 1e9),
        "one huge": np.append(np.round(rng.normal(20, 5, rows - 1), 1), 1.5e308),
        "tiny": rng.normal(size=rows) * 1e-310,
        "hardly differing": 1000 + rng.integers(0, 4, rows) * 1e-12,
    }


@pytest.mark.parametrize("rows", [1, 2, 3, 100, ROWS])
def test_quantiles_are_those_of_numpy_also_of_groups(rows):
    key = np.random.default_rng(1).integers(0, 5, rows).astype(np.int16)
    for name, values in samples(rows).items():
        assert np.array_equal(quantiles(values, PROBABILITIES), np.quantile(values, PROBABILITIES)), name
        for group, found in enumerate(grouped_quantiles(values, key, 7, PROBABILITIES)):
            own = values[key == group]
            expected = np.quantile(own, PROBABILITIES) if len(own) else np.full(len(PROBABILITIES), np.nan)
            assert np.array_equal(found, expected, equal_nan=True), (name, group)


@pytest.mark.parametrize("rows", [1, 2, 3, 100, ROWS])
def test_quantiles_of_values_in_parts_are_those_of_numpy_of_all_together(rows):
    for name, values in samples(rows).items():
        parts = [np.empty(0), *np.array_split(values, 7)]
        assert np.array_equal(quantiles_of_parts(lambda parts=parts: parts, PROBABILITIES), np.quantile(values, PROBABILITIES)), (
            name
        )
    assert np.isnan(quantiles_of_parts(lambda: [np.empty(0)], PROBABILITIES)).all()
    assert np.isnan(quantiles_of_parts(list, PROBABILITIES)).all()


def test_bins_hold_what_a_histogram_of_numpy_holds():
    for name, values in samples(ROWS).items():
        least, greatest = float(values.min()), float(values.max())
        for edges in (np.linspace(least, greatest + 1e-9, 40), np.array([least, least + 1e-3, greatest + 1])):
            if (np.diff(edges) > 0).all():
                assert np.array_equal(Bins(edges).count(values), np.histogram(values, edges)[0]), name
    tenths = np.round(np.arange(-300, 300) * 0.1, 1)
    edges = np.arange(-101, 102) * 0.3  # 0.3 * 3 is more than 0.9
    assert np.array_equal(Bins(edges).count(tenths), np.histogram(tenths, edges)[0])


@pytest.mark.parametrize("rows", [0, 1, ROWS])
def test_counts_of_values_tell_rows_sums_and_bins_also_of_other_groups(rows):
    key = np.random.default_rng(1).integers(0, 5, rows).astype(np.int16)
    for name, values in samples(rows).items() if rows else [("none", np.empty(0))]:
        counted, edges = count_values(values, key, 6), np.linspace(values.min(initial=0), values.max(initial=0) + 1, 30)
        halves = counted.regrouped(np.arange(6) // 3, 2)
        for found, own in ((counted, key), (halves, key // 3)):
            assert np.array_equal(found.rows, np.bincount(own, minlength=len(found.counts))), name
            assert found.sums() == pytest.approx(np.bincount(own, values, len(found.counts)), rel=1e-9), name
        lower = values[key < 3]
        expected = np.quantile(lower, PROBABILITIES) if len(lower) else np.full(len(PROBABILITIES), np.nan)
        assert np.array_equal(halves.quantiles(PROBABILITIES)[0], expected, equal_nan=True), name
        assert np.array_equal(counted.together().histogram(Bins(edges)), np.histogram(values, edges)[0]), name


def test_rows_are_tallied_by_key_with_or_without_weights():
    rng = np.random.default_rng(3)
    key, weights = rng.integers(0, 9, ROWS).astype(np.int16), rng.normal(size=ROWS)
    assert np.array_equal(tally(key, 10), np.bincount(key, minlength=10))
    assert tally(key, 10, weights) == pytest.approx(np.bincount(key, weights, 10))


def test_sines_of_whole_degrees_and_of_any_angle_are_those_of_numpy():
    for angles in (np.arange(361.0), np.random.default_rng(4).random(500) * 360, np.array([-9999.0, 720.0, 1e9]), np.empty(0)):
        sin, cos = sines(angles)
        assert np.array_equal(sin, np.sin(np.deg2rad(angles)))
        assert np.array_equal(cos, np.cos(np.deg2rad(angles)))


@pytest.mark.parametrize("by", ["season", "month", "hour", "year"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_parts_of_many_readings_are_those_of_each(by, zone):
    moments = np.arange(1_600_000_000_000, 1_640_000_000_000, 13 * 60_000)
    moments = np.delete(moments, slice(2000, 6000))
    question = Question((), int(moments[0]), int(moments[-1]) + 1, zone, (0, 0), lambda each, _: each)
    found, names = parts_of(question, moments, by)
    each = _part(question, moments, by)
    assert np.array_equal(found, each - each.min() if by == "year" else each)
    assert found.max() < len(names)
