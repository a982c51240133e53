"""What analyses say of rows that are known: each number against the rows themselves, or a
published example.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analysis.answer import as_csv, plain, with_local_times
from analysis.extremes import fit, l_moments
from analysis.question import Question, ask
from analysis.registry import ANALYSES, find
from commands.analyse import analyse
from config import Settings
from data.ingest.writer import ObservationWriter
from data.request import HistoryRequest, request_of
from data.site import Site, open_site
from errors import InvalidRequest, NotLoaded, NotPermitted, TooLarge
from escaping import safe_text
from jobs.kinds.history import load_history
from tests.databases import migrate_as_new

HOUR = 3_600_000
DAY = 24 * HOUR
ZONE = "America/New_York"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site whose own table is empty."""
    settings = Settings(data_dir=tmp_path / "var")
    migrate_as_new(settings)
    made = open_site(settings)
    yield made
    made.engine.dispose()


def store(site: Site, station: str, times: Any, **columns: Any) -> None:
    """Write rows as an import does; a column is float64[n], NaN where the sensor has no value."""
    names = tuple(columns)
    values = np.column_stack([np.asarray(column, np.float64) for column in columns.values()])
    writer = ObservationWriter(site.engine, site.catalogue, names, names)
    times = np.asarray(times, np.int64)
    step = int(np.median(np.diff(times))) if len(times) > 1 else HOUR
    with site.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        site.inventory.lock(connection, station)
        writer.write(connection, station, times, values, None)
        site.inventory.describe(connection, station, sensors=dict.fromkeys(names), step_ms=step)


