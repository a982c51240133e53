"""Each bundled profile reads a small file of the layout that its program documents."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.ingest.file_plan import ImportOptions
from data.ingest.importing import import_files
from data.ingest.profile import bundled_profiles
from errors import ImportRejected
from tests.store import open_store

EXAMPLES = Path(__file__).parent.parent / "examples"
SENSORS = ("temperature", "humidity", "pressure", "rainfall", "wind_speed", "wind_direction", "solar_radiation", "par_sensor")
X = None


def said(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def imported(tmp_path, name: str, profile: str | None, **wishes):
    """The report, and (time, values of all sensors) of what is stored."""
    store = open_store(f"sqlite:///{tmp_path}/o.sqlite", tmp_path)
    wished = ImportOptions(profile=profile, site_timezone="Asia/Jakarta", **wishes)
    (report,) = import_files(store.engine, store.catalogue, [EXAMPLES / name], wished)
    rows = [
        (station, said(time), *(None if value is None else round(value, 3) for value in values))
        for station, time, *values in store.rows(*SENSORS)
    ]
    flags = [(said(time)[11:16], sensor) for _, time, sensor in store.flags()]
    store.engine.dispose()
    return report, rows, flags


# Columns: time in UTC, temperature °C, humidity %, pressure hPa, rain mm, wind m/s, direction °,
# radiation W/m², PAR.
STORED = {
    "hoboware": ("hoboware.csv", {"station": "Ridge"}, "Ridge", [
        ("2024-06-17 16:30:00", 25.0, 55.2, X, X, X, X, X, X),
        ("2024-06-17 17:00:00", 26.0, 54.1, X, X, X, X, X, X),
        ("2024-06-18 05:00:00", 15.0, 88.4, X, X, X, X, X, X),
    ]),
    "ecowitt": ("ecowitt.csv", {"station": "E"}, "E", [
        ("2024-05-01 16:50:00", 26.4, 81, 1008.4, X, 1.2, 210, 0, X),
        ("2024-05-01 16:55:00", 26.3, 82, 1008.4, 0.3, 0.8, 205, 0, X),
        ("2024-05-01 17:00:00", 26.3, X, 1008.5, 0, 0, 205, 0, X),
        ("2024-05-01 17:05:00", 26.2, 83, 1008.5, 0.3, 0.3, 198, 0, X),
    ]),
    "weewx": ("weewx.csv", {"station": "W"}, "W", [
        ("2024-05-01 00:00:00", 16.222, 55, 999.662, 0, 1.341, 337.5, 0, X),
        ("2024-05-01 00:05:00", 16.111, 55, 999.662, 0.254, 0, X, 0, X),
        ("2024-05-01 00:10:00", 16.0, X, 999.323, 0, 0.894, 180, X, X),
    ]),
    "weewx_metricwx": ("weewx_metricwx.csv", {"station": "W"}, "W", [
        ("2024-05-01 00:00:00", 16.2, 55, 999.7, 0, 1.3, 337.5, 0, X),
        ("2024-05-01 00:05:00", 16.1, 55, 999.7, 0.25, 0, X, 0, X),
    ]),
    "iem_asos": ("iem_asos.txt", {}, "XYZ", [
        ("2024-01-01 00:51:00", 5.0, 70.12, 1013.2, 0, 4.63, 310, X, X),
        ("2024-01-01 01:51:00", X, X, X, 0, X, X, X, X),
        ("2024-01-01 02:51:00", 4.4, 73.04, 1013.9, 0.508, 1.543, X, X, X),
    ]),
    "ghcn_hourly": ("ghcn_hourly.psv", {}, "USW00099999", [
        ("2024-01-01 00:51:00", 5.0, 70, 991.5, 0, 4.6, 310, X, X),
        ("2024-01-01 01:51:00", X, X, X, 0, 1.5, X, X, X),
        ("2024-01-01 02:51:00", -22.2, 73, 992.0, 1.3, 0, X, X, X),
    ]),
    "dwd_10min": ("dwd_10min.txt", {}, "1420", [
        ("2024-06-01 23:50:00", 14.1, 88.4, 1002.8, X, X, X, X, X),
        ("2024-06-02 00:00:00", 13.9, X, X, X, X, X, X, X),
    ]),
    "eccc_hourly": ("eccc_hourly.csv", {"timezone": "-04:00"}, "NOWHERE A", [
        ("2024-01-01 04:00:00", -2.5, 83, 1012.5, 0.2, 5, 360, X, X),
        ("2024-01-01 06:00:00", -3.1, 85, 1013.0, 0, 0, X, X, X),
    ]),
    "bmkg_aws": ("bmkg_aws.csv", {}, "Entah", [
        ("2026-08-01 23:50:00", 26.8, 82, 1008.2, 12.4, 2.1, 250, 0, X),
        ("2026-08-02 00:00:00", 26.9, 81, 1008.1, 0.2, 2.3, 248, 0, X),
        ("2026-08-02 00:10:00", X, X, 1008.1, 0.2, X, X, 12, X),
    ]),
    "davis_weatherlink": ("davis_weatherlink.txt", {"station": "V", "timezone": "-06:00"}, "V", [
        ("2024-05-01 06:00:00", 16.222, 55, 1013.241, 0, 1.341, 337.5, 0, X),
        ("2024-05-01 18:30:00", 23.889, 40, 1012.530, 0.254, 2.235, 180, 861, X),
        ("2024-05-01 19:00:00", X, X, 1012.462, 0, 0, X, X, X),
    ]),
    "davis_weatherlink_metric": ("davis_weatherlink_metric.txt", {"station": "V", "timezone": "+02:00"}, "V", [
        ("2024-05-31 21:30:00", 12.4, 81, 1012.8, 0.2, 2.0, 247.5, 0, X),
        ("2024-05-31 22:00:00", 12.1, 83, 1013.1, 0, 0, X, 0, X),
    ]),
    "noaa_isd": ("noaa_isd.csv", {}, "99999900001", [
        ("2024-01-01 00:51:00", 5.0, X, 1013.2, 0, 4.6, 310, X, X),
        ("2024-01-01 01:51:00", X, X, X, 1.3, 1.5, X, X, X),
        ("2024-01-01 02:51:00", -2.2, X, 1014.0, X, 0, X, X, X),
        ("2024-01-01 06:00:00", -3.0, X, 1014.1, X, 5.1, 290, X, X),
    ]),
    "knmi_hourly": ("knmi_hourly.txt", {}, "999", [
        ("2024-01-31 22:00:00", 5.8, 74, 1010.4, 0, 9, 290, 0, X),
        ("2024-01-31 23:00:00", 5.4, 72, 1010.7, 1.2, 8, 990, 0, X),
        ("2024-02-01 00:00:00", -1.2, 69, 1010.9, 0, 4, 310, 0, X),
        ("2024-02-01 01:00:00", -1.5, 70, 1011.1, 0, 0, X, 25, X),
    ]),
    "smhi": ("smhi.csv", {"station": "I"}, "I", [
        ("2023-01-01 06:00:00", 1.5, X, X, X, X, X, X, X),
        ("2023-01-01 07:00:00", 1.9, X, X, X, X, X, X, X),
        ("2023-01-01 08:00:00", -3.0, X, X, X, X, X, X, X),
    ]),
    "smhi_wind": ("smhi_wind.csv", {"station": "I"}, "I", [
        ("2023-01-01 06:00:00", X, X, X, X, 3.1, 240, X, X),
        ("2023-01-01 07:00:00", X, X, X, X, 4.0, 250, X, X),
    ]),
    "home_assistant": ("home_assistant.csv", {"station": "H"}, "H", [
        ("2024-05-01 00:00:10", 21.4, X, X, X, X, X, X, X),
        ("2024-05-01 00:00:11", X, 55, X, X, X, X, X, X),
        ("2024-05-01 00:10:10", 21.6, X, X, X, X, X, X, X),
        ("2024-05-01 00:20:10", X, X, X, 0.4, X, X, X, X),
    ]),
    "grafana": ("grafana.csv", {"station": "G"}, "G", [
        ("2024-04-30 17:00:00", 21.4, 55, X, 0, X, X, X, X),
        ("2024-04-30 17:10:00", 21.6, 54.5, X, 0.2, X, X, X, X),
        ("2024-04-30 17:20:00", X, 54.1, X, 0, X, X, X, X),
    ]),
    "campbell_toa5": ("campbell.dat", {}, "HillTop", [
        ("2023-04-30 17:10:00", 10.1, 80.2, 1009.5, 0, 1.2, 250, 0.3, 0.6),
        ("2023-04-30 17:20:00", X, 80.9, 1009.6, 0.254, 1.4, 255, 0.2, 0.5),
    ]),
}  # fmt: skip


@pytest.mark.parametrize("profile", STORED)
def test_a_bundled_profile_reads_the_layout_of_its_program(tmp_path, profile):
    name, wishes, station, rows = STORED[profile]
    report, stored, _ = imported(tmp_path, name, profile, **wishes)
    assert stored == [(station, *row) for row in rows]
    assert (report.stored, report.profile) == (len(rows), profile)


@pytest.mark.parametrize(
    ("name", "sensor", "values"),
    [
        ("dwd_10min_wind.txt", "wind_speed", [2.7]),
        ("dwd_10min_wind.txt", "wind_direction", [240]),
        ("dwd_10min_rain.txt", "rainfall", [0.52]),
        ("dwd_10min_solar.txt", "solar_radiation", [500]),  # 30 J/cm² in 600 s
    ],
)
def test_each_product_of_dwd_is_read_with_one_profile(tmp_path, name, sensor, values):
    _, rows, _ = imported(tmp_path, name, "dwd_10min")
    assert [row[2 + SENSORS.index(sensor)] for row in rows] == values


@pytest.mark.parametrize(
    ("name", "profile", "flagged"),
    [
        ("ghcn_hourly.psv", "ghcn_hourly", [("02:51", "temperature")]),
        ("noaa_isd.csv", "noaa_isd", [("02:51", "temperature")]),
        ("smhi.csv", "smhi", [("08:00", "temperature")]),
    ],
)
def test_codes_of_quality_flag_values(tmp_path, name, profile, flagged):
    assert imported(tmp_path, name, profile, station="S")[2] == flagged


def test_a_file_of_weewx_is_read_in_its_own_units_only(tmp_path):
    with pytest.raises(ImportRejected, match="usUnits is not 17"):
        imported(tmp_path, "weewx.csv", "weewx_metricwx", station="W")
    text = (EXAMPLES / "weewx_metricwx.csv").read_text().replace(",17,", ",16,")
    (tmp_path / "metric.csv").write_text(text)
    _, rows, _ = imported(tmp_path, tmp_path / "metric.csv", "weewx_metric", station="W")
    assert [(row[5], row[6]) for row in rows] == [(0, 0.361), (2.5, 0)]  # 1.3 km/h; 0.25 cm


@pytest.mark.parametrize(
    ("name", "profile", "missing"),
    [
        ("eccc_hourly.csv", "eccc_hourly", "give --timezone"),
        ("ecowitt.csv", "ecowitt", "does not name its station; give --station"),
    ],
)
def test_what_a_file_does_not_tell_must_be_given(tmp_path, name, profile, missing):
    with pytest.raises(ImportRejected, match=missing):
        imported(tmp_path, name, profile)


def test_hoboware_may_write_properties_in_parentheses(tmp_path):
    text = (EXAMPLES / "hoboware.csv").read_text()
    text = text.replace('"Date Time, GMT-05:00"', "Date Time (GMT-05:00)").replace('"Temp, °F (LGR', '"Temp (°F) (LGR')
    (tmp_path / "h.csv").write_text(text)
    report, rows, _ = imported(tmp_path, tmp_path / "h.csv", "hoboware", station="Ridge")
    assert (report.timezone, rows[0][1:3]) == ("-05:00", ("2024-06-17 16:30:00", 25.0))


def test_every_profile_is_tried_and_says_what_it_is_for():
    of_data_sets = {"nyc_airports", "nyc_airports_raw", "fcr", "fcr_2018", "fcr_normalised", "vlinder", "vlinder_normalised"}
    assert set(bundled_profiles()) - of_data_sets - set(STORED) == {"weewx_metric"}
    assert all(path.read_text().startswith("# ") for path in bundled_profiles().values())
