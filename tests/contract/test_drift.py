"""Drift beside neighbours, of rows: which days and months are compared, and of which series."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from analysis.answer import as_csv, plain
from analysis.registry import Named, find
from data.request import request_of
from jobs.kinds.history import load_history
from reports.collecting import collect, sections_of
from reports.definition import make_definition
from reports.document import ReportTable, Words
from reports.material import Material
from reports.period import read_period
from tests.contract.test_analyses import DAY, HOUR, at, found, question, site, store  # noqa: F401 - fixture


def test_days_with_few_readings_do_not_count_and_months_are_those_of_the_zone(site):  # noqa: F811
    hours = np.arange(at("2024-01-01"), at("2024-04-01"), HOUR)
    day = (hours - hours[0]) // DAY
    missing = np.isin(day, range(31, 43)) & (hours % DAY >= 12 * HOUR)  # twelve afternoons of February
    store(site, "a", hours, temperature=np.ones(len(hours)))
    store(site, "b", hours[~missing], temperature=np.zeros(int((~missing).sum())))
    asked = question(site, "a b", "temperature", "2024-01-01", "2024-04-01")
    result = found("drift", asked)["results"][0]
    assert (result["value"], result["days"], result["lacks"]) == ([1.0, None, 1.0], [31, 0, 31], "months")
    there = found("drift", replace(asked, timezone="Asia/Jakarta"))["results"][0]
    assert there["starts"][1] == "2024-01-31T17:00:00Z"


def test_the_table_has_a_row_a_series_also_where_units_differ(site):  # noqa: F811
    days = np.arange(at("2018-01-01"), at("2020-01-01"), DAY)
    for station in "ab":
        drift = 3 * (days - days[0]) / DAY / 365.25 if station == "b" else 0.0
        store(site, station, days, temperature=20 + drift + np.sin(days), rainfall=np.full(len(days), 2.0))
    asked = question(site, "a b", "temperature rainfall", "2018-01-01", "2020-01-01")
    analysis = find("drift")
    table = analysis.csv_table(analysis.answer(asked, analysis.options({})))
    rows = {row[:2]: dict(zip(table.header, row, strict=True)) for row in table.rows}
    assert [plain(rows["b", name]["in"]) for name in ("temperature", "rainfall")] == ["°C", "%"]
    assert abs(rows["b", "temperature"]["drift a year"] - 3) < 0.1
    assert rows["b", "temperature"]["months"] == 24
    assert not rows["a", "rainfall"]["drift significant"]
    assert "drift a year" in as_csv(table)


def test_each_sensor_that_another_station_has_is_asked_of_but_directions(site):  # noqa: F811
    known = site.catalogue
    series = [Named(*each) for each in (("a", known["temperature"]), ("a", known["humidity"]), ("b", known["temperature"]))]
    winds = [Named(name, known["wind_direction"]) for name in "ab"]
    subjects = find("drift").pick([*series, *winds])
    assert [(one.station, one.sensor.name) for (one,) in subjects] == [("a", "temperature"), ("b", "temperature")]
    assert "two or more" in str(find("drift").lack(series[:2]))
    assert "other than a direction" in str(find("drift").lack(winds))


def material(site: Any, period: str, earlier: dict[int, tuple[int, int]], *stations: str) -> Material:  # noqa: F811
    definition = make_definition("test", stations=stations, sensors=["temperature"], timezone="UTC", sections=["drift"])
    named = read_period(period, "UTC")
    return Material(site, definition, named, definition.request(named.span), earlier)


def test_a_report_looks_back_over_the_years_that_reach_up_to_its_period_without_a_hole(site):  # noqa: F811
    days = np.arange(at("2024-01-01"), at("2024-03-01"), DAY)
    for station in "ab":
        store(site, station, days, temperature=np.ones(len(days)))
    load_history(site, request_of(["a", "b"], ["temperature"], "2024-01-01", "2024-03-01", "raw", "UTC"), lambda _: None)
    before, hole = (at("2024-01-10"), at("2024-02-10")), (at("2024-01-01"), at("2024-01-05"))
    found = material(site, "2024-02-10..2024-03-01", {2023: before, 2021: hole}, "a", "b")
    assert (found.drift.start_ms, found.drift.end_ms) == (before[0], at("2024-03-01"))
    assert sections_of(found) == []  # of less than a year there is no such section
    year = material(site, "2024", {}, "a", "b")
    table, words = collect(year, "now").chapters[0].sections[0].parts
    assert isinstance(table, ReportTable)
    assert isinstance(words, Words)
    assert "2 months to compare; 24 are needed." in words.text
    assert "one neighbour only" in words.text
    alone = collect(material(site, "2024", {}, "a"), "now").chapters[0].sections[0].parts
    assert [part.text for part in alone] == ["No other station of the report has a sensor of this one."]