def at(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def question(site: Site, stations: str, sensors: str, start: str, end: str, zone: str = "UTC", **how: Any) -> Question:
    request = request_of(stations.split(), sensors.split(), start, end, "raw", zone)
    load_history(site, request, lambda _: None)
    return ask(site, request, (request.start_ms, request.end_ms), **how)


def narrowed(asked: Question, start: str, end: str = "") -> Question:
    """The same of a part of what was loaded, in UTC."""
    window = (at(start), at(end) if end else asked.end_ms)
    return replace(asked, series=tuple(asked.opened(each, window) for each in asked.series), start_ms=window[0], end_ms=window[1])


def found(name: str, asked: Question, **options: str) -> dict[str, Any]:
    """The answer of one subject as JSON, which must be strict."""
    analysis = find(name)
    answer = analysis.answer(asked, analysis.options(options))
    return dict(json.loads(json.dumps(answer.as_json(), allow_nan=False)))


def test_a_day_is_that_of_the_zone_and_a_reading_counts_to_the_interval_that_it_measured(site):
    # hourly rain, stamped at the end of its hour: that of local midnight fell on the day before
    times = np.arange(at("2024-03-09", ZONE) + HOUR, at("2024-03-12", ZONE) + HOUR, HOUR)
    store(site, "a", times, rainfall=np.ones(len(times)))
    days = found("calendar", question(site, "a", "rainfall", "2024-03-09", "2024-03-12", ZONE))["result"]["days"]
    # the clocks go forward on the 10th, which has 23 hours
    assert [(day["date"], day["rows"], day["expected"], day["total"]) for day in days] == [
        ("2024-03-09", 24, 24, 24.0),
        ("2024-03-10", 23, 23, 23.0),
        ("2024-03-11", 24, 24, 24.0),
    ]


def test_an_hour_is_that_of_the_clock_which_has_one_more_or_one_less_when_it_changes(site):
    times = np.arange(at("2024-03-09", ZONE), at("2024-11-05", ZONE), HOUR // 2)
    store(site, "a", times, temperature=np.arange(len(times)) % 48)
    for start, end, rows in (("2024-03-10", "2024-03-11", [2, 2, None, 2]), ("2024-11-03", "2024-11-04", [2, 4, 2, 2])):
        asked = question(site, "a", "temperature", start, end, ZONE)
        result = found("calendar", asked, by="hour")["result"]
        hours = result["hours"]
        assert (hours["dates"], hours["rows"][0][:4], hours["expected"][0][:4]) == ([start], rows, rows)
        assert sum(count or 0 for count in hours["rows"][0]) == result["days"][0]["rows"] == asked.series[0].series.rows
        moments, values = asked.series[0].read()
        for hour in (0, 1, 23):  # against the readings themselves
            own = values[asked.wall(moments) // HOUR % 24 == hour]
            assert (hours["min"][0][hour], hours["max"][0][hour], hours["mean"][0][hour]) == (min(own), max(own), np.mean(own))
        assert hours["total"][0][0] is None


def test_hours_are_a_table_of_those_in_the_window_and_too_many_are_refused(site):
    store(site, "a", at("2024-01-01") + np.array([1, 2, 3, 5]) * HOUR, rainfall=[0.2, 0.4, 0.0, 1.0])
    analysis, asked = find("calendar"), question(site, "a", "rainfall", "2024-01-01T01:00", "2024-01-01T05:00")
    table = analysis.csv_table(analysis.answer(asked, analysis.options({"by": "hour"})))
    assert list(table.header) == [
        *("station", "sensor", "date", "hour", "rows", "expected"), "mean [mm]", "min [mm]", "max [mm]", "total [mm]",
    ]  # fmt: skip
    # stamped at the end of its hour, so that of 05:00 is the hour from 04:00 on
    assert [(*row[3:6], plain(row[-1])) for row in table.rows] == [
        (1, 1, 1, 0.4),
        (2, 1, 1, 0.0),
        (3, 0, 1, None),
        (4, 1, 1, 1.0),
    ]
    long = question(site, "a", "rainfall", "2000-01-01", "2024-01-02")
    with pytest.raises(TooLarge, match="210,408 hours, and 100,000 are shown at once"):
        found("calendar", long, by="hour")


def test_gaps_count_readings_that_were_due_also_at_the_edges_of_the_window(site):
    hours = np.array([2, 3, 4, 8, 9, 10, 11])
    store(site, "a", at("2024-01-01") + hours * HOUR, temperature=np.arange(7.0))
    result = found("calendar", question(site, "a", "temperature", "2024-01-01", "2024-01-01T14:00"))["result"]
    assert [(gap["from"][11:16], gap["to"][11:16], gap["missing"]) for gap in result["gaps"]] == [
        ("00:00", "02:00", 1),
        ("04:00", "08:00", 3),
        ("11:00", "14:00", 2),
    ]
    assert (result["gaps_in_all"], result["missing"]) == (3, 6)


def test_a_summary_is_that_of_numpy_over_the_same_rows(site):
    rng = np.random.default_rng(5)
    values = np.round(rng.normal(20, 5, 2000), 1)
    store(site, "a", at("2024-01-01") + np.arange(2000) * HOUR, temperature=values)
    result = found("summary", question(site, "a", "temperature", "2024-01-01", "2024-04-01"))["result"]
    kept = values[values == values]
    assert result["rows"] == 2000
    for name, expected in {
        "min": kept.min(),
        "max": kept.max(),
        "mean": kept.mean(),
        "std": kept.std(ddof=1),
        "p10": np.quantile(kept, 0.1),
        "median": np.quantile(kept, 0.5),
        "p90": np.quantile(kept, 0.9),
        "min_count": (kept == kept.min()).sum(),
        "max_count": (kept == kept.max()).sum(),
    }.items():
        assert result[name] == pytest.approx(expected, rel=1e-12), name
    assert result["total"] is None  # a sum of temperatures means nothing
    assert (result["expected"], result["gaps"]) == (91 * 24, 1)


def test_a_summary_of_a_direction_has_the_deviation_of_its_unit_vectors(site):
    angles = np.random.default_rng(4).normal(350, 25, 400) % 360
    store(site, "a", at("2024-01-01") + np.arange(400) * HOUR, wind_direction=angles)
    result = found("summary", question(site, "a", "wind_direction", "2024-01-01", "2024-02-01"))["result"]
    length = abs(np.exp(1j * np.deg2rad(angles)).mean())
    assert result["std"] == pytest.approx(np.rad2deg(np.sqrt(-2 * np.log(length))))
    assert result["median"] is None


def test_a_gap_is_told_by_the_step_around_it_where_the_step_changes(site):
    minutes = np.concatenate([np.arange(0, 6000, 10), 6000 + np.arange(0, 36000, 60)])  # ten minutes, then an hour
    kept = np.delete(minutes, [100, 900, 901])
    store(site, "a", at("2024-01-01") + kept * 60_000, temperature=np.ones(len(kept)))
    asked = question(site, "a", "temperature", "2024-01-01", "2024-01-30T04:00")
    gaps = found("calendar", asked)["result"]["gaps"]
    since = datetime.fromisoformat("2024-01-01T00:00Z")
    minutes_in = [(datetime.fromisoformat(gap["from"]) - since).total_seconds() / 60 for gap in gaps]
    assert list(zip(minutes_in, [gap["missing"] for gap in gaps], strict=True)) == [(990, 1), (23940, 2)]
    assert found("summary", asked)["result"]["gaps"] == 2


def test_flagged_readings_count_only_where_they_are_asked_for(site):
    store(site, "a", at("2024-01-01") + np.arange(4) * HOUR, temperature=[10.0, 99.0, 12.0, 14.0])  # 99 °C is out of range
    asked = question(site, "a", "temperature", "2024-01-01", "2024-01-02")
    assert (found("summary", asked)["result"]["max"], found("summary", asked)["result"]["flagged"]) == (14.0, 1)
    assert found("distribution", asked)["result"]["rows"] == 3
    everything = question(site, "a", "temperature", "2024-01-01", "2024-01-02", include_flagged=True)
    assert found("summary", everything)["result"]["max"] == 99.0
    assert found("distribution", everything)["result"]["rows"] == 4


def test_a_rose_counts_calms_apart_and_360_degrees_as_north(site):
    directions = [360.0, 11.24, 11.25, 348.75, 348.74, 180.0, math.nan, 90.0, math.nan]
    speeds = [1.0, 2.0, 2.0, 3.0, 3.0, 14.0, 0.0, 0.4, 5.0]
    store(site, "a", at("2024-01-01") + np.arange(9) * HOUR, wind_speed=speeds, wind_direction=directions)
    result = found("wind", question(site, "a", "wind_speed wind_direction", "2024-01-01", "2024-01-02"))["result"]
    counts = dict(zip(result["sectors"], result["counts"], strict=True))
    assert counts["N"] == [1, 2, 0, 0, 0, 0, 0]  # 360°, 11.24° and 348.75°; a speed of 2 is no more in the class up to 2
    assert (sum(counts["NNE"]), sum(counts["NNW"]), counts["S"][-1]) == (1, 1, 1)
    assert (result["calm"], result["rows"], result["unpaired"], result["prevailing"]) == (2, 8, 1, "N")
    assert sum(map(sum, result["counts"])) + result["calm"] == result["rows"]


def test_the_prevailing_sector_is_not_the_one_that_holds_more_whole_tens_of_degrees(site):
    even = np.tile(np.arange(0, 360, 10.0), 4)  # as often from each ten: north has 12 readings, south-west 8 and one more
    tens = np.append(even, 220.0)
    times = at("2024-01-01") + np.arange(len(tens)) * HOUR
    store(site, "tens", times, wind_speed=np.full(len(tens), 4.0), wind_direction=tens)
    store(site, "fine", times, wind_speed=np.full(len(tens), 4.0), wind_direction=np.append(even, 221.0))
    asked = [question(site, name, "wind_speed wind_direction", "2024-01-01", "2024-01-10") for name in ("tens", "fine")]
    coarse, fine = (found("wind", each)["result"] for each in asked)
    assert (coarse["prevailing"], coarse["whole_tens"]) == ("SW", True)
    assert (fine["prevailing"], fine["whole_tens"]) == ("N", False)
    assert [sum(row) for row in coarse["counts"]][:4] == [12, 8, 8, 8]  # they stay what was counted


def test_constancy_is_100_of_a_steady_wind_and_0_of_one_that_turns(site):
    times = at("2024-01-01") + np.arange(8) * HOUR
    store(site, "steady", times, wind_speed=np.full(8, 4.0), wind_direction=np.full(8, 225.0))
    store(site, "turning", times, wind_speed=np.full(8, 4.0), wind_direction=np.arange(8) * 45.0)
    sensors = "wind_speed wind_direction"
    steady = found("wind", question(site, "steady", sensors, "2024-01-01", "2024-01-02"))["result"]
    turning = found("wind", question(site, "turning", sensors, "2024-01-01", "2024-01-02"))["result"]
    assert (steady["constancy"], steady["mean_direction"], steady["weibull"]) == (pytest.approx(100), pytest.approx(225), None)
    assert (turning["constancy"], turning["mean_direction"]) == (pytest.approx(0, abs=1e-9), None)


def test_a_weibull_fit_finds_the_distribution_that_speeds_were_drawn_from(site):
    speeds = np.random.default_rng(3).weibull(2.1, 20_000) * 6.5
    times = at("2022-01-01") + np.arange(20_000) * HOUR // 2
    store(site, "a", times, wind_speed=speeds, wind_direction=np.full(len(speeds), 10.0))
    result = found("wind", question(site, "a", "wind_speed wind_direction", "2022-01-01", "2024-01-01"), by="season")["result"]
    assert result["weibull"] == {"shape": pytest.approx(2.1, rel=0.02), "scale": pytest.approx(6.5, rel=0.02)}
    assert sum(group["rows"] for group in result["groups"]) == result["rows"] == 20_000
    assert [group["name"] for group in result["groups"]] == ["DJF", "MAM", "JJA", "SON"]


def test_a_rose_of_another_sensor_says_from_where_it_comes_with_calms_apart(site):
    times = at("2024-01-01") + np.arange(12) * HOUR
    directions = [0.0, 0, 0, 0, 90, 90, 90, 90, math.nan, 180, 90, 90]
    speeds = [3.0] * 8 + [0.0, 0.1, 3, 3]
    dust = [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 9, math.nan, 10]
    store(site, "a", times, wind_speed=speeds, wind_direction=directions, humidity=dust, rainfall=np.zeros(12))
    asked = question(site, "a", "wind_speed wind_direction humidity", "2024-01-01", "2024-01-02")
    result = found("wind", asked, of="humidity")["result"]
    rose = result["other"]
    assert (rose["sensor"], rose["unit"], rose["rows"], rose["unpaired"], rose["calm_mean"]) == ("humidity", "%", 11, 1, 9.0)
    assert rose["classes"][:-1] == pytest.approx(np.quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10], [0.25, 0.5, 0.75, 0.9]).tolist())
    counts = dict(zip(result["sectors"], rose["counts"], strict=True))
    assert (counts["N"], counts["E"], rose["calm"]) == ([3, 1, 0, 0, 0], [0, 1, 3, 0, 1], [0, 0, 0, 0, 2])
    assert (rose["mean"][0], rose["mean"][4], rose["median"][4], rose["mean"][8]) == (2.5, pytest.approx(7.2), 7.0, None)
    parts = found("wind", asked, of="humidity", by="hour")["result"]["other"]
    assert np.sum([part["counts"] for part in parts["groups"]], axis=0).tolist() == rose["counts"]
    assert [part["rows"] for part in parts["groups"]][:13] == [*[1] * 10, 0, 1, 0]  # calms too
    rows = find("wind").tables(find("wind").answer(asked, find("wind").options({"of": "humidity"})))[0].rows
    assert rows[0][-3:] == [4, 2.5, 2.5]
    assert found("wind", asked)["result"]["other"] is None
    for name in ("rainfall", "wind_direction"):
        with pytest.raises(InvalidRequest, match="there is humidity, wind_direction, wind_speed"):
            found("wind", asked, of=name)


def test_readings_of_the_other_sensor_of_a_rose_count_at_every_station_for_limits_and_rows(site):
    times = at("2024-01-01") + np.arange(10) * HOUR
    store(site, "a", times, wind_speed=np.full(10, 3.0), wind_direction=np.zeros(10), humidity=np.arange(10.0))
    store(site, "b", times, humidity=np.arange(10.0))
    asked, wind = question(site, "a b", "wind_speed wind_direction humidity", "2024-01-01", "2024-01-02"), find("wind")
    counted = [wind.readings(asked, wind.options(texts)) for texts in ({}, {"of": "humidity"}, {"of": "wind_speed"})]
    assert counted == [20, 100, 60]


def test_roses_of_another_sensor_have_the_classes_of_all_stations_together(site):
    times, values = at("2024-01-01") + np.arange(100) * HOUR, np.arange(200.0)
    wind = {"wind_speed": np.full(100, 3.0), "wind_direction": np.zeros(100)}
    store(site, "a", times, humidity=values[:100] / 4, **wind)
    store(site, "b", times, humidity=values[100:] / 4, **wind)
    asked = question(site, "a b", "wind_speed wind_direction humidity", "2024-01-01", "2024-02-01")
    options = find("wind").options({"of": "humidity"})
    one, other = (subject.result.other for subject in find("wind").answer(asked, options).subjects)
    assert one.classes == other.classes
    assert one.classes[:-1] == pytest.approx(np.quantile(values / 4, [0.25, 0.5, 0.75, 0.9]).tolist())
    assert (one.counts[0].tolist(), other.counts[0].tolist()) == ([50, 50, 0, 0, 0], [0, 0, 50, 30, 20])


def test_classes_of_another_sensor_are_quantiles_of_every_reading_however_many(site):
    rows = 200_001  # an outlier of every second reading shifts what is made of some of them
    times = at("2024-01-01") + np.arange(rows) * 60_000
    dust = np.where(np.arange(rows) % 2 == 0, 10.0, 50.0)
    store(site, "a", times, wind_speed=np.full(rows, 3.0), wind_direction=np.zeros(rows), humidity=dust)
    asked = question(site, "a", "wind_speed wind_direction humidity", "2024-01-01", "2024-06-01")
    rose = found("wind", asked, of="humidity")["result"]["other"]
    assert rose["classes"] == [50.0, None]
    assert rose["counts"][0] == [100_001, 100_000]


def test_a_rose_of_rain_is_of_readings_with_rain(site):
    times = at("2024-01-01") + np.arange(8) * HOUR
    rain = [0.0, 1, 2, 0, 0, 4, 0, 0]
    store(site, "a", times, wind_speed=np.full(8, 3.0), wind_direction=[0.0] * 4 + [90.0] * 4, rainfall=rain)
    asked = question(site, "a", "wind_speed wind_direction rainfall", "2024-01-01", "2024-01-02")
    rose = found("wind", asked, of="rainfall")["result"]["other"]
    assert (rose["rows"], rose["dry"], rose["unpaired"]) == (3, 4, 1)  # that of 00:00 fell before
    assert (rose["mean"][0], rose["mean"][4], sum(rose["counts"][0])) == (1.5, 4.0, 2)


def test_a_rose_of_months_of_readings_is_that_of_all_of_them_at_once(site):
    rng = np.random.default_rng(8)
    rows = 90 * 288
    times = at("2023-12-01") + np.arange(rows) * HOUR // 12
    speeds, directions = np.round(rng.weibull(2, rows) * 4, 1), np.round(rng.random(rows) * 360, 1)
    without = rng.random(rows) < 0.1
    store(site, "a", times, wind_speed=speeds, wind_direction=np.where(without, math.nan, directions))
    zone = "America/St_Johns"
    asked = question(site, "a", "wind_speed wind_direction", "2023-12-01T00:00Z", "2024-02-29T00:00Z", zone)
    result = found("wind", asked, by="hour")["result"]
    calm, both = speeds < 0.5, ~without
    blows = both & ~calm
    sector = (directions[blows] / 22.5 + 0.5).astype(int) % 16
    klass = np.searchsorted([2, 4, 6, 8, 10, 12], speeds[blows], "right")
    assert np.array_equal(result["counts"], np.bincount(sector * 7 + klass, minlength=112).reshape(16, 7))
    every = speeds[both | calm]
    assert (result["calm"], result["rows"], result["unpaired"]) == (calm.sum(), len(every), (without & ~calm).sum())
    assert (result["mean"], result["max"]) == (pytest.approx(every.mean()), every.max())
    vector = (speeds[blows] * np.exp(1j * np.deg2rad(directions[blows]))).sum() / len(every)
    assert result["constancy"] == pytest.approx(100 * abs(vector) / every.mean())
    assert result["weibull"]["shape"] == pytest.approx((every.std(ddof=1) / every.mean()) ** -1.086)
    hours = [datetime.fromtimestamp(time / 1000, ZoneInfo(zone)).hour for time in times[both | calm].tolist()]
    assert [group["rows"] for group in result["groups"]] == np.bincount(hours, minlength=24).tolist()
    assert result["groups"][5]["mean"] == pytest.approx(every[np.array(hours) == 5].mean())
    assert sum(np.array(group["counts"]) for group in result["groups"]).tolist() == result["counts"]


def test_rain_adds_up_in_days_months_and_years_and_names_spells(site):
    rain = np.zeros(60 * 24)
    rain[5 * 24 : 8 * 24 : 6] = 2.5  # 10 mm on each of three days
    rain[40 * 24] = 55.0
    store(site, "a", at("2023-12-01") + np.arange(1, len(rain) + 1) * HOUR, rainfall=rain)
    result = found("rain", question(site, "a", "rainfall", "2023-12-01", "2024-01-30"))["result"]
    assert result["total"] == sum(day["total"] for day in result["days"]) == 85.0
    assert [(month["start"], month["total"]) for month in result["months"]] == [("2023-12-01", 30.0), ("2024-01-01", 55.0)]
    assert [(year["start"], year["total"], year["whole"]) for year in result["years"]] == [
        ("2023-01-01", 30.0, False),
        ("2024-01-01", 55.0, False),
    ]
    assert result["wettest"][0] == {"start": "2024-01-10", "total": 55.0, "complete": 1.0, "whole": True}
    assert result["days_from"] == {"1": 4, "10": 4, "20": 1, "50": 1}
    by_year = [(year["start"], year["whole"], year["days_from"]) for year in result["days_from_by_year"]]
    assert by_year == [
        ("2023-01-01", False, {"1": 3, "10": 3, "20": 0, "50": 0}),
        ("2024-01-01", False, {"1": 1, "10": 1, "20": 1, "50": 1}),
    ]
    assert (result["running"][4:8], result["running"][30], result["running"][31]) == ([0.0, 10.0, 20.0, 30.0], 30.0, 0.0)
    assert result["running"][-1] == 55.0
    assert [(spell["from"], spell["days"]) for spell in result["dry_spells"]] == [
        ("2023-12-09", 32),
        ("2024-01-11", 19),
        ("2023-12-01", 5),
    ]
    assert result["wet_spells"][0] == {"from": "2023-12-06", "to": "2023-12-08", "days": 3, "total": 30.0}
    assert result["return_levels"] == []
    assert "0 complete years" in result["return_levels_note"]


def test_a_rain_day_begins_when_it_is_said_to(site):
    times = at("2024-01-01") + np.arange(1, 49) * HOUR
    store(site, "a", times, rainfall=np.ones(48))
    asked = question(site, "a", "rainfall", "2024-01-01", "2024-01-03")
    for start, totals in (("00", [24.0, 24.0]), ("07", [7.0, 24.0, 17.0]), ("07:30", [7.0, 24.0, 17.0])):
        assert [day["total"] for day in found("rain", asked, day_start=start)["result"]["days"]] == totals, start
    with pytest.raises(InvalidRequest, match="such as 07"):
        found("rain", asked, day_start="25")


def test_a_day_without_readings_is_neither_dry_nor_wet(site):
    hours = np.concatenate([np.arange(1, 49), np.arange(73, 121)])  # the third day is missing
    store(site, "a", at("2024-01-01") + hours * HOUR, rainfall=np.zeros(96))
    result = found("rain", question(site, "a", "rainfall", "2024-01-01", "2024-01-06"))["result"]
    assert [day["total"] for day in result["days"]] == [0.0, 0.0, None, 0.0, 0.0]
    assert result["running"] == [0.0, 0.0, None, 0.0, 0.0]
    assert [spell["days"] for spell in result["dry_spells"]] == [2, 2]


def test_intensity_is_the_most_rain_of_whole_readings_within_a_time(site):
    step = 5 * 60_000
    rain = np.zeros(288)
    rain[[100, 101, 103]] = [3.0, 4.0, 2.0]
    store(site, "a", at("2024-01-01") + np.arange(1, 289) * step, rainfall=rain)
    result = found("rain", question(site, "a", "rainfall", "2024-01-01", "2024-01-02"))["result"]
    most = {entry["minutes"]: (entry["max"], entry["time"][11:16]) for entry in result["intensity"]}
    assert (most[5], most[10], most[15], most[30]) == ((4.0, "08:25"), (7.0, "08:20"), (7.0, "08:20"), (9.0, "08:20"))
    assert most[1440][0] == 9.0


def test_l_moments_are_those_of_their_definition_over_all_subsamples():
    values = np.sort(np.array([3.0, 7.0, 1.0, 9.0, 4.0]))
    pairs = [(high - low) / 2 for i, low in enumerate(values) for high in values[i + 1 :]]
    triples = [(values[k] - 2 * values[j] + values[i]) / 3 for i in range(5) for j in range(i + 1, 5) for k in range(j + 1, 5)]
    mean, second, skewness = l_moments(values)
    assert (mean, second, skewness * second) == pytest.approx((values.mean(), np.mean(pairs), np.mean(triples)))


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.15])
def test_a_gev_fit_finds_the_distribution_that_maxima_were_drawn_from(shape):
    uniform = np.random.default_rng(11).uniform(size=200_000)
    reduced = -np.log(-np.log(uniform))
    maxima = 100 + 20 * (reduced if shape == 0 else (1 - np.exp(-shape * reduced)) / shape)
    made = fit(maxima)
    assert made is not None
    assert (made.location, made.scale, made.shape) == (
        pytest.approx(100, rel=0.01),
        pytest.approx(20, rel=0.02),
        pytest.approx(shape, abs=0.01),
    )


