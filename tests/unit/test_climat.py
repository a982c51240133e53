"""The monthly report in the order of CLIMAT: how days become a month."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from analysis.climat import ELEMENTS, Climat, climat, normal, quintile
from analysis.question import ask
from data.request import HistoryRequest
from data.station_metadata import StationMetadata
from data.tiles.tile_store import SeriesKey
from data.time.months import month_start_ms
from reports.definition import make_definition
from reports.document import Amount, ReportTable
from reports.material import Material
from reports.period import read_period
from reports.sections.climat import section
from tests.tiled import DAY, HOUR, sensor_named, site_with, store_rows

MAY = month_start_ms(2024 * 12 + 4)
DAYS = 31
HOURS = MAY + HOUR * np.arange(DAYS * 24)
STATION = "aws-1"


def month(root: Path, elevation: float | None = None, **series: tuple[np.ndarray, np.ndarray]) -> Climat:
    """The month of a station with hourly series (times, values)."""
    site = site_with(root)
    if elevation is not None:
        known = {STATION: StationMetadata(elevation=elevation)}
        site = replace(site, catalogue=replace(site.catalogue, stations=known))
    for name, (times, values) in series.items():
        store_rows(site.tiles, site.catalogue[name], times, values, key=SeriesKey("own", STATION, name))
    request = HistoryRequest((STATION,), tuple(series), MAY, MAY + DAYS * DAY)
    question = ask(site, request, (request.start_ms, request.end_ms))
    return climat(question, question.series)


def day_of(times: np.ndarray) -> np.ndarray:
    return (times - MAY) // DAY


def without_days(*lost: int) -> np.ndarray:
    return HOURS[~np.isin(day_of(HOURS), lost)]


def test_mean_and_mean_extremes_are_of_daily_values(tmp_path):
    times = HOURS
    day, hour = day_of(times), (times - MAY) // HOUR % 24
    found = month(tmp_path, temperature=(times, 20.0 + day + np.where(hour == 14, 6.0, 0.0) - np.where(hour == 5, 3.0, 0.0)))
    mean = 20 + 15 + 3 / 24
    assert found.value("temperature") == pytest.approx(mean)
    assert found.value("max_temperature") == pytest.approx(20 + 15 + 6)
    assert found.value("min_temperature") == pytest.approx(20 + 15 - 3)
    assert found.value("temperature_deviation") == pytest.approx(np.std(np.arange(31), ddof=1))
    extremes = {each.name: (each.value, each.date) for each in found.extremes}
    assert extremes["highest_temperature"] == (56.0, "2024-05-31")
    assert extremes["lowest_temperature"] == (17.0, "2024-05-01")
    counts = {(each.name, each.limit): each.days for each in found.counts}
    assert counts["warm_days", 30.0] == 27  # 26 + day, from day 4 on


@pytest.mark.parametrize(
    ("lost", "given"),
    [(range(4), True), (range(5), False), (range(0, 20, 2), True), (range(0, 22, 2), False)],
    ids=["4 in a row", "5 in a row", "10 days", "11 days"],
)
def test_a_mean_is_not_given_from_11_missing_days_on_or_5_in_a_row(tmp_path, lost, given):
    times = without_days(*lost)
    found = month(tmp_path, temperature=(times, np.full(len(times), 20.0)))
    assert math.isfinite(found.value("temperature")) == given
    assert found.elements[0].missing == len(lost)


def test_a_day_with_fewer_than_80_percent_of_its_readings_is_missing(tmp_path):
    hour = (HOURS - MAY) // HOUR % 24
    times = HOURS[~((day_of(HOURS) == 3) & (hour >= 19)) & ~((day_of(HOURS) == 9) & (hour >= 20))]
    found = month(tmp_path, temperature=(times, np.where(day_of(times) == 3, 50.0, 20.0)))
    assert found.elements[0].missing == 1  # 19 of 24 are too few, 20 are not
    assert found.value("temperature") == 20.0
    extremes = {each.name: each.value for each in found.extremes}
    assert extremes["highest_daily_mean"] == 20.0
    assert extremes["highest_temperature"] == 50.0  # a reading is one, whatever its day lacks


def test_a_sum_is_given_only_where_no_day_is_missing(tmp_path):
    ends = HOURS + HOUR  # rain is stamped at the end of its hour
    rain = np.where((day_of(HOURS) % 10 == 0) & ((HOURS - MAY) // HOUR % 24 == 3), 12.5, 0.0)
    whole = month(tmp_path / "whole", rainfall=(ends, rain))
    assert (whole.value("precipitation"), whole.value("wet_days")) == (50.0, 4.0)
    kept = day_of(HOURS) != 5
    lacking = month(tmp_path / "lacking", rainfall=(ends[kept], rain[kept]))
    assert math.isnan(lacking.value("precipitation"))
    assert [each.missing for each in lacking.elements] == [1, 1]


@pytest.mark.parametrize(("until", "missing"), [(7 * HOUR, 0), (6 * HOUR, 1)], ids=["loaded to its end", "cut"])
def test_the_days_that_begin_in_the_month_count_where_a_day_begins_at_seven(tmp_path, until, missing):
    site = site_with(tmp_path, sensor_named("rainfall", day_start_min=7 * 60, stamp="start"))
    times = MAY - DAY + HOUR * np.arange(34 * 24)
    rain = np.zeros(len(times))
    rain[(times >= MAY) & (times < MAY + 7 * HOUR)] = 20.0  # of 30 April
    rain[times == MAY + 10 * DAY + 8 * HOUR] = 3.0
    rain[times == MAY + DAYS * DAY + 2 * HOUR] = 4.0  # of 31 May
    store_rows(site.tiles, site.catalogue["rainfall"], times, rain, key=SeriesKey("own", STATION, "rainfall"))
    request = HistoryRequest((STATION,), ("rainfall",), MAY, MAY + DAYS * DAY + until)
    question = ask(site, request, (MAY, MAY + DAYS * DAY))
    found = climat(question, question.series)
    assert [(each.missing, each.days) for each in found.elements] == [(missing, 31)] * 2
    if not missing:
        assert [each.value for each in found.elements] == [7.0, 2.0]
    assert [(each.value, each.date) for each in found.extremes] == [(4.0, "2024-05-31")]


def test_vapour_pressure_and_sea_level_are_of_readings_with_the_same_time(tmp_path):
    ones = np.ones(len(HOURS))
    series = {"temperature": (HOURS, 20 * ones), "humidity": (HOURS, 50 * ones), "pressure": (HOURS, 1000 * ones)}
    found = month(tmp_path, elevation=100.0, **series)
    assert found.value("vapour_pressure") == pytest.approx(0.5 * 6.1094 * math.exp(17.625 * 20 / 263.04))
    assert found.value("sea_level_pressure") == pytest.approx(1011.7, abs=0.2)
    assert found.value("station_pressure") == 1000.0


def test_a_reading_stamped_at_midnight_at_the_end_of_its_hour_counts_for_the_day_before(tmp_path):
    site = site_with(tmp_path, *(sensor_named(name, stamp="end") for name in ("temperature", "humidity")))
    for name, values in (("temperature", np.full(len(HOURS), 20.0)), ("humidity", 50.0 + day_of(HOURS))):
        store_rows(site.tiles, site.catalogue[name], HOURS + HOUR, values, key=SeriesKey("own", STATION, name))
    question = ask(site, HistoryRequest((STATION,), ("temperature", "humidity"), MAY, MAY + DAYS * DAY), (MAY, MAY + DAYS * DAY))
    found = climat(question, question.series)
    assert found.value("vapour_pressure") == pytest.approx(0.65 * 6.1094 * math.exp(17.625 * 20 / 263.04))


def test_without_an_elevation_there_is_no_pressure_at_sea_level_and_the_order_is_the_messages(tmp_path):
    ones = np.ones(len(HOURS))
    names = ("rainfall", "humidity", "pressure", "temperature")
    found = month(tmp_path, **{name: (HOURS, ones * (1000 if name == "pressure" else 1)) for name in names})
    order = [each.name for each in found.elements]
    assert order == [name for name in ELEMENTS if name in order]
    assert "sea_level_pressure" not in order


def test_humidity_at_other_times_gives_no_vapour_pressure(tmp_path):
    ones = np.ones(len(HOURS))
    found = month(tmp_path, temperature=(HOURS, 20 * ones), humidity=(HOURS + 1, 50 * ones))
    assert math.isnan(found.value("vapour_pressure"))


def test_a_normal_is_the_mean_of_the_years_that_have_a_value():
    assert normal([1.0, math.nan, 3.0]) == (2.0, 2)
    mean, years = normal([math.nan])
    assert math.isnan(mean)
    assert years == 0


def test_a_normal_is_of_the_thirty_years_before_though_earlier_ones_have_readings(tmp_path):
    site, hours = site_with(tmp_path), HOUR * np.arange(DAYS * 24 + 1)
    starts = {year: month_start_ms(year * 12 + 4) for year in (1993, 1994, 2023, 2024)}
    times = np.concatenate([start + hours for start in starts.values()])
    store_rows(site.tiles, site.catalogue["rainfall"], times, np.ones(len(times)), key=SeriesKey("own", STATION, "rainfall"))
    definition = make_definition("test", stations=[STATION], sensors=["rainfall"], timezone="UTC", sections=["climat"])
    period = read_period("2024-05", "UTC")
    spans = {year: (starts[year], starts[year] + DAYS * DAY) for year in (2023, 1994, 1993)}
    material = Material(cast("Any", site), definition, period, definition.request(period.span), spans)
    table = section(material.station(STATION)).parts[0]
    assert isinstance(table, ReportTable)
    assert {row[6] for row in table.rows} == {Amount(2)}


@pytest.mark.parametrize(
    ("value", "fifth"),
    [(-1, 0), (0, 1), (5.4, 1), (5.6, 2), (11.6, 3), (17.6, 4), (23.6, 5), (29, 5), (29.5, 6), (math.nan, None)],
)
def test_the_quintile_is_by_ranks_of_thirty_years(value, fifth):
    assert quintile(float(value), [float(year) for year in range(30)]) == fifth


def test_there_is_no_quintile_of_fewer_than_24_years():
    assert quintile(5.0, [float(year) for year in range(24)]) is not None
    assert quintile(5.0, [float(year) for year in range(23)] + [math.nan] * 10) is None
