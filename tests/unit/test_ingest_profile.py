from __future__ import annotations

import pytest

from data.catalogue import load_catalogue
from data.cells.units import conversion
from data.ingest.profile import bundled_profiles, load_profile
from errors import ConfigurationError

GOOD = """
time = ["date", "time"]
time_format = "%Y-%m-%d %H:%M"
timezone = "Asia/Jakarta"
station = "site"
missing = ["NAN", "-9999"]
[columns]
air = { sensor = "temperature", unit = "degC" }
rain = { sensor = "rainfall", unit = "mm", counts = "since_reset" }
air_qc = { flags = "temperature", good = [0] }
rh = "humidity"
"""


def write(tmp_path, text):
    path = tmp_path / "site.toml"
    path.write_text(text)
    return path


def test_a_profile_as_documented(tmp_path):
    profile = load_profile(write(tmp_path, GOOD))
    assert profile.time_columns == ("date", "time")
    assert profile.values["rain"].counts == "since_reset"
    assert profile.values["rh"].sensor == "humidity"
    assert profile.quality["air_qc"].good == [0]
    assert (profile.delimiter, profile.encoding, profile.decimal) == (",", "utf-8", None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('counts = "since_reset"', 'counts = "sometimes"'), "columns.rain.counts: Input should be 'interval', 'since_reset'"),
        (('timezone = "Asia/Jakarta"', 'timezone = "Mars"'), "timezone: 'Mars' is neither an IANA time zone"),
        (('station = "site"', 'station = "site"\nstation_name = "x"'), "either station"),
        (('station = "site"', 'statoin = "site"'), "statoin: Extra inputs are not permitted"),
        (('station = "site"', 'station = "site"\ndelimiter = ";;"'), 'delimiter: expected one character, or "blank"'),
        (('station = "site"', 'station = "site"\ndecimal = ","'), "decimal and delimiter must differ"),
        (('station = "site"', 'station = "site"\nencoding = "klingon"'), "encoding: 'klingon' is not a known encoding"),
        (('flags = "temperature"', 'flags = "pressure"'), "flags pressure, which no column gives"),
        (('rh = "humidity"', 'rh = "temperature"'), "two columns to temperature"),
        (('%H:%M"', '%Q"'), "time_format: 'Q' is a bad directive"),
        (("[columns]", "[colums]"), "columns: Field required"),
        (('rh = "humidity"', "rh = 5"), "columns.rh"),
    ],
)
def test_a_wrong_profile_names_file_key_and_what_was_expected(tmp_path, change, message):
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(ConfigurationError) as caught:
        load_profile(path)
    assert message in caught.value.message
    assert str(path) in caught.value.message


def test_what_is_no_toml_or_not_there_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match="is not TOML"):
        load_profile(write(tmp_path, "time = "))
    with pytest.raises(ConfigurationError, match=r"Cannot read the profile no-such.*nyc_airports"):
        load_profile("no-such")


@pytest.mark.parametrize("name", sorted(bundled_profiles()))
def test_bundled_profiles_fit_the_default_catalogue(name):
    profile, catalogue = load_profile(name), load_catalogue()
    for rule in profile.values.values():
        assert rule.sensor in catalogue
        if rule.unit:
            conversion(rule.unit, catalogue[rule.sensor].unit_code)