def test_a_distribution_holds_every_reading_in_bins_of_a_nice_width(site):
    values = np.round(np.random.default_rng(2).normal(0, 8, 3000), 2)
    store(site, "a", at("2024-01-01") + np.arange(3000) * HOUR, temperature=values)
    result = found("distribution", question(site, "a", "temperature", "2024-01-01", "2024-06-01"), bins="40")["result"]
    widths = np.diff(result["edges"])
    assert sum(result["counts"]) == result["rows"] == 3000
    assert np.allclose(widths, 2.0)
    for percent, level in result["exceeded"]:
        assert level == pytest.approx(np.quantile(values, 1 - percent / 100)), percent
    january = values[: 31 * 24]
    box = result["boxes"][0]
    assert (box["name"], box["rows"], box["median"]) == ("01", len(january), pytest.approx(np.median(january)))


def test_a_value_on_the_last_edge_is_in_a_bin(site):
    store(site, "a", at("2024-01-01") + np.arange(3) * HOUR, temperature=[0.0, 5.0, 10.0])
    result = found("distribution", question(site, "a", "temperature", "2024-01-01", "2024-01-02"), bins="10")["result"]
    assert (sum(result["counts"]), result["counts"][-1]) == (3, 1)


def test_a_scatter_pairs_readings_of_one_time_and_fits_their_line(site):
    times = at("2024-01-01") + np.arange(100) * HOUR
    x = np.arange(100.0) / 4
    store(site, "a", times, temperature=x)
    store(site, "b", times[10:], temperature=2 * x[10:] - 3)
    answer = found("scatter", question(site, "a b", "temperature", "2024-01-01", "2024-01-10"))
    result = answer["result"]
    assert (result["rows"], result["unpaired"], sum(map(sum, result["counts"]))) == (90, 10, 90)
    assert (result["correlation"], result["fit"]["slope"], result["fit"]["intercept"]) == pytest.approx((1.0, 2.0, -3.0))
    assert result["difference"] == pytest.approx((x[10:] - 3).mean())
    assert result["points"]["times"][::89] == ["2024-01-01T10:00:00Z", "2024-01-05T03:00:00Z"]
    assert (result["points"]["x"], result["points"]["y"]) == (x[10:].tolist(), (2 * x[10:] - 3).tolist())
    assert answer["series"][0]["station"] == "a · b"


