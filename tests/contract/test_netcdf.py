"""NetCDF files: the same rows as any other file, told in the words of the CF conventions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5netcdf
import h5py
import numpy as np
import pytest

import data.export.rows
from config import Settings
from data.catalogue import Catalogue, load_catalogue
from data.export.cf_attributes import of_sensor
from data.export.formats import export_file, export_tag
from data.export.netcdf import CHUNK_ROWS
from data.readings import clean
from data.request import HistoryRequest
from data.site import Site, open_site
from data.station_metadata import StationMetadata
from data.tiles.tile_store import SeriesKey
from data.time.months import months_of
from errors import InvalidRequest
from tests.tiled import MARCH_2019, MINUTE

HOUR, DAY = 60 * MINUTE, 1440 * MINUTE
MAY_2019 = MARCH_2019 + 61 * DAY
REQUEST = HistoryRequest(("a", "b"), ("rainfall", "temperature"), MARCH_2019, MAY_2019)
PLACES = {"a": StationMetadata(latitude=-6.5, longitude=106.75, elevation=250.0)}


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    made = open_site(settings)
    yield replace(made, catalogue=Catalogue(load_catalogue().sensors, PLACES))
    made.engine.dispose()


def keep(site: Site, station: str, sensor: str, times: Any, values: Any) -> None:
    """Tiles of a series, as a job leaves them."""
    times, values = np.asarray(times, np.int64), np.asarray(values, np.float64)
    key = SeriesKey("own", station, sensor)
    for month in np.unique(months_of(times)).tolist():
        here = months_of(times) == month
        cleaned = clean(times[here], values[here], site.catalogue[sensor])
        site.tiles.publish(key, [site.tiles.write(key, month, cleaned, generation=1, fingerprint=0)])


def written(site: Site, folder: Path, request: HistoryRequest = REQUEST) -> h5netcdf.File:
    path = folder / "out.nc"
    export_file(site, request, path)
    return h5netcdf.File(path, "r")


def test_stations_stand_one_after_the_other_and_every_row_has_its_flag(site, tmp_path):
    at = MARCH_2019 + np.arange(4) * HOUR
    keep(site, "a", "temperature", at[:3], [20.5, -999.0, 21.5])
    keep(site, "a", "rainfall", at[1:3], [0.25, 0.5])
    keep(site, "b", "temperature", at[3:], [19.0])
    with written(site, tmp_path) as file:
        assert list(file.variables["station_name"][:]) == [b"a", b"b"]
        assert file.variables["row_size"][:].tolist() == [3, 1]
        assert file.variables["time"][:].tolist() == at.tolist()
        np.testing.assert_array_equal(file.variables["temperature"][:], [20.5, -999.0, 21.5, 19.0])
        np.testing.assert_array_equal(file.variables["rainfall"][:], [np.nan, 0.25, 0.5, np.nan])
        assert file.variables["temperature_flag"][:].tolist() == [0, 1, 0, 0]
        assert file.variables["rainfall_flag"][:].tolist() == [0, 0, 0, 0]
        assert file.variables["temperature"].attrs["ancillary_variables"] == "temperature_flag"
        assert file.variables["temperature_flag"].attrs["flag_masks"].tolist() == [1, 2, 4, 8]


def test_variables_say_what_they_are_in_the_words_of_the_conventions(site, tmp_path):
    keep(site, "a", "temperature", [MARCH_2019], [20.5])
    institution = site.settings.model_copy(update={"institution": "Balai Besar"})
    with written(replace(site, settings=institution, flags="all"), tmp_path) as file:
        assert file.attrs["comment"].endswith(
            "Flags of quality rules that count: all. Of 2019-03 not all readings were looked at by the rules,"
            " or decisions about them do not count yet."
        )
        said = {name: dict(file.variables[name].attrs) for name in ("time", "temperature", "rainfall", "alt", "lat")}
        assert (file.attrs["Conventions"], file.attrs["featureType"]) == ("CF-1.11", "timeSeries")
        assert (file.attrs["institution"], file.attrs["title"]) == ("Balai Besar", "Rainfall, Air temperature at a, b")
        assert file.attrs["time_coverage_end"] == "2019-05-01T00:00:00Z"
        assert file.variables["station_name"].attrs["cf_role"] == "timeseries_id"
        assert file.variables["row_size"].attrs["sample_dimension"] == "obs"
        np.testing.assert_array_equal(file.variables["lat"][:], [-6.5, np.nan])
        np.testing.assert_array_equal(file.variables["alt"][:], [250.0, np.nan])
    assert (said["time"]["units"], said["time"]["calendar"]) == ("milliseconds since 1970-01-01 00:00:00 +00:00", "standard")
    assert said["temperature"]["standard_name"] == "air_temperature"
    assert (said["temperature"]["units"], said["temperature"]["units_metadata"]) == ("degree_Celsius", "temperature: on_scale")
    assert said["temperature"]["coordinates"] == "time lat lon alt station_name"
    assert np.isnan(said["temperature"]["_FillValue"])
    assert (said["rainfall"]["units"], said["rainfall"]["comment"]) == ("mm", "each time is the end of its interval")
    assert "cell_methods" not in said["temperature"]
    assert (said["alt"]["positive"], said["lat"]["units"]) == ("up", "degrees_north")


def test_buckets_have_bounds_a_method_and_no_flags(site, tmp_path):
    """The night of 31 March 2019 lacks an hour in Berlin, so that day has 23."""
    keep(site, "a", "temperature", MARCH_2019 + np.arange(0, 40 * DAY, HOUR), np.full(960, 12.0))
    days = replace(REQUEST, stations=("a",), sensors=("temperature",), resolution="1d", timezone="Europe/Berlin")
    with written(site, tmp_path, days) as file:
        times, bounds = file.variables["time"][:], file.variables["time_bounds"][:]
        assert file.variables["temperature"].attrs["cell_methods"] == "time: mean"
        assert file.variables["time"].attrs["bounds"] == "time_bounds"
        assert "temperature_flag" not in file.variables
    np.testing.assert_array_equal(bounds[:, 0], times)
    np.testing.assert_array_equal(bounds[1:, 0], bounds[:-1, 1])
    lengths = ((bounds[:, 1] - bounds[:, 0]) // HOUR).tolist()
    assert {hours: lengths.count(hours) for hours in set(lengths)} == {24: 40, 23: 1}


def test_each_bucket_ends_as_days_of_its_sensor_do(site, tmp_path):
    morning = replace(site.catalogue["rainfall"], day_start_min=7 * 60)
    site = replace(site, catalogue=Catalogue({**site.catalogue.sensors, "rainfall": morning}, PLACES))
    times = MARCH_2019 + np.arange(HOUR, 3 * DAY, HOUR)
    keep(site, "a", "temperature", times, np.full(len(times), 12.0))
    keep(site, "a", "rainfall", times, np.full(len(times), 0.5))
    with written(site, tmp_path, replace(REQUEST, stations=("a",), resolution="1d")) as file:
        bounds, rain = file.variables["time_bounds"][:], file.variables["rainfall"][:]
    begins = (bounds[:, 0] // HOUR % 24).tolist()
    assert begins == [7, 0, 7, 0, 7, 0, 7]
    assert ((bounds[:, 1] - bounds[:, 0]) // HOUR).tolist() == [24] * 7
    assert (~np.isnan(rain)).tolist() == [hour == 7 for hour in begins]


@pytest.mark.parametrize("piece_rows", [7_001, 50_000])
def test_bytes_depend_on_the_rows_alone(site, tmp_path, monkeypatch, piece_rows):
    times = MARCH_2019 + np.arange(CHUNK_ROWS + 1_000) * MINUTE
    keep(site, "a", "temperature", times, np.sin(np.arange(len(times))))
    export_file(site, REQUEST, tmp_path / "whole.nc")
    monkeypatch.setattr(data.export.rows, "PIECE_ROWS", piece_rows)
    export_file(site, REQUEST, tmp_path / "pieces.nc")
    assert (tmp_path / "pieces.nc").read_bytes() == (tmp_path / "whole.nc").read_bytes()
    with h5py.File(tmp_path / "whole.nc") as file:
        kept = [each.id.get_create_plist().get_obj_track_times() for each in file.values()]
        assert len(file["time"]) == len(times)
    assert not any(kept)  # no time of writing


def test_what_is_known_of_a_station_changes_the_tag_of_its_file(site):
    keep(site, "a", "temperature", [MARCH_2019], [20.5])
    nowhere = replace(site, catalogue=Catalogue(site.catalogue.sensors))
    tags = [export_tag(each, REQUEST, MARCH_2019, MAY_2019, "netcdf") for each in (site, nowhere, site)]
    assert tags[0] == tags[2] != tags[1]


def test_no_rows_are_an_empty_file_that_knows_its_stations(site, tmp_path):
    with written(site, tmp_path) as file:
        assert file.variables["row_size"][:].tolist() == [0, 0]
        assert (len(file.variables["time"]), file.dimensions["obs"].size) == (0, 0)


def test_any_name_of_a_station_can_be_written(site, tmp_path):
    names = ("a\0b", "=1+1", "π \u202e")
    with written(site, tmp_path, replace(REQUEST, stations=names)) as file:
        assert [each.decode() for each in file.variables["station_name"][:]] == ["=1+1", "a\\u0000b", "π \u202e"]
        assert file.attrs["title"].endswith("at =1+1, a\\u0000b, π \\u202e")


def test_a_sensor_called_as_a_coordinate_gets_another_name(site, tmp_path):
    called = {name: replace(site.catalogue["temperature"], name=name) for name in ("time", "lat", "time_flag")}
    site = replace(site, catalogue=Catalogue(called, PLACES))
    keep(site, "a", "time", [MARCH_2019], [20.5])
    with written(site, tmp_path, replace(REQUEST, sensors=("lat", "time", "time_flag"))) as file:
        assert {"lat_", "lat__flag", "time_", "time__flag", "time_flag", "time_flag_flag"} < set(file.variables)
        assert (file.variables["time_"][:].tolist(), file.variables["time"][:].tolist()) == ([20.5], [MARCH_2019])


@pytest.mark.parametrize(("label", "called"), [("Spread of air", "Spread_of_air"), ("Öl", None), ("2 m", None)])
def test_a_formula_of_a_user_is_called_by_its_label_where_that_is_a_name(site, tmp_path, label, called):
    name = f"formula_{'0' * 32}"
    made = replace(site.catalogue["temperature"], name=name, labels={"en": label})
    site = replace(site, catalogue=Catalogue({**site.catalogue.sensors, name: made}, PLACES))
    with written(site, tmp_path, replace(REQUEST, sensors=(name,))) as file:
        assert file.variables[called or name].attrs["long_name"] == label


def test_a_derived_sensor_says_its_formula_and_that_flags_count_in_its_inputs(site):
    told = of_sensor(replace(site.catalogue["temperature"], formula="temperature - 5"), raw=True)["comment"]
    assert told.startswith("computed as temperature - 5, from inputs with the flags and corrections that count; ")


def test_a_name_without_a_known_ending_is_told_the_endings(site, tmp_path):
    with pytest.raises(InvalidRequest, match=r"no format netcdf; use one of csv, parquet, arrow, json, xlsx, nc\."):
        export_file(site, REQUEST, tmp_path / "out.netcdf")
