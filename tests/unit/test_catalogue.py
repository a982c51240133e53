"""The catalogue of sensors."""

from pathlib import Path

import pytest

from data.catalogue import load_catalogue
from errors import ConfigurationError, UnknownSensor

ONE = """
[soil_temperature]
label = "Soil temperature"
unit = "°C"
unit_code = "degC"
valid = [-30, 70]
aggregation = "mean"
drawing = "line"
color = "#884400"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "sensors.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_default_catalogue_holds_the_eight_sensors_with_both_languages() -> None:
    catalogue = load_catalogue()
    assert [sensor.name for sensor in catalogue] == [
        "temperature",
        "humidity",
        "pressure",
        "rainfall",
        "wind_speed",
        "wind_direction",
        "solar_radiation",
        "par_sensor",
    ]
    assert all({"en", "id"} <= set(sensor.labels) for sensor in catalogue)


def test_a_site_s_own_file_replaces_the_default(tmp_path: Path) -> None:
    catalogue = load_catalogue(write(tmp_path, ONE + 'day_start = "07:30"\ngap_minutes = 2.5\n'))
    sensor = catalogue["soil_temperature"]
    assert [each.name for each in catalogue] == ["soil_temperature"]
    assert (sensor.day_start_min, sensor.gap_ms, sensor.label("id")) == (450, 150_000, "Soil temperature")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "names no sensor"),
        ("[a", "not TOML"),
        ("[Air-Temp]\n", "Air-Temp is not a sensor name"),
        (ONE.replace("[-30, 70]", "[70, -30]"), "valid must be"),
        (ONE.replace('"mean"', '"median"'), "aggregation"),
        (ONE + 'colour = "#000000"\n', "colour"),
        (ONE.replace('unit = "°C"', ""), "unit"),
    ],
)
def test_a_wrong_catalogue_says_what_is_wrong_and_where(tmp_path: Path, text: str, named: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(path)
    assert named in caught.value.message
    assert str(path) in caught.value.message


def test_a_missing_catalogue_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load_catalogue(tmp_path / "none.toml")


def test_an_unknown_sensor_names_the_known_ones() -> None:
    with pytest.raises(UnknownSensor, match="no sensor snow.*temperature, humidity"):
        load_catalogue()["snow"]


def test_only_what_decides_a_tile_s_content_changes_the_fingerprint(tmp_path: Path) -> None:
    base = load_catalogue(write(tmp_path, ONE))["soil_temperature"]
    recoloured = load_catalogue(write(tmp_path, ONE.replace("#884400", "#000000")))["soil_temperature"]
    narrowed = load_catalogue(write(tmp_path, ONE.replace("70]", "60]")))["soil_temperature"]
    assert base.fingerprint == recoloured.fingerprint != narrowed.fingerprint


def test_names_are_put_into_the_order_of_the_file_and_unknown_ones_last() -> None:
    assert load_catalogue().ordered(["rainfall", "snow", "humidity", "ice", "temperature"]) == [
        *("temperature", "humidity", "rainfall"),
        *("ice", "snow"),
    ]
