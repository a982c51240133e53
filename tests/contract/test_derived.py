"""Derived sensors through plan and load: what is read for them, what makes them stale, what they
hold. On one database, since only tiles are looked at; what reads the inventory of several stations
is tried on each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from access.embeds.shown_rights import shown_rights
from access.embeds.spec import EmbedSpec
from access.grants import Grant, Purpose, Rights
from access.identity import Identity, authorise
from access.made_of import made_of
from access.restricted_site import restricted_site, restricted_site_for
from commands.history import summaries
from data.batches.deleting import Deleter, Deletion
from data.deriving import Deriver
from data.export.formats import export_file
from data.ingest.file_plan import ImportOptions
from data.ingest.importing import import_files
from data.inventory import Inventory
from data.load_plan import all_present, plan
from data.readings import FLAG_RANGE, FLAG_SOURCE
from data.site import Site
from data.sync_due import reload
from data.tiles.series import SeriesKey
from data.tiles.tile_store import TileStore
from data.time.months import parse_month
from data.view.view_request import view_request
from errors import ConfigurationError, NoData, NotPermitted
from jobs.kinds.history import load_history
from tests.derived import (
    APRIL,
    FEBRUARY,
    HOUR,
    JANUARY,
    MARCH,
    asked,
    catalogue_with,
    load,
    rows,
    site_with_formulas,
    store,
    table,
)  # fmt: skip
from tests.foreign import Foreign, foreign_at, wall

DEW = table("dew", "dew_point(temperature, humidity)")
MEAN = table("mean_day", 'rolling_mean(temperature, "1 d")')
WINDY = table("windy", "wind_speed * 2", "m/s")
TO_B = table("to_b", 'temperature - temperature["b"]', "delta_degC")
APART = table("apart", 'temperature["a"] - temperature["b"]', "delta_degC")
PAST_OF_B = table("past_of_b", 'temperature - rolling_mean(temperature["b"], "1 d")', "delta_degC")
MAPPING = """
table = "wide"
time = "at"
timezone = "UTC"
station = "station"
[sensors]
temperature = "t"
humidity = "h"
"""
MONTHS = [parse_month(name) for name in ("2020-01", "2020-02", "2020-03")]


# FAO-56, example 18: Uccle, 6 July, at 50.80° N and 100 m, wind at 2 m
GRASS = table(
    "grass",
    'reference_evapotranspiration(rolling_max(temperature, "1 d"), rolling_min(temperature, "1 d"), '
    'rolling_max(humidity, "1 d"), rolling_min(humidity, "1 d"), rolling_mean(wind_speed, "1 d"), '
    'rolling_mean(solar_radiation, "1 d"), latitude, elevation)',
    "mm/day",
)
UCCLE = '[stations."{name}"]\nlatitude = 50.8\nlongitude = 4.35\nelevation = 100\n'
UCCLES_DAY = {
    "temperature": [*[12.3, 21.5] * 12],
    "humidity": [*[84.0, 63.0] * 12],
    "wind_speed": 2.078,
    "solar_radiation": 22.07e6 / 86_400,
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_with_formulas(tmp_path, DEW, MEAN, WINDY) as made:
        yield made


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Foreign]:
    """A database of others with a table of temperature and humidity."""
    with foreign_at(f"sqlite:///{tmp_path / 'theirs.db'}", tmp_path) as foreign:
        foreign.make("wide", "at WALL, station TEXT, t REAL, h REAL")
        yield foreign


@pytest.fixture
def stations(tmp_path: Path) -> Iterator[Site]:
    """A site with formulas of several stations: a and c as warm as ever, b five degrees colder."""
    with site_with_formulas(tmp_path, TO_B, APART, PAST_OF_B) as made:
        three_stations(made)
        yield made


def three_stations(site: Site) -> None:
    times = np.arange(JANUARY, APRIL, HOUR)
    for name, degrees in (("a", 20.0), ("b", 15.0), ("c", 20.0)):
        store(site, times, {"temperature": degrees}, station=name)


def fill(site: Site, station: str = "a") -> np.ndarray:
    """Three months of hours of temperature and humidity, in values of FAO-56 table 2.3."""
    times = np.arange(JANUARY, APRIL, HOUR)
    store(site, times, {"temperature": np.arange(len(times)) % 40, "humidity": 50.0}, station=station)
    return times


def test_a_station_has_a_derived_sensor_where_it_has_all_inputs(site):
    fill(site)
    assert site.inventory.station("a").sensors == (
        *("dew", "dew_point", "heat_index", "humidity", "mean_day", "temperature", "vapour_pressure_deficit"),
    )
    assert site.inventory.station("a").spans["dew"] == (JANUARY, APRIL - HOUR)


def test_a_derived_sensor_spans_what_its_inputs_have_in_common(site):
    times = np.arange(JANUARY, MARCH, HOUR)
    store(site, times, {"temperature": 20.0, "humidity": np.where(times < FEBRUARY, np.nan, 50.0)})
    assert site.inventory.station("a").spans["dew"] == (FEBRUARY, MARCH - HOUR)
    assert plan(site, asked("dew")).tiles_total == 1
    store(site, [JANUARY, JANUARY + HOUR], {"wind_speed": [3.0, 4.0], "temperature": np.nan}, station="b")
    with pytest.raises(NoData, match="No dew for b"):
        plan(site, asked("dew", station="b"))


def test_a_load_reads_the_inputs_makes_the_tiles_and_leaves_nothing_to_do(site):
    times = fill(site)
    planned = plan(site, asked("dew"))
    assert [(each.month, each.sensors) for each in planned.missing] == [(month, ("humidity", "temperature")) for month in MONTHS]
    assert planned.rows_missing == planned.rows_tiles == 3 * len(times)
    metrics = load(site, asked("dew"))
    assert (metrics["tiles_read"], metrics["tiles_derived"], metrics["tiles_reused"]) == (6, 3, 0)
    found, values, flags = rows(site, "dew")
    assert found.tolist() == times.tolist()
    assert values[:40].round(1).tolist()[20:31:5] == [9.3, 13.9, 18.4]  # at 20, 25 and 30 °C and half the humidity
    assert not flags.any()
    assert plan(site, asked("dew")).is_complete
    assert "tiles_derived" not in load(site, asked("dew"))


def test_inputs_that_are_there_are_not_read_again(site):
    fill(site)
    load(site, asked("humidity", "temperature"))
    planned = plan(site, asked("dew", "humidity"))
    assert (planned.missing, planned.is_complete) == ((), False)
    metrics = load(site, asked("dew", "humidity"))
    assert (metrics["tiles_read"], metrics["tiles_derived"], metrics["tiles_reused"]) == (0, 3, 3)


def test_what_the_request_itself_lacks_is_read_once(site):
    times = fill(site)
    planned = plan(site, asked("dew", "humidity"))
    assert {each.sensors for each in planned.missing} == {("humidity", "temperature")}
    assert planned.rows_missing == 3 * len(times)
    assert load(site, asked("dew", "humidity"))["tiles_read"] == 6


def test_a_change_of_an_input_makes_the_month_stale_and_no_other(site):
    fill(site)
    load(site, asked("dew"))
    before = rows(site, "dew")[1]
    store(site, [FEBRUARY, FEBRUARY + HOUR], {"humidity": [100.0, 100.0]})
    planned = plan(site, asked("dew"))
    assert planned.missing_months == {MONTHS[1]}
    load(site, asked("dew"))
    values = rows(site, "dew")[1]
    assert np.flatnonzero(values != before).tolist() == [31 * 24, 31 * 24 + 1]
    assert values[31 * 24] == pytest.approx(31 * 24 % 40, abs=1e-6)  # the air is full: the temperature itself


def test_inputs_that_were_evicted_do_not_make_a_derived_tile_stale(site):
    fill(site)
    load(site, asked("dew"))
    for name in ("humidity", "temperature"):
        key = SeriesKey("own", "a", name)
        site.tiles.drop(key, list(site.tiles.entries(key).values()))
    assert plan(site, asked("dew")).is_complete
    assert all_present(site, asked("dew"))
    store(site, [FEBRUARY, FEBRUARY + HOUR], {"humidity": [100.0, 100.0]})
    assert [each.month for each in plan(site, asked("dew")).missing] == [MONTHS[1]]  # and not those that are whole


def test_another_formula_unit_or_range_makes_all_its_tiles_stale(tmp_path):
    with site_with_formulas(tmp_path, DEW) as site:
        fill(site)
        load(site, asked("dew"))
    for changed in (
        DEW.replace("humidity)", "humidity / 2)"),
        DEW.replace("-90, 90", "-90, 91"),
        DEW.replace("decimals = 1", "decimals = 2"),
    ):
        with site_with_formulas(tmp_path, changed) as site:
            planned = plan(site, asked("dew"))
            assert planned.missing_months == set(MONTHS)
            assert planned.missing == ()


def test_a_month_that_a_formula_looks_back_to_makes_it_stale_and_is_read(site):
    fill(site)
    request = asked("mean_day", start=FEBRUARY, end=MARCH)
    assert [each.month for each in plan(site, request).missing] == MONTHS[:2]
    load(site, request)
    found, values, _ = rows(site, "mean_day")
    assert (found[0], len(found)) == (FEBRUARY, 29 * 24)
    temperature = rows(site, "temperature")[1]
    assert values[0] == pytest.approx(temperature[31 * 24 - 23 : 31 * 24 + 1].mean())
    assert plan(site, request).is_complete
    store(site, [FEBRUARY - HOUR, FEBRUARY], {"temperature": [60.0, temperature[31 * 24]]})
    assert plan(site, request).missing_months == {MONTHS[1]}
    load(site, request)
    assert rows(site, "mean_day")[1][0] == pytest.approx(
        np.r_[temperature[31 * 24 - 23 : 31 * 24 - 1], 60.0, temperature[31 * 24]].mean()
    )


def test_a_change_of_a_month_that_a_formula_does_not_look_back_to_is_none(site):
    fill(site)
    request = asked("mean_day", start=MARCH, end=APRIL)
    load(site, request)
    store(site, [JANUARY, JANUARY + HOUR], {"temperature": [9.0, 9.0]})
    assert plan(site, request).is_complete


def test_a_value_of_a_flagged_reading_is_flagged(site):
    times = JANUARY + np.arange(4) * HOUR
    store(site, times, {"temperature": [20.0, 20.0, 999.0, 20.0], "humidity": 50.0}, bad=[1])
    load(site, asked("dew"))
    _, values, flags = rows(site, "dew")
    assert flags.tolist() == [0, FLAG_SOURCE, FLAG_SOURCE | FLAG_RANGE, 0]
    assert values[1] == values[0]


def test_a_window_leaves_flagged_readings_out_while_enough_others_are_there(site):
    times = JANUARY + np.arange(30) * HOUR
    store(site, times, {"temperature": np.where(np.arange(30) == 3, 999.0, 20.0)})
    load(site, asked("mean_day"))
    found, values, flags = rows(site, "mean_day")
    whole = found >= JANUARY + 23 * HOUR
    assert (values[whole] == 20.0).all()
    assert not flags[whole].any()
    assert flags[~whole].any()  # of the first hours no window had four fifths without it


def test_what_is_out_of_the_derived_sensors_own_range_is_flagged(tmp_path):
    with site_with_formulas(tmp_path, table("windy", "wind_speed * 2", "m/s", "0, 10")) as site:
        store(site, JANUARY + np.arange(3) * HOUR, {"wind_speed": [1.0, 5.0, 6.0]})
        load(site, asked("windy"))
        assert rows(site, "windy")[2].tolist() == [0, 0, FLAG_RANGE]


def test_a_month_whose_rows_have_gone_leaves_no_derived_row(site):
    fill(site)
    load(site, asked("dew"))
    deleter = Deleter(site.engine, site.catalogue.measured, Deletion("a", None, FEBRUARY, MARCH))
    deleter.run()
    load(site, asked("dew"))
    found = rows(site, "dew")[0]
    assert not ((found >= FEBRUARY) & (found < MARCH)).any()
    assert plan(site, asked("dew")).is_complete


def test_a_tile_whose_input_has_gone_since_the_plan_is_not_made_and_is_the_next_time(site):
    fill(site)
    load(site, asked("humidity", "temperature"))
    deriver = Deriver(site, (month for series in plan(site, asked("dew")).derived for month in series.to_make()))
    key = SeriesKey("own", "a", "humidity")
    site.tiles.drop(key, [site.tiles.entries(key)[MONTHS[1]]])
    assert [each.month for each, _, _ in deriver.ready()] == [MONTHS[0], MONTHS[2]]
    assert list(deriver.ready()) == []
    load(site, asked("dew"))
    assert len(rows(site, "dew")[0]) == (31 + 29 + 31) * 24


def test_a_tile_is_not_made_of_inputs_that_are_older_than_the_plan(site):
    fill(site)
    load(site, asked("dew"))
    store(site, [FEBRUARY, FEBRUARY + HOUR], {"humidity": [100.0, 100.0]})
    planned = plan(site, asked("dew"))
    assert list(Deriver(site, (month for series in planned.derived for month in series.to_make())).ready()) == []


def test_a_tile_is_not_made_of_what_is_left_where_an_input_is_evicted_while_it_is_opened(site, monkeypatch):
    fill(site)
    load(site, asked("humidity", "temperature"))
    opened = TileStore.open_series

    def evicting(self, key, *span, **lag):
        self.drop(key, list(self.entries(key).values()))
        return opened(self, key, *span, **lag)

    planned = plan(site, asked("dew"))
    monkeypatch.setattr(TileStore, "open_series", evicting)
    assert list(Deriver(site, (month for series in planned.derived for month in series.to_make())).ready()) == []


def test_buckets_statistics_and_files_are_of_the_derived_rows(site):
    times = fill(site)
    hourly = asked("dew", resolution="1d")
    load(site, hourly)
    values = rows(site, "dew")[1]
    view = view_request(site, hourly, JANUARY, APRIL, 800)
    assert view.statistics[0].rows == len(times)
    summary = summaries(site, replace(hourly, resolution="raw"))[0]
    assert (summary["rows"], summary["mean"], summary["max"]) == (len(times), pytest.approx(values.mean()), values.max())


def test_who_lacks_one_input_has_no_derived_sensor_and_who_has_all_has_its_bounds(site):
    fill(site)
    made, one = made_of(site.catalogue), Grant(("a",), ("temperature",), to_ms=MARCH)
    lacking = restricted_site(site, Rights((one,), derived=made))
    assert "dew" not in lacking.catalogue
    assert lacking.inventory.station("a").sensors == ("mean_day", "temperature")
    other = Grant(("a",), ("humidity",), from_ms=FEBRUARY)
    seen = restricted_site(site, Rights((one, other), derived=made, shown=frozenset({("a", "dew")}))).inventory.station("a")
    assert (seen.sensors, seen.span) == (("dew",), (FEBRUARY, MARCH - 1))


def test_a_load_by_who_sees_the_derived_sensor_alone_as_a_viewer_of_a_chart_does_reads_its_inputs(site):
    fill(site)
    spec = EmbedSpec(("a",), ("dew",), start_ms=FEBRUARY, end_ms=MARCH)
    rights = shown_rights(spec, Rights((Grant(may_embed=True),), derived=made_of(site.catalogue)), APRIL)
    request = asked("dew", start=FEBRUARY, end=MARCH)
    seen = restricted_site_for(site, rights, request)
    assert seen.inventory.station("a").sensors == ("dew",)
    assert [sensor.name for sensor in seen.catalogue] == ["dew"]
    assert load_history(site, request, lambda _: None, seen)["tiles_derived"] == 1
    assert len(rows(site, "dew")[0]) == 29 * 24


def test_a_mapped_table_has_derived_sensors_of_what_it_maps(theirs):
    times = FEBRUARY + np.arange(48) * HOUR
    theirs.add("wide", [{"at": wall(int(each), 0), "station": "a", "t": 25.0, "h": 50.0} for each in times])
    with theirs.site(MAPPING) as site:
        assert "dew_point" in site.inventory.station("a").sensors
        load(site, asked("dew_point"))
        assert rows(site, "dew_point")[1].round(1).tolist() == [13.9] * 48
        assert "dew_point" not in {name for each in Inventory(site.engine, site.source_id).stations() for name in each.spans}
        theirs.run("UPDATE wide SET h = 100.0")
        reload(site, asked("dew_point"))
        load(site, asked("dew_point"))
        assert rows(site, "dew_point")[1].round(1).tolist() == [25.0] * 48


def test_a_mapping_of_a_derived_sensor_is_refused(theirs):
    mapping = MAPPING + 'dew_point = "h"\n'
    with pytest.raises(ConfigurationError, match=r"sensors\.dew_point: .*computed by a formula"), theirs.site(mapping):
        pass


def test_a_file_that_was_exported_with_a_derived_sensor_is_imported_without_it(site, tmp_path):
    fill(site)
    request = asked("dew", "temperature", "humidity", start=FEBRUARY, end=MARCH)
    load(site, request)
    export_file(site, request, tmp_path / "file.csv", units="name")
    (tmp_path / "other").mkdir()
    with site_with_formulas(tmp_path / "other", DEW) as other:
        import_files(other.engine, other.catalogue, [tmp_path / "file.csv"], ImportOptions())
        load(other, request)
        assert rows(other, "dew")[1].tolist() == rows(site, "dew")[1].tolist()


def test_a_workbook_says_by_which_formula_a_sensor_was_made(site, tmp_path):
    fill(site)
    request = asked("dew", "humidity", start=FEBRUARY, end=MARCH)
    load(site, request)
    export_file(site, request, tmp_path / "file.xlsx")
    about = list(openpyxl.load_workbook(tmp_path / "file.xlsx")["About"].values)
    assert [line[9] for line in about if line[0] in ("dew", "humidity")] == ["dew_point(temperature, humidity)", None]


def test_the_evapotranspiration_of_a_day_is_that_of_the_published_example(tmp_path):
    day = np.datetime64("2020-07-06T01", "ms").astype(int) + np.arange(24) * HOUR - HOUR
    with site_with_formulas(tmp_path, GRASS, UCCLE.format(name="a")) as site:
        store(site, day, UCCLES_DAY)
        load(site, asked("grass", start=int(day[0]), end=int(day[-1]) + 1))
        series = site.tiles.open_series(SeriesKey("own", "a", "grass"), int(day[0]), int(day[-1]) + 1)
        assert series.read()[1][-1] == pytest.approx(3.88, abs=0.01)


def test_a_formula_that_takes_where_a_station_stands_is_of_stations_of_which_that_is_known(tmp_path):
    day = JANUARY + np.arange(24) * HOUR
    with site_with_formulas(tmp_path, GRASS, UCCLE.format(name="a")) as site:
        for name in ("a", "b"):
            store(site, day, UCCLES_DAY, station=name)
        assert ["grass" in station.sensors for station in site.inventory.stations()] == [True, False]
        load(site, asked("grass"))
        assert plan(site, asked("grass")).is_complete
    with site_with_formulas(tmp_path, GRASS, UCCLE.format(name="a").replace("50.8", "40.8")) as site:
        assert plan(site, asked("grass")).missing_months == {MONTHS[0]}


def test_a_formula_of_several_stations_is_of_those_that_it_does_not_name_or_of_the_first_that_it_does(migrated_url, tmp_path):
    with site_with_formulas(tmp_path, TO_B, APART, history_url=migrated_url) as site:
        three_stations(site)
        has = {station.name: {"to_b", "apart"} & set(station.sensors) for station in site.inventory.stations()}
        assert has == {"a": {"to_b", "apart"}, "b": set(), "c": {"to_b"}}
        assert site.inventory.station("a").spans["to_b"] == (JANUARY, APRIL - HOUR)  # asked for alone
        planned = plan(site, asked("to_b"))
        assert [(each.station, each.month) for each in planned.missing] == [(at, month) for at in "ab" for month in MONTHS]
        assert planned.rows_missing == 3 * 91 * 24
        with pytest.raises(NoData, match="No to_b for b"):
            plan(site, asked("to_b", station="b"))
        assert load(site, asked("to_b"))["tiles_derived"] == 3
        assert rows(site, "to_b")[1].tolist() == [5.0] * 91 * 24
        store(site, [FEBRUARY, FEBRUARY + HOUR], {"temperature": [16.0, 16.0]}, station="b")
        assert plan(site, asked("to_b")).missing_months == {MONTHS[1]}
        assert load(site, asked("to_b"))["tiles_read"] == 1  # b's month
        assert np.unique(rows(site, "to_b")[1], return_counts=True)[1].tolist() == [2, 91 * 24 - 2]


def test_what_is_read_for_a_formula_is_no_tile_of_the_request(stations):
    metrics = load(stations, asked("to_b"))
    assert (metrics["tiles_read"], metrics["tiles_reused"], metrics["tiles_derived"]) == (6, 0, 3)
    both = replace(asked("to_b", "temperature"), stations=("a", "b", "c"))
    planned = plan(stations, both)
    assert [(each.station, each.sensors) for each in planned.missing] == [("c", ("temperature",))] * 3
    assert (planned.tiles_total, planned.rows_missing) == (15, 2 * 91 * 24)
    load(stations, both)
    assert plan(stations, both).is_complete


def test_a_month_of_another_station_that_a_formula_looks_back_to_makes_it_stale_and_one_before_does_not(stations):
    request = asked("past_of_b", start=FEBRUARY, end=MARCH)
    assert [(each.station, each.month) for each in plan(stations, request).missing] == [
        *[(at, month) for at in "ab" for month in MONTHS[:2]],
    ]
    load(stations, request)
    assert rows(stations, "past_of_b")[1][0] == pytest.approx(5.0)
    store(stations, [FEBRUARY - HOUR, FEBRUARY], {"temperature": [39.0, 15.0]}, station="b")
    assert plan(stations, request).missing_months == {MONTHS[1]}
    load(stations, request)
    assert rows(stations, "past_of_b")[1][0] == pytest.approx(4.0)
    late = asked("past_of_b", start=MARCH, end=APRIL)
    load(stations, late)
    store(stations, [JANUARY, JANUARY + HOUR], {"temperature": [9.0, 9.0]}, station="b")
    assert plan(stations, late).is_complete


def test_a_station_that_lacks_a_month_of_another_has_no_value_there(tmp_path):
    with site_with_formulas(tmp_path, TO_B) as site:
        times = np.arange(JANUARY, APRIL, HOUR)
        store(site, times, {"temperature": 20.0})
        store(site, times[times < FEBRUARY], {"temperature": 15.0}, station="b")
        store(site, times[times >= MARCH], {"temperature": 15.0}, station="b")
        load(site, asked("to_b"))
        found = rows(site, "to_b")[0]
        assert (len(found), ((found >= FEBRUARY) & (found < MARCH)).any()) == ((31 + 31) * 24, False)
        assert plan(site, asked("to_b")).is_complete
        store(site, times[(times >= FEBRUARY) & (times < MARCH)], {"temperature": 15.0}, station="b")
        assert plan(site, asked("to_b")).missing_months == {MONTHS[1]}
        load(site, asked("to_b"))
        assert len(rows(site, "to_b")[0]) == len(times)


def test_who_lacks_the_other_station_sees_neither_the_series_nor_its_name(stations):
    made = made_of(stations.catalogue)
    one = Rights((Grant(("a", "c")),), derived=made)
    lacking = restricted_site(stations, one)
    assert not {"to_b", "apart", "past_of_b"} & {sensor.name for sensor in lacking.catalogue}
    assert lacking.inventory.station("a").sensors == ("temperature",)
    assert not one.allows(asked("to_b"), Purpose.VIEW)
    both = Rights((*one.grants, Grant(("b",), ("temperature",), from_ms=FEBRUARY)), derived=made)
    shown = replace(both, shown=frozenset({("a", "to_b")}))
    assert restricted_site(stations, shown).inventory.station("a").span == (FEBRUARY, APRIL - HOUR)
    assert both.allows(asked("to_b", start=FEBRUARY), Purpose.VIEW)
    with pytest.raises(NotPermitted, match="access to b from 2020-02-01"):
        authorise(Identity("sari", rights=both), asked("to_b"), Purpose.VIEW)


def test_a_chart_of_a_formula_of_several_stations_shows_it_and_neither_station_besides(stations):
    spec = EmbedSpec(("a",), ("to_b",), start_ms=FEBRUARY, end_ms=MARCH)
    rights = shown_rights(spec, Rights((Grant(may_embed=True),), derived=made_of(stations.catalogue)), APRIL)
    request = asked("to_b", start=FEBRUARY, end=MARCH)
    seen = restricted_site_for(stations, rights, request)
    assert [(station.name, station.sensors) for station in seen.inventory.stations()] == [("a", ("to_b",))]
    assert [sensor.name for sensor in seen.catalogue] == ["to_b"]
    assert load_history(stations, request, lambda _: None, seen)["tiles_derived"] == 1
    assert rows(stations, "to_b")[1].tolist() == [5.0] * 29 * 24


def test_a_change_of_another_station_in_a_mapped_table_is_found_by_the_load_of_a_formula(theirs):
    theirs.make("plain", "at WALL, station TEXT, t REAL, h REAL", number=False)
    times = FEBRUARY + np.arange(48) * HOUR
    for name, degrees in (("a", 25.0), ("b", 20.0)):
        theirs.add("plain", [{"at": wall(int(each), 0), "station": name, "t": degrees, "h": 50.0} for each in times])
    sensors = catalogue_with(theirs.folder, TO_B)
    with theirs.site(MAPPING.replace("wide", "plain") + '[freshness]\ncheck = "always"\n', sensors=sensors) as site:
        load(site, asked("to_b"))
        assert rows(site, "to_b")[1].tolist() == [5.0] * 48
        theirs.run("UPDATE plain SET t = 21.0 WHERE station = 'b'")
        load(site, asked("to_b"))
        assert rows(site, "to_b")[1].tolist() == [4.0] * 48
