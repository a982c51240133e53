"""The catalogue of sensors."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from data.catalogue import Catalogue, load_catalogue
from data.derived_sensors import checked_formula
from data.export_names import export_names
from data.station_history import history_of
from data.station_metadata import StationMetadata
from data.user_formula import FormulaDefinition
from errors import ConfigurationError, UnknownSensor
from tests.processes import ROOT

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


def test_the_default_catalogue_holds_eight_measured_and_three_derived_sensors_with_both_languages() -> None:
    catalogue = load_catalogue()
    assert [sensor.name for sensor in catalogue.derived] == ["dew_point", "vapour_pressure_deficit", "heat_index"]
    assert [sensor.name for sensor in catalogue.measured] == [
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
        ("[flag]\n", "a sensor cannot be called flag"),
        (ONE + "[formulas.station]\n", "a sensor cannot be called station"),
        (ONE.replace("[-30, 70]", "[70, -30]"), "valid must be"),
        (ONE.replace('"mean"', '"median"'), "aggregation"),
        (ONE + 'colour = "#000000"\n', "colour"),
        (ONE.replace('unit = "°C"', ""), "unit"),
        ("stations = 3\n" + ONE, "as a table"),
        (ONE + "[stations]\nEWR = 3\n", "station EWR"),
        (ONE + "[stations.EWR]\nlatitude = 91\nlongitude = 0\n", "station EWR: latitude"),
        (ONE + "[stations.EWR]\nlatitude = nan\nlongitude = 0\n", "station EWR: latitude"),
        (ONE + "[stations.EWR]\nlatitude = 0\nlongitude = 181\n", "station EWR: longitude"),
        (ONE + "[stations.EWR]\nlatitude = 5\n", "latitude and longitude belong together"),
        (ONE + '[stations.EWR]\nlatitude = "5"\nlongitude = 0\n', "station EWR: latitude"),
        (ONE + "[stations.EWR]\nelevation = 12000\n", "station EWR: elevation"),
        (ONE + '[stations.EWR]\ntimezone = "New York"\n', "'New York' is not an IANA time zone"),
        (ONE + "[stations.EWR]\nheight = 3\n", "station EWR: height"),
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


DERIVED = """
[formulas.wind_run]
label = "Wind run"
unit = "m/s"
unit_code = "m/s"
valid = [0, 150]
aggregation = "mean"
drawing = "line"
color = "#884400"
formula = '2 * wind_speed'
"""


def with_formula(folder: Path, changed: str = DERIVED) -> Path:
    return write(folder, changed)


def test_the_units_of_the_built_in_formulas_fit() -> None:
    assert all(checked_formula(sensor) for sensor in load_catalogue().derived)


def test_a_derived_sensor_knows_its_inputs_and_has_their_stamp(tmp_path: Path) -> None:
    hourly = 'rain_rate(rainfall, "1 h") * quantity(1, "s")'
    catalogue = load_catalogue(with_formula(tmp_path, DERIVED.replace("2 * wind_speed", hourly).replace('"m/s"', '"mm"', 2)))
    found = catalogue["wind_run"]
    assert ([each.sensor for each in found.inputs], found.stamp, found.back_ms) == ([catalogue["rainfall"]], "end", 3_600_000)


@pytest.mark.parametrize(
    ("formula", "wrong"),
    [
        ("2 * wind_speed)", "Character 15"),
        ("2 * wind", "There is no sensor wind; there is temperature, humidity"),
        ("2 * dew_point", "Character 5: dew_point is a function"),
        ("2 * vapour_pressure_deficit", "is a function"),
        ("2 * wind_run", "There is no sensor wind_run"),
        (
            'wind_speed["JFK"] * elevation["JFK"]',
            'elevation["JFK"]: a formula can take only where its own station stands; write elevation',
        ),
        ('wind_speed["JFK"] + temperature["JFK"]', "units do not fit"),
        ('snow["JFK"]', "There is no sensor snow"),
        ("2 * pressure", "cannot become m/s"),
        ("wind_speed + temperature", "units do not fit"),
        ('wind_speed if rainfall > quantity(0, "mm") else 2 * wind_speed', 'say with stamp = "start" or stamp = "end"'),
        ("", "formula"),
    ],
)
def test_a_wrong_formula_says_what_is_wrong_in_which_line(tmp_path: Path, formula: str, wrong: str) -> None:
    path = with_formula(tmp_path, DERIVED.replace("2 * wind_speed", formula))
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(path)
    assert wrong in caught.value.message
    line = path.read_text(encoding="utf-8").splitlines().index(f"formula = '{formula}'") + 1
    assert f"{path}, line {line}: formula wind_run" in caught.value.message or not formula


def test_a_formula_may_take_where_a_station_stands_but_not_that_alone(tmp_path: Path) -> None:
    text = DERIVED.replace("2 * wind_speed", 'wind_speed * elevation / quantity(1, "m")')
    found = load_catalogue(with_formula(tmp_path, text))["wind_run"]
    assert ([each.sensor.name for each in found.inputs], found.constants) == (["wind_speed"], ("elevation",))
    with pytest.raises(ConfigurationError, match="names no sensor"):
        load_catalogue(with_formula(tmp_path, DERIVED.replace("2 * wind_speed", 'elevation / quantity(1, "s")')))


def test_a_formula_that_names_all_its_stations_stands_at_the_first_and_else_at_those_that_it_does_not_name(
    tmp_path: Path,
) -> None:
    text = DERIVED.replace("2 * wind_speed", 'wind_speed["EWR"] - wind_speed["JFK"] - wind_speed["EWR"]')
    named = load_catalogue(with_formula(tmp_path, text))["wind_run"]
    assert (named.station, named.other_stations) == ("EWR", ("JFK",))
    assert [name for name in ("EWR", "JFK", "LGA") if named.may_stand_at(name)] == ["EWR"]
    other = load_catalogue(with_formula(tmp_path, DERIVED.replace("2 * wind_speed", 'wind_speed - wind_speed["JFK"]')))[
        "wind_run"
    ]
    assert (other.station, other.other_stations) == (None, ("JFK",))
    assert [name for name in ("EWR", "JFK", "LGA") if other.may_stand_at(name)] == ["EWR", "LGA"]


def test_a_stamp_that_no_input_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='its inputs have the stamp "start"'):
        load_catalogue(with_formula(tmp_path, DERIVED + 'stamp = "end"\n'))


def test_where_the_values_of_an_input_come_from_changes_the_fingerprint_of_what_is_made_of_it() -> None:
    catalogue = load_catalogue()
    moved = catalogue.with_origins({"humidity": "another column"})
    same = [sensor.name for sensor in catalogue if sensor.fingerprint == moved[sensor.name].fingerprint]
    assert [sensor.name for sensor in catalogue if sensor.name not in same] == [
        *("humidity", "dew_point", "vapour_pressure_deficit", "heat_index"),
    ]


def test_names_are_put_into_the_order_of_the_file_and_unknown_ones_last() -> None:
    assert load_catalogue().ordered(["rainfall", "snow", "humidity", "ice", "temperature"]) == [
        *("temperature", "humidity", "rainfall"),
        *("ice", "snow"),
    ]


def test_a_station_s_table_says_where_it_stands_and_each_key_may_be_left_out(tmp_path: Path) -> None:
    text = ONE + '[stations."Kebun Raya 2"]\nlatitude = -6\nlongitude = 106.8\nelevation = 250\n[stations.B]\ntimezone = "UTC"\n'
    catalogue = load_catalogue(write(tmp_path, text))
    garden, other = catalogue.stations["Kebun Raya 2"], catalogue.stations["B"]
    assert (garden.position, garden.elevation, garden.timezone) == ((-6.0, 106.8), 250.0, None)
    assert (other.position, other.elevation, other.timezone) == (None, None, "UTC")
    assert [sensor.name for sensor in catalogue] == ["soil_temperature"]


def test_a_file_of_stations_alone_keeps_the_built_in_sensors(tmp_path: Path) -> None:
    catalogue = load_catalogue(write(tmp_path, "[stations.A]\nlatitude = 1\nlongitude = 2\n"))
    assert list(catalogue.stations) == ["A"]
    assert catalogue.sensors == load_catalogue().sensors


def test_the_sample_s_stations_have_a_position_and_their_own_zone() -> None:
    stations = load_catalogue().stations
    assert {name: station.timezone for name, station in stations.items()} == dict.fromkeys(
        ("EWR", "JFK", "LGA"), "America/New_York"
    )
    assert all(station.position and station.elevation for station in stations.values())


def test_the_example_of_the_documentation_is_a_catalogue(tmp_path: Path) -> None:
    text = (ROOT / "docs/formulas.md").read_text(encoding="utf-8").split("```toml")[1].split("```")[0]
    found = load_catalogue(write(tmp_path, text))
    assert [sensor.name for sensor in found.derived[-3:]] == ["wet_bulb_temperature", "degree_days_10", "evapotranspiration"]
    assert found.measured.sensors == load_catalogue().measured.sensors


def test_days_are_counted_in_the_zone_that_all_stations_share_else_in_the_sites():
    zones = {"EWR": "America/New_York", "JFK": "America/New_York", "aws-1": "Asia/Makassar", "aws-2": None}
    catalogue = Catalogue({}, {name: StationMetadata(timezone=zone) for name, zone in zones.items()})
    site = "Asia/Jakarta"
    assert catalogue.zone_of(["EWR", "JFK"], site) == "America/New_York"
    assert catalogue.zone_of(["aws-1"], site) == "Asia/Makassar"
    for several in (["EWR", "aws-1"], ["EWR", "aws-2"], ["EWR", "unknown"], ["aws-2"], []):
        assert catalogue.zone_of(several, site) == site


@pytest.mark.parametrize(
    ("label", "name"), [("flag", "flag_2"), ("station", "station_2"), ("temperature", "temperature_2"), ("_", "formula")]
)
def test_a_file_calls_a_user_s_formula_by_its_label_but_never_as_another_column_or_by_nothing(label: str, name: str) -> None:
    definition = FormulaDefinition(label, "humidity / 2", "%")
    catalogue = replace(load_catalogue(), definitions={definition.sensor: definition}.get)
    assert export_names(catalogue, ["temperature", definition.sensor]) == ["temperature", name]


HISTORY = '[stations."a"]\ntimezone = "Asia/Jakarta"\nhistory = [{{ {0} }}]\n'


def test_the_history_of_a_station_is_on_its_clock_and_by_time(tmp_path):
    file = tmp_path / "sensors.toml"
    entries = (
        'from = 2019-03-01, to = 2019-03-02, sensor = "temperature", text = "sun"',
        'from = 2019-05-01T10:00:00, elevation = 250, text = " mast "',
        'from = 2019-01-01T00:00:00Z, instrument = "HMP45"',
    )
    file.write_text(HISTORY.format(" }, { ".join(entries)))
    found = history_of(load_catalogue(file), ["a", "unknown"], "UTC")
    hours = [(one.start_ms - 1_546_300_800_000) / 3_600_000 for one in found]  # since 2019-01-01 UTC
    assert hours == [0, 59 * 24 - 7, 120 * 24 + 3]
    assert [(one.sensor, one.instrument, one.text, one.place) for one in found] == [
        (None, "HMP45", "", ""),
        ("temperature", "", "sun", ""),
        (None, "", "mast", "250 m"),
    ]
    assert found[1].end_ms == found[1].start_ms + 24 * 3_600_000


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('text = "x"', "from: Field required"),
        ('from = "2019", text = "x"', "history.0.from"),
        ("from = 2019-01-01", "expected a place, an elevation, an instrument or a text"),
        ('from = 2019-01-02, to = 2019-01-02, text = "x"', "from must be before to"),
        ("from = 2019-01-02, latitude = 1.0", "latitude and longitude belong together"),
        ('from = 2019-01-02, text = "a\\nb"', "expected one line"),
        ('from = 2019-01-02, text = "x", sensor = "colour"', "history.colour: there is no sensor"),
        ('from = 2019-01-02, text = "x", who = "me"', "history.0.who"),
    ],
)
def test_a_history_that_says_nothing_or_what_is_not_is_refused(tmp_path, wrong, said):
    file = tmp_path / "sensors.toml"
    file.write_text(HISTORY.format(wrong))
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load_catalogue(file)
