"""Logbooks: which rows a log profile makes of them, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.catalogue import load_catalogue
from data.ingest.log_profile import LogProfile, bundled_logbooks, load_log_profile
from data.ingest.logbook import LogRow, read_log
from data.time.months import iso_utc
from errors import ConfigurationError, ImportRejected

EXAMPLES = Path(__file__).parent.parent / "examples"
SENSORS = load_catalogue().sensors
PLAIN: dict[str, Any] = {"time": "time", "station": "station", "text": "text"}


def read(path: Path, **profile: Any) -> list[LogRow]:
    zones = {"b": "America/New_York"}
    return read_log(path, LogProfile.model_validate(PLAIN | profile), SENSORS, lambda name: zones.get(name, "Asia/Jakarta"))


def test_the_bundled_profile_of_a_maintenance_log_reads_its_layout():
    found = read_log(
        EXAMPLES / "logbooks" / "fcr_maintenance.txt", load_log_profile("fcr_maintenance"), SENSORS, lambda _name: "UTC"
    )
    assert [(one.line, one.sensor, iso_utc(one.start_ms), iso_utc(one.end_ms), one.kind, one.text) for one in found] == [
        (2, "rainfall", "2018-04-06T19:45:00Z", "2018-04-06T19:50:00Z", "calibration", "calibrated_rain_gauge"),
        (3, "temperature", "2018-04-08T14:00:00Z", "2018-04-08T16:00:00Z", "maintenance", "cleaned_air_temp_shield"),
        (5, None, "2018-04-08T14:00:00Z", "2018-04-08T16:00:00Z", "maintenance", "Albedo_Avg: cleaned_radiation_sensor_lenses"),
    ]
    assert {one.station for one in found} == {"FCR"}


@pytest.mark.parametrize("name", sorted(bundled_logbooks()))
def test_bundled_log_profiles_name_sensors_of_the_default_catalogue_and_say_what_they_are_for(name):
    assert set(load_log_profile(name).sensors.values()) <= set(SENSORS)
    assert bundled_logbooks()[name].read_text().startswith("# ")


def test_times_are_those_of_the_profiles_zone_or_of_each_stations_clock(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        'time,station,text\n2019-07-01 07:00,a,one\n2019-07-01T00:00Z,a,two\n2019-07-01 07:00,b,"three\nlines"\n2020-01-01,b,x\n'
    )
    times = {zone: [iso_utc(one.start_ms)[5:16] for one in read(path, timezone=zone)] for zone in ("UTC", "+02:00", "station")}
    assert times == {
        "UTC": ["07-01T07:00", "07-01T00:00", "07-01T07:00", "01-01T00:00"],
        "+02:00": ["07-01T05:00", "07-01T00:00", "07-01T05:00", "12-31T22:00"],
        "station": ["07-01T00:00", "07-01T00:00", "07-01T11:00", "01-01T05:00"],
    }
    found = read(path, timezone="UTC")
    assert [(one.line, one.start_ms == one.end_ms) for one in found] == [(2, True), (3, True), (4, True), (6, True)]
    assert found[2].text == "three\nlines"


@pytest.mark.parametrize(
    ("row", "profile", "said"),
    [
        ("soon,a,x", {}, "line 3, column time: 'soon' is not a time such as"),
        (",a,x", {}, "line 3, column time: '' is not a time"),
        ("2019-03-10 02:30,b,x", {"timezone": "station"}, "is not a time that the clocks of America/New_York show"),
        ("2019-01-01,,x", {}, "column station: '' is not the name of a station"),
        ("2019-01-01,a", {}, "line 3: 2 cells, but the header has 3"),
        ("2019-01-01,a,x", {"sensor": "what"}, "line 1: column what is missing"),
        ("2019-01-01,a,colour", {"sensor": "text"}, "line 2, column text: 'good' is not a sensor: temperature"),
        ("2019-01-01,a,x", {"time": None, "from": "time", "to": "text"}, "line 2, column text: 'good' is not a time"),
    ],
)
def test_a_row_that_is_none_is_refused_with_its_line_and_column(tmp_path, row, profile, said):
    path = tmp_path / "log.csv"
    path.write_text(f"time,station,text\n2019-01-01,a,good\n{row}\n")
    with pytest.raises(ImportRejected) as refused:
        read(path, **profile)
    assert said in refused.value.message


def test_an_end_before_its_start_and_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("from,to,station,text\n2019-01-02,2019-01-01,a,x\n")
    with pytest.raises(ImportRejected, match="line 2, column to: .* is not a time that is not before the start"):
        read(path, **{"time": None, "from": "from", "to": "to"})
    path.write_bytes(b"time,station,text\n2019-01-02,a,caf\xe9\n")
    with pytest.raises(ImportRejected, match="line 2: this is not utf-8"):
        read(path)
    assert read(path, encoding="latin-1")[0].text == "café"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('text = "t"\nstation = "s"', "give either time, or from"),
        ('text = "t"\ntime = "x"\nfrom = "y"\nstation = "s"', "give either time, or from"),
        ('text = "t"\ntime = "x"', "give either station"),
        ('text = "t"\ntime = "x"\nstation = "s"\ntimezone = "Mars"', "neither an IANA time zone"),
        ('text = "t"\ntime = "x"\nstation = "s"\ncolour = "red"', "colour"),
        ("text = ", "is not TOML"),
    ],
)
def test_a_log_profile_that_is_wrong_says_what_was_expected(tmp_path, toml, said):
    path = tmp_path / "p.toml"
    path.write_text(toml)
    with pytest.raises(ConfigurationError, match=said):
        load_log_profile(path)