def test_the_intervals_of_a_line_are_those_of_its_covariance(site):
    rng = np.random.default_rng(11)
    x = np.round(rng.normal(20, 4, 300), 1)
    y = np.round(0.4 * x + 3 + rng.normal(0, 1, 300), 1)
    store(site, "a", at("2024-01-01") + np.arange(300) * HOUR, temperature=x, humidity=y)
    fit = found("scatter", question(site, "a", "temperature humidity", "2024-01-01", "2024-02-01"))["result"]["fit"]
    pairs = (y, x) if fit["slope"] > 1 else (x, y)  # the first sensor is along x
    (slope, intercept), covariance = np.polyfit(*pairs, 1, cov=True)
    for name, value, deviation in zip(("slope", "intercept"), (slope, intercept), np.sqrt(np.diag(covariance)), strict=True):
        assert (fit[f"{name}_low"], fit[f"{name}_high"]) == pytest.approx(
            (value - 1.959964 * deviation, value + 1.959964 * deviation)
        )


def test_a_scatter_of_another_number_of_series_says_what_it_needs(site):
    store(site, "a", at("2024-01-01") + np.arange(3) * HOUR, temperature=[0.0, 5.0, 10.0])
    with pytest.raises(InvalidRequest, match="two series, not 1"):
        found("scatter", question(site, "a", "temperature", "2024-01-01", "2024-01-02"))


