"""A mapping that is wrong is an error that names file, key and what was expected."""

from pathlib import Path

import pytest

from data.catalogue import load_catalogue
from data.source.mapping import parse_mapping
from errors import ConfigurationError

CATALOGUE = load_catalogue()
GOOD = """
url = "postgresql://reader:s%40cret@db.example/scada"
table = "t"
time = "at"
station = "station"
[sensors]
temperature = "temp"
"""


def parse(text: str):
    return parse_mapping(Path("site.toml"), text, CATALOGUE, "Asia/Jakarta")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('table = "t"', "", "table: Field required"),
        ('table = "t"', 'table = "t"\ntabel = "x"', "tabel: Extra inputs"),
        ('station = "station"', "", "expected either station .* or station_name"),
        ('time = "at"', 'time = "at"\ntimezone = "Jakarta"', "timezone: 'Jakarta' is neither"),
        ('time = "at"', 'time = "at"\ntime_unit = "h"', "time_unit: Input should be 's', 'ms' or 'us'"),
        ('time = "at"', 'time = "at"\ntime_unit = "s"\ntime_format = "%Y"', "expected time_unit .* or time_format .*, not both"),
        ('temperature = "temp"', 'temprature = "temp"', "sensors.temprature: expected a sensor of the catalogue"),
        ('temperature = "temp"', 'temperature = { tag = "temp" }', "sensors.temperature: expected column = NAME"),
        (
            'temperature = "temp"',
            'temperature = { column = "temp", unit = "m" }',
            "sensors.temperature.unit: m cannot become degC",
        ),
        ('temperature = "temp"', 'temperature = { column = "temp", quality = "q" }', "together with good"),
        ('table = "t"', 'table = "t"\nlayout = "tall"', r"expected the table \[tall\]"),
        ('table = "t"', 'table = "t"\nwhere = [{ column = "x" }]', "where.0: expected equals"),
        ('url = "postgresql://reader:s%40cret@db.example/scada"', 'url = "hunter2@"', "url: expected a URL such as"),
        (
            'url = "postgresql://reader:s%40cret@db.example/scada"',
            'url_env = "NOWHERE"',
            "url_env: expected the variable NOWHERE",
        ),
        ('time = "at"', "time = ", "is not TOML"),
        ("[sensors]", "[freshness]\ncheck = -1\n[sensors]", "freshness.check"),
    ],
)
def test_a_wrong_mapping_names_file_key_and_what_was_expected(old, new, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse(GOOD.replace(old, new))
    assert "site.toml" in caught.value.message
    assert "hunter2" not in caught.value.message


def test_the_sources_id_tells_what_rows_there_are_but_no_password():
    first = parse(GOOD)
    assert parse(GOOD.replace("reader:s%40cret", "other:word")).source_id == first.source_id
    assert parse(GOOD.replace('"temp"', '"temp2"')).source_id == first.source_id
    assert parse(GOOD.replace("[sensors]", 'where = [{ column = "x", equals = 1 }]\n[sensors]')).source_id != first.source_id
    assert parse(GOOD.replace('"at"', '"at2"')).source_id != first.source_id


def test_a_sensors_place_and_unit_are_in_its_fingerprint():
    places = (GOOD, GOOD.replace('"temp"', '"temp2"'), GOOD.replace('"temp"', '{ column = "temp", unit = "degF" }'))
    found = {parse(text).catalogue_of(CATALOGUE)["temperature"].fingerprint for text in places}
    assert len(found) == 3
    assert parse(GOOD).catalogue_of(CATALOGUE)["humidity"].fingerprint == CATALOGUE["humidity"].fingerprint


def test_times_without_a_zone_are_the_sites_where_the_file_names_none():
    assert str(parse(GOOD).timezone) == "Asia/Jakarta"