def test_a_cycle_is_of_the_clock_of_the_zone_and_a_directions_mean_goes_through_north(site):
    times = at("2024-07-01", "Asia/Jakarta") + np.arange(48) * HOUR
    hours = np.arange(48) % 24
    store(site, "a", times, temperature=hours.astype(float), wind_direction=np.where(np.arange(48) < 24, 350.0, 10.0))
    asked = question(site, "a", "temperature", "2024-07-01", "2024-07-03", "Asia/Jakarta")
    result = found("cycle", asked)["result"]
    assert [(part["name"], part["mean"]) for part in result["hours"]] == [(f"{hour:02d}", float(hour)) for hour in range(24)]
    assert [(part["name"], part["rows"]) for part in result["months"]] == [("07", 48)]
    assert result["mean"][6] == [float(hour) for hour in range(24)]
    assert result["mean"][0] == [None] * 24
    wind = found("cycle", question(site, "a", "wind_direction", "2024-07-01", "2024-07-03", "Asia/Jakarta"))["result"]
    assert {round(part["mean"]) % 360 for part in wind["hours"]} == {0}


def test_events_last_from_the_beginning_of_their_first_interval_to_the_end_of_their_last(site):
    values = [20.0, 31.0, 33.0, 30.0, 31.0, 20.0, 35.0]
    store(site, "a", at("2024-01-01") + np.arange(7) * HOUR, temperature=values)
    asked = question(site, "a", "temperature", "2024-01-01", "2024-01-02")
    result = found("events", asked, above="30")["result"]
    assert [(event["from"][11:16], event["to"][11:16], event["rows"], event["extreme"]) for event in result["events"]] == [
        ("01:00", "03:00", 2, 33.0),
        ("04:00", "05:00", 1, 31.0),
        ("06:00", "07:00", 1, 35.0),
    ]
    assert (result["minutes"], result["share"]) == (240.0, pytest.approx(4 / 7))
    assert len(found("events", asked, above="30", minutes="120")["result"]["events"]) == 1
    assert [event["extreme"] for event in found("events", asked, below="25")["result"]["events"]] == [20.0, 20.0]


def test_a_pause_ends_an_event_and_rain_begins_an_hour_before_its_stamp(site):
    hours = np.array([1, 2, 9, 10])
    store(site, "a", at("2024-01-01") + hours * HOUR, rainfall=[5.0, 6.0, 7.0, 8.0])
    result = found("events", question(site, "a", "rainfall", "2024-01-01", "2024-01-02"), above="1")["result"]
    assert [(event["from"][11:16], event["to"][11:16]) for event in result["events"]] == [("00:00", "02:00"), ("08:00", "10:00")]


def test_years_are_compared_by_day_with_what_is_usual_and_poor_days_are_left_out(site):
    times = np.arange(at("2021-01-01"), at("2024-01-01"), HOUR)
    years = np.array([2021, 2022, 2023])[np.searchsorted([at("2022-01-01"), at("2023-01-01")], times, "right")]
    poor = (times >= at("2023-05-05")) & (times < at("2023-05-05T20:00"))
    store(site, "a", times[~poor], temperature=(years - 2021.0)[~poor] * 10)
    result = found("compare", question(site, "a", "temperature", "2021-01-01", "2024-01-01"))["result"]
    assert (result["years"], len(result["labels"])) == ([2021, 2022, 2023], 365)
    day = result["labels"].index("05-05")
    assert [row[day] for row in result["values"]] == [0.0, 10.0, None]
    assert (result["number"][day], result["median"][day]) == (2, 5.0)
    assert [row[0] for row in result["anomaly"]] == [-10.0, 0.0, 10.0]


def test_years_and_months_are_chosen_and_what_is_usual_stays_that_of_all_years(site):
    times = np.arange(at("2021-01-01"), at("2024-01-01"), DAY)
    years = np.array([2021, 2022, 2023])[np.searchsorted([at("2022-01-01"), at("2023-01-01")], times, "right")]
    store(site, "a", times, temperature=(years - 2021.0) * 10)
    asked = question(site, "a", "temperature", "2021-01-01", "2024-01-01")
    result = found("compare", asked, years="2023,2021", months="9", bucket="1mo")["result"]
    assert (result["years"], result["labels"], result["values"]) == ([2021, 2023], ["09"], [[0.0], [20.0]])
    assert (result["number"], result["median"], result["anomaly"]) == ([3], [10.0], [[-10.0], [10.0]])
    running = found("compare", asked, months="9", cumulative="true", years="2022")["result"]
    assert (running["values"][0][0], running["values"][0][-1]) == (10.0, 300.0)  # from the first of the chosen days on
    with pytest.raises(InvalidRequest, match="nothing of 2019; it has 2021 to 2023"):
        found("compare", asked, years="2019")
    with pytest.raises(InvalidRequest, match="from 1 to 12"):
        found("compare", asked, months="13")


def test_a_running_sum_of_each_year_starts_from_zero(site):
    times = np.arange(at("2022-12-30"), at("2023-01-03"), HOUR) + HOUR
    store(site, "a", times, rainfall=np.full(len(times), 0.5))
    result = found("compare", question(site, "a", "rainfall", "2022-12-30", "2023-01-03"), cumulative="true")["result"]
    by_year = dict(zip(result["years"], result["values"], strict=True))
    assert by_year[2022] == [None, None, 12.0, 24.0]
    assert by_year[2023] == [12.0, 24.0, None, None]


def test_an_earlier_window_begins_at_the_same_time_of_the_clock(site):
    request = HistoryRequest(("a",), ("temperature",), at("2020-01-01"), at("2025-01-01"), timezone=ZONE)
    asked = ask(site, request, (at("2024-03-31", ZONE), at("2024-04-14", ZONE)))
    for offset, begins in {
        "window": "2024-03-17T04:00:00Z",
        "day": "2024-03-30T04:00:00Z",
        "week": "2024-03-24T04:00:00Z",
        "month": "2024-02-29T05:00:00Z",
        "year": "2023-03-31T04:00:00Z",
        "36h": "2024-03-29T16:00:00Z",
        "3d": "2024-03-28T04:00:00Z",
        "13mo": "2023-02-28T05:00:00Z",
    }.items():
        assert found("earlier", asked, offset=offset)["result"]["earlier"]["from"] == begins, offset


def test_a_window_is_set_beside_the_earlier_one_step_by_step(site):
    times = np.arange(at("2024-03-01", ZONE), at("2024-03-15", ZONE), HOUR)  # the clocks go forward on the 10th
    local = (np.arange(len(times)) % 24) + np.where(times >= at("2024-03-08", ZONE), 5.0, 0.0)
    store(site, "a", times, temperature=local)
    asked = question(site, "a", "temperature", "2024-03-01", "2024-03-15", ZONE)
    asked = narrowed(asked, "2024-03-08T05:00", "2024-03-12T04:00")
    result = found("earlier", asked, offset="week", bucket="1d")["result"]
    assert (result["minutes"], result["rows"], result["rows_before"]) == ([0, 1440, 2880, 4320], [24, 24, 23, 24], [24] * 4)
    this, before = (local[first * 24 :] for first in (7, 0))
    bounds = [0, 24, 48, 71, 95]
    means = [this[low:high].mean() for low, high in pairwise(bounds)]
    assert result["values"] == pytest.approx(means)
    assert result["difference"] == pytest.approx(np.array(means) - before[:96].reshape(4, 24).mean(axis=1))
    assert result["change"] == pytest.approx(this[:95].mean() - before[:96].mean())
    assert (result["this"]["rows"], result["earlier"]["complete"], result["note"]) == (95, 1.0, "")


def test_nothing_is_compared_with_what_was_not_loaded(site):
    store(site, "a", at("2024-01-08") + np.arange(48) * HOUR, temperature=np.ones(48))
    asked = narrowed(question(site, "a", "temperature", "2024-01-08", "2024-01-10"), "2024-01-09")
    assert found("earlier", asked)["result"]["change"] == 0.0
    said = "begins at 2024-01-02T00:00:00Z, and what was loaded begins at 2024-01-08T00:00:00Z"
    with pytest.raises(NotLoaded, match=said) as refused:
        found("earlier", asked, offset="week")
    assert refused.value.start_ms == at("2024-01-02")
    assert find("earlier").begins({"offset": "week", "as": "overlay"}, (at("2024-01-09"), at("2024-01-10")), "UTC") == at(
        "2024-01-02"
    )
    assert find("compare").begins({}, (at("2024-01-09"), at("2024-01-10")), "UTC") == at("2024-01-09")
    with pytest.raises(InvalidRequest, match="before the year 1"):
        found("earlier", asked, offset="9999y")
    asked = narrowed(question(site, "a", "temperature", "2024-01-01", "2024-01-10"), "2024-01-09")
    result = found("earlier", asked, offset="week")["result"]
    assert (result["note"], result["change"], result["earlier"]["value"]) == ("no readings in the earlier window", None, None)


def test_directions_and_rain_are_set_beside_earlier_ones_by_their_rule(site):
    times = at("2024-01-01") + np.arange(1, 49) * HOUR
    store(site, "a", times, wind_direction=np.where(np.arange(48) < 24, 350.0, 20.0), rainfall=np.where(np.arange(48) < 24, 1, 3))
    asked = narrowed(question(site, "a", "wind_direction rainfall", "2024-01-01", "2024-01-03"), "2024-01-02")
    rain, wind = found("earlier", asked, offset="day", bucket="6h")["results"]
    assert (rain["values"], rain["before"], rain["change"]) == ([18.0] * 4, [6.0] * 4, 48.0)
    assert wind["difference"][1:] == pytest.approx([30.0] * 3)


def test_stations_stand_beside_each_other_and_differ_from_the_one_that_is_named(site):
    times = at("2024-01-01") + np.arange(72) * HOUR
    base = np.sin(np.arange(72.0))
    store(site, "a", times, temperature=base, wind_direction=np.full(72, 355.0))
    store(site, "b", times[24:], temperature=base[24:] + 2, wind_direction=np.full(48, 5.0))
    asked = question(site, "a b", "temperature wind_direction", "2024-01-01", "2024-01-04")
    temperature, wind = found("differences", asked, bucket="1d")["results"]
    assert (temperature["stations"], temperature["base"], temperature["rows"]) == (["a", "b"], "a", [[24] * 3, [0, 24, 24]])
    assert temperature["difference"][1] == [None, pytest.approx(2), pytest.approx(2)]
    other = temperature["offsets"][0]
    assert (other["station"], other["steps"], other["mean"]) == ("b", 2, pytest.approx(2))
    assert wind["offsets"][0]["mean"] == pytest.approx(10)
    assert found("differences", asked, base="b")["results"][1]["offsets"][0]["mean"] == pytest.approx(-10)
    with pytest.raises(InvalidRequest, match="c is not among"):
        found("differences", asked, base="c")
    with pytest.raises(InvalidRequest, match="two or more"):
        found("differences", question(site, "a", "temperature", "2024-01-01", "2024-01-04"))


@pytest.mark.parametrize("name", sorted(ANALYSES))
def test_every_analysis_answers_in_the_one_form_without_rows_too(site, name):
    times = at("2024-01-01") + np.arange(5) * HOUR
    ones = dict.fromkeys(("temperature", "humidity", "wind_speed", "wind_direction", "rainfall"), np.ones(5))
    for station in ("a", "b"):
        store(site, station, times, **ones)
    stations = "a b" if name in {"differences", "drift"} else "a"
    sensors = {"wind": "wind_speed wind_direction", "rain": "rainfall", "scatter": "temperature humidity"}.get(
        name, "temperature"
    )
    options = {"above": "5"} if name == "events" else {}
    for end in ("2024-01-02", "2024-01-01T00:30"):
        start = "2023-12-01" if name == "earlier" else "2024-01-01"
        asked = narrowed(question(site, stations, sensors, start, end), "2024-01-01")
        answer = found(name, asked, **options)
        assert set(answer) == {"analysis", "window", "zone", "options", "series", "result", "results", "method"}
        assert answer["analysis"] == name
        assert answer["result"] == (answer["results"][0] if len(answer["results"]) == 1 else None)
        assert all(method["name"] and method["source"] for method in answer["method"])
    nothing = ask(
        site,
        HistoryRequest(tuple(stations.split()), tuple(sensors.split()), at("2029-01-01"), at("2030-02-01")),
        (at("2030-01-01"), at("2030-02-01")),
    )
    analysis = find(name)
    empty = analysis.answer(nothing, analysis.options(options))
    json.dumps(empty.as_json(), allow_nan=False)
    rows = list(csv.reader(io.StringIO(as_csv(analysis.csv_table(empty)))))
    assert rows[0][:2] == ["station", "sensor"]
    assert len({len(row) for row in rows}) == 1


def test_what_is_wrong_with_an_option_is_said_with_those_that_there_are():
    for name, options, said in (
        ("wind", {"klasses": "1"}, "wind has no option klasses; there is classes, calm, by, of"),
        ("wind", {"classes": "4,2"}, "classes must increase"),
        ("events", {}, "above or below"),
        ("events", {"above": "hot"}, "above"),
        ("earlier", {"offset": "0d"}, "such as 3d"),
        ("distribution", {"bins": "0"}, "bins"),
    ):
        with pytest.raises(InvalidRequest, match=said):
            find(name).options(options)
    with pytest.raises(InvalidRequest, match="There is no analysis rose; there is summary"):
        find("rose")


def test_under_a_floor_of_resolution_nothing_of_single_readings_is_told(site):
    store(site, "a", at("2024-01-01") + np.arange(3) * HOUR, temperature=[0.0, 5.0, 10.0])
    request = request_of(["a"], ["temperature"], "2024-01-01", "2024-01-02", "raw", "UTC")
    load_history(site, request, lambda _: None)
    floored = replace(site, floor="1d")
    with pytest.raises(NotPermitted, match="whole steps of 1d"):
        ask(floored, request, (request.start_ms, request.end_ms))


def test_a_window_of_centuries_is_refused_before_its_days_are_listed(site):
    store(site, "a", at("2024-01-01") + np.arange(3) * HOUR, temperature=[0.0, 5.0, 10.0])
    asked = question(site, "a", "temperature", "1000-01-01", "2500-01-01")
    for name in ("calendar", "compare", "summary"):
        if name == "summary":
            assert found(name, asked)["result"]["rows"] == 3
            continue
        with pytest.raises(TooLarge, match="shorter window"):
            found(name, asked)


def test_a_station_whose_name_begins_like_a_formula_is_text_in_a_table(site):
    store(site, "=1+1", at("2024-01-01") + np.arange(3) * HOUR, temperature=[0.0, 5.0, 10.0])
    analysis = find("summary")
    answer = analysis.answer(question(site, "=1+1", "temperature", "2024-01-01", "2024-01-02"), analysis.options({}))
    rows = list(csv.reader(io.StringIO(as_csv(analysis.csv_table(answer)))))
    assert rows[1][0] == safe_text("=1+1") != "=1+1"


def test_readings_that_hardly_differ_have_a_histogram(site):
    values = 1000 + np.arange(4) * 1e-12
    store(site, "a", at("2024-01-01") + np.arange(4) * HOUR, pressure=values)
    result = found("distribution", question(site, "a", "pressure", "2024-01-01", "2024-01-02"))["result"]
    assert sum(result["counts"]) == 4


def test_the_help_of_the_command_names_every_analysis():
    name = get_type_hints(analyse, include_extras=True)["name"]
    assert re.findall(r"[a-z]+", name.__metadata__[0].help.replace(" or ", " ")) == list(ANALYSES)


def test_a_table_on_the_terminal_has_local_times_beside_those_in_utc(site):
    store(site, "a", at("2024-11-03") + np.arange(12) * HOUR, temperature=[0.0] * 5 + [9.0] + [0.0] * 6)
    analysis = find("events")
    asked = question(site, "a", "temperature", "2024-11-03", "2024-11-04", ZONE)
    told: list[int] = []
    answer = analysis.answer(asked, analysis.options({"above": "5"}), told=told.append)
    shown = with_local_times(analysis.tables(answer)[0], answer.timezone)
    assert list(shown.header)[:4] == ["from", f"from ({ZONE})", "to", f"to ({ZONE})"]
    # the clocks go back at 06:00 UTC
    assert plain(shown.rows[0])[:4] == [
        "2024-11-03T05:00:00Z",
        "2024-11-03T01:00:00-04:00",
        "2024-11-03T06:00:00Z",
        "2024-11-03T01:00:00-05:00",
    ]
    assert told == [1]


def test_a_table_of_several_sensors_has_the_unit_of_each_in_a_column(site):
    times = at("2024-01-01") + np.arange(3) * HOUR
    store(site, "a", times, temperature=np.ones(3), rainfall=np.ones(3))
    analysis = find("calendar")
    answer = analysis.answer(question(site, "a", "temperature rainfall", "2024-01-01", "2024-01-02"), analysis.options({}))
    header, rain, temperature = csv.reader(io.StringIO(as_csv(analysis.csv_table(answer))))
    assert header[:6] == ["station", "sensor", "unit", "date", "rows", "expected"]
    assert not [name for name in header if "[" in name]
    assert [row[1:3] for row in (rain, temperature)] == [["rainfall", "mm"], ["temperature", "°C"]]
