from __future__ import annotations

import struct
import tomllib
from pathlib import Path

import pytest

from data.catalogue import load_catalogue
from data.cells.sensor_synonyms import meaning
from data.ingest.checking import check_file
from data.ingest.file_plan import ImportOptions, plan_file
from data.ingest.guess.first_profile import guess
from data.ingest.guess.preview import preview
from data.ingest.guess.profile_text import profile_text
from errors import ImportRejected
from tests.store import open_store
from tests.tobfiles import fp2, frame, tob3_header

CATALOGUE = load_catalogue()
EXAMPLES = sorted(path for path in (Path(__file__).parent.parent / "examples").iterdir() if path.is_file())


def written(tmp_path, text: str | bytes, name: str = "ridge.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def guessed(path: Path):
    """The guessed profile as TOML reads it, and its text; it reads the file."""
    text = profile_text(guess(path, CATALOGUE), path, "Asia/Jakarta")
    profile = written(path.parent, text, "guess.toml")
    assert check_file(plan_file(path, CATALOGUE, ImportOptions(profile=str(profile)))).last_ms, text
    return tomllib.loads(text), text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_what_is_guessed_for_an_example_reads_it(example):
    found = preview(example, CATALOGUE, ImportOptions(site_timezone="Asia/Jakarta"))
    assert found.refused is None
    assert found.rows
    assert tomllib.loads(found.profile)["columns"]


@pytest.mark.parametrize(
    ("name", "sensor", "unit"),
    [
        ("Outdoor Temperature(℃)", "temperature", "℃"),
        ("Temp, °F (LGR S/N: 1, SEN S/N: 2)", "temperature", "°F"),
        ("air_temp_degC", "temperature", "degC"),
        ("AirTC_Avg", "temperature", "degC"),
        ("outTemp", "temperature", None),
        ("suhu_udara", "temperature", None),
        ("Lufttemperatur", "temperature", None),
        ("tmpf", "temperature", "degF"),
        ("Kelembapan Relatif (%)", "humidity", "%"),
        ("Vochtigheid", "humidity", None),
        ("Luftfeuchte [%]", "humidity", "%"),
        ("tekanan_udara", "pressure", None),
        ("BP_mbar_Avg", "pressure", "mbar"),
        ("curah_hujan", "rainfall", None),
        ("Niederschlag [mm]", "rainfall", "mm"),
        ("Neerslagsom", "rainfall", None),
        ("Windgeschwindigkeit (km/h)", "wind_speed", "km/h"),
        ("kecepatan_angin", "wind_speed", None),
        ("Windrichting", "wind_direction", None),
        ("arah_angin", "wind_direction", None),
        ("Globalstrahlung [W/m²]", "solar_radiation", "W/m²"),
        ("PAR_Den_Avg", "par_sensor", None),
        ("Außentemperatur(°C)", "temperature", "°C"),
        ("Tagesregen(mm)", "rainfall", "mm"),
        ("rain_in", "rainfall", "inch"),
    ],
)
def test_a_name_tells_its_sensor_and_unit(name, sensor, unit):
    found = meaning(name)
    assert found is not None
    assert (found.sensor, next(iter(found.units), None)) == (sensor, unit)


@pytest.mark.parametrize(
    "name",
    [
        "Dew Point(℃)",
        "Indoor Humidity(%)",
        "Gust(m/s)",
        "Hi Temp",
        "soil_temp_10cm",
        "Temp Flag",
        "RECORD",
        "battery",
        "Rukwind",
        "Innentemperatur",
        "temp_in",
    ],
)
def test_a_name_of_something_else_is_no_sensor(name):
    assert meaning(name) is None


@pytest.mark.parametrize(
    ("times", "keys"),
    [
        (["2024-05-01 00:00", "2024-05-01 00:10"], {"time": "time"}),
        (["13/05/2024 00:00", "13/05/2024 00:10"], {"time": "time", "time_format": "%d/%m/%Y %H:%M"}),
        (["05/13/24 12:00 AM", "05/13/24 12:10 AM"], {"time": "time", "time_format": "%m/%d/%y %I:%M %p"}),
        (["01.02.2024 23:50", "02.02.2024 00:00", "13.02.2024 00:00"], {"time": "time", "time_format": "%d.%m.%Y %H:%M"}),
        (["202405010000", "202405010010"], {"time": "time", "time_format": "%Y%m%d%H%M"}),
        (["2024-05-01 23:00", "2024-05-01 24:00"], {"time": "time", "hour24": True}),
        (["1714521600", "1714522200"], {"time": "time", "time_unit": "s"}),
        (["1714521600123", "1714522200123"], {"time": "time", "time_unit": "ms"}),
        (["1714521610123456789", "1714522210123456789"], {"time": "time", "time_unit": "ns"}),
        (["45413.00", "45413.25"], {"time": "time", "time_unit": "excel_day"}),
        (["2024-05-01T00:00Z", "2024-05-01T00:10Z"], {"time": "time"}),
    ],
)
def test_times_are_told_by_trying(tmp_path, times, keys):
    rows = "".join(f"{time},{number}.5\n" for number, time in enumerate(times))
    profile, _ = guessed(written(tmp_path, "time,temp\n" + rows))
    assert {key: profile[key] for key in profile if key in {"time", "time_format", "time_unit", "hour24"}} == keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Date,Time,temp\n2024-05-01,00:00,1\n2024-05-01,00:10,2\n", {"time": ["Date", "Time"], "time_format": "%Y-%m-%d %H:%M"}),
        (
            "tanggal;jam;suhu\n31/05/2024;00.00;25,1\n31/05/2024;00.10;25,2\n",
            {"time": ["tanggal", "jam"], "time_format": "%d/%m/%Y %H.%M"},
        ),
        ("year,doy,hhmm,temp\n2021,120,30,1\n2021,120,100,2\n", {"time_parts": {"year": "year", "doy": "doy", "hhmm": "hhmm"}}),
        ("Date,Hour,temp\n2024-05-01,1,1\n2024-05-01,24,2\n", {"time_parts": {"date": "Date", "hour": "Hour"}, "hour24": True}),
        ("DATE;HEURE;T\n20240501;0100;5.4\n20240501;1230;5.2\n", {"time_parts": {"yyyymmdd": "DATE", "hhmm": "HEURE"}}),
        (
            "Year,Month,Day,Hour,temp\n2021,5,1,23,1\n2021,5,1,24,2\n",
            {"time_parts": {"year": "Year", "month": "Month", "day": "Day", "hour": "Hour"}, "hour24": True},
        ),
    ],
)  # fmt: skip
def test_a_time_in_several_columns_is_found(tmp_path, text, keys):
    profile, _ = guessed(written(tmp_path, text))
    assert {key: profile[key] for key in profile if key in {"time", "time_format", "time_parts", "hour24"}} == keys


def test_what_is_not_clear_is_said(tmp_path):
    _, text = guessed(written(tmp_path, "time,temp,ws\n05/01/24 00:00,61.5,3\n05/01/24 00:10,61.0,4\n"))
    assert "# unsure: day or month first? No day of the rows looked at is beyond 12; else %m/%d/%y %H:%M" in text
    assert 'timezone = "Asia/Jakarta"   # unsure: the file does not say' in text
    assert 'station_name = "ridge"   # unsure: no column names stations' in text
    assert 'unit = "degF" }   # unsure: the file tells no unit; taken for degF by the size of the values' in text
    assert 'unit = "mph" }   # unsure: the file tells no unit; taken for mph as others are not metric' in text


def test_the_order_of_day_and_month_is_that_in_which_time_goes_on(tmp_path):
    days = "".join(f"{day:02d}/05/2024 00:00,{day}.5\n" for day in range(1, 13))
    profile, text = guessed(written(tmp_path, "time,temp\n" + days))
    assert profile["time_format"] == "%d/%m/%Y %H:%M"
    assert "day or month first" not in text


def test_zone_units_station_and_what_stands_for_missing_are_read_off_the_file(tmp_path):
    text = (
        "Site;Time (UTC);Temp [0.1 °C];Wind;Precip (mm);Wind Dir (10s deg)\n"
        "A;2024-05-01 00:00;215;3,5;0,2;36\nA;2024-05-01 00:10;-9999;---;T;9\nB;2024-05-01 00:00;216;4,5;0,0;18\n"
    )
    path = written(tmp_path, text)
    profile, _ = guessed(path)
    assert (profile["timezone"], profile["station"], profile["decimal"], profile["delimiter"]) == ("UTC", "Site", ",", ";")
    columns = profile["columns"]
    assert columns["Temp [0.1 °C]"] == {"sensor": "temperature", "unit": "°C", "scale": 0.1, "missing": ["-9999"]}
    assert columns["Precip (mm)"] == {"sensor": "rainfall", "unit": "mm", "words": {"T": 0.0}}
    assert columns["Wind Dir (10s deg)"] == {"sensor": "wind_direction", "unit": "deg", "scale": 10.0}
    assert columns["Wind"]["missing"] == ["---"]
    found = preview(path, CATALOGUE, ImportOptions())
    assert found.header == ("time (UTC)", "station", "temperature °C", "rainfall mm", "wind_speed m/s", "wind_direction °")
    assert found.rows[0] == ("2024-05-01 00:00:00", "A", "21.5", "0.2", "3.5", "360")


@pytest.mark.parametrize(
    ("name", "cells", "counts"),
    [
        ("rain_counter", ["41", "41.2", "41.2", "41.6", "41.8", "42"], "since_reset"),
        ("daily_rain", ["0", "0.2", "0.2", "1.6", "0", "0"], "day_total"),
        ("rain", ["0", "0.2", "0", "0.4", "0.2", "0"], None),
        ("rain (mm/h)", ["0", "1.2", "0", "2.4", "0", "0"], "rate"),
    ],
)
def test_how_rain_counts_is_told_by_name_and_values(tmp_path, name, cells, counts):
    rows = "".join(f"2024-05-01 00:{number}0,{cell}\n" for number, cell in enumerate(cells))
    profile, _ = guessed(written(tmp_path, f"time,{name}\n{rows}"))
    assert profile["columns"][name].get("counts") == counts


@pytest.mark.parametrize(
    ("points", "language", "degrees"),
    [
        (["NNW", "E"], None, [337.5, 90]),
        (["TL", "BD"], "Indonesian", [45, 225]),
        (["NO", "SSW"], "German, with O for east", [45, 202.5]),
    ],
)
def test_points_of_the_compass_are_told_by_language(tmp_path, points, language, degrees):
    rows = "".join(f"2024-05-01 00:{number}0,{point}\n" for number, point in enumerate(points))
    profile, text = guessed(written(tmp_path, f"time,arah angin\n{rows}"))
    assert [profile["columns"]["arah angin"]["words"][point] for point in points] == degrees
    assert (f"# unsure: points of the compass taken for {language}" in text) == (language is not None)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("waktu,kota,suhu\n2024-05-01,Bogor,25\n2024-05-02,Depok,26\n", "# unsure: is kota the station?"),
        ("waktu,kota,suhu\n2024-05-01,Bogor,25\n2024-05-01,Depok,26\n", "of those the last is stored: is kota the station?"),
        ("date,period,temp\n2024-05-01,1,25\n2024-05-01,2,26\n", "does a part of the time stand in another column?"),
    ],
)
def test_rows_that_may_be_of_several_stations_or_times_are_said(tmp_path, text, doubt):
    assert doubt in guessed(written(tmp_path, text))[1]


def test_no_name_of_a_file_ends_a_comment_or_a_text(tmp_path):
    text = 'time,"temp (°\nX)","a""b\\",Temp 2\n2024-05-01,1,2,3\n2024-05-02,2,3,4\n'
    profile, _ = guessed(written(tmp_path, text, "two\nlines.csv"))
    assert list(profile["columns"]) == ["temp (° X)"]


def test_a_column_of_quality_codes_is_offered(tmp_path):
    text = "time,temp (°C),temp_qc\n2024-05-01,1,G\n2024-05-02,2,Y\n"
    assert '# temp_qc = { flags = "temperature", good = ["G", "Y"] }   # codes of quality?' in guessed(written(tmp_path, text))[1]


LAYOUTS = {
    "a preamble": "Station;Ridge\n\nTime;temp\n2024-05-01;1\n2024-05-02;2\n",
    "a header of two lines": "\tTemp\tOut\nDate\tOut\tHum\n2024-05-01\t1\t50\n2024-05-02\t2\t60\n",
    "a row of units": "Time,T,RH\n,degC,%\n2024-05-01,1,50\n2024-05-02,2,60\n",
    "a delimiter at the end of rows": "Time,T,RH\n2024-05-01,1,50,\n2024-05-02,2,60,\n",
    "rows of several lengths": "Time;Temp;Q;;Notes\n2024-05-01;1;G;;checked\n2024-05-02;2;G\n",
    "blanks": "DATE       TEMP   RH\n2024-05-01  1   50\n2024-05-02  2   60\n",
    "a break of line in the header": 'Time,"Temp\n(°C)"\n2024-05-01,1\n2024-05-02,2\n',
    "a line for Excel": 'sep=,\n"Time","Temp"\n"2024-05-01","1 °C"\n"2024-05-02","2 °C"\n',
    "one value a row": (
        "entity_id,state,last_changed\nx.temp,1,2024-05-01T00:00Z\n"
        "x.hum,60,2024-05-01T00:00Z\nx.temp,2,2024-05-02T00:00Z\n"
    ),
    "several tables": (
        "#datatype,string,long\n,table,_time,_value,_field\n,0,2024-05-01T00:00:00Z,1,temp\n,0,2024-05-02T00:00:00Z,2,temp\n\n"
        "#datatype,string,long\n,table,_time,_value,_field\n,1,2024-05-01T00:00:00Z,50,hum\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_seen(tmp_path, layout):
    path = written(tmp_path, LAYOUTS[layout])
    text = profile_text(guess(path, CATALOGUE), path, "UTC")
    store = open_store(f"sqlite:///{tmp_path}/o.sqlite", tmp_path)
    store.load(LAYOUTS[layout], "ridge.csv", profile=text)
    assert [row[2] for row in store.rows("temperature")] == [1.0, 2.0]
    store.engine.dispose()


def test_of_several_columns_of_a_sensor_one_is_read_and_the_others_are_listed(tmp_path):
    text = "time,Temp 1 (°C),Temp 2 (°C),gust,battery\n2024-05-01,1,2,3,12\n2024-05-02,2,3,4,12\n"
    profile, shown = guessed(written(tmp_path, text))
    assert list(profile["columns"]) == ["Temp 1 (°C)"]
    assert '# "Temp 2 (°C)" = …   # temperature, too\n# gust = …\n# battery = …\n' in shown


def test_a_file_without_a_time_or_a_sensor_is_refused(tmp_path):
    for text, message in (
        ("a,b\n1,2\n3,4\n", "no column looks like a time; its columns: a, b"),
        ("time,x\n2024-05-01,2\n2024-05-02,4\n", "no column has the name of a sensor; its columns: time, x"),
        ("hello\nworld\n", "no rows with a time and values were found"),
    ):
        with pytest.raises(ImportRejected, match=message):
            preview(written(tmp_path, text), CATALOGUE, ImportOptions())


def test_a_profile_that_does_not_read_the_file_says_why(tmp_path):
    text = "time;press\n2024-05-01;1.013\n2024-05-02;998,4\n2024-05-03;1.2\n"
    found = preview(written(tmp_path, text), CATALOGUE, ImportOptions())
    assert "# unsure: some cells have a decimal comma, others a decimal point" in found.profile
    assert "line 2, column press: '1.013' is not a number with a decimal comma" in (found.refused or "")


def test_a_guess_without_the_bundled_ones_reads_what_names_tell(tmp_path):
    path = written(
        tmp_path, "Time,Outdoor Temperature(℃),Wind Direction(deg)\n2024-05-01 00:00,21.5,210\n2024-05-01 00:05,21.4,--\n"
    )
    text = profile_text(guess(path, CATALOGUE), path, "Asia/Jakarta", "Roof")
    profile = tomllib.loads(text)
    assert profile["station_name"] == "Roof"
    assert profile["columns"]["Outdoor Temperature(℃)"] == {"sensor": "temperature", "unit": "℃"}
    assert profile["columns"]["Wind Direction(deg)"] == {"sensor": "wind_direction", "unit": "deg", "missing": ["--"]}


def test_other_encodings_are_told(tmp_path):
    profile, text = guessed(written(tmp_path, "Zeit;Temperatur [°C]\n2024-05-01;1,5\n2024-05-02;2,5\n".encode("latin-1")))
    assert profile["encoding"] == "cp1252"
    assert 'encoding = "cp1252"   # it is no utf-8' in text


def test_a_binary_table_is_looked_at_as_its_toa5_would_be(tmp_path):
    fields = [("AirTC_Avg", "Deg C", "IEEE4B"), ("Rain_mm_Tot", "mm", "FP2"), ("Vent_Temp", "", "FP4")]
    record = struct.pack(">f", 21.5) + fp2(0.25, 2) + bytes(4)
    data = tob3_header(fields, frame_bytes=12 + 2 * 10 + 4) + frame("2023-05-01 00:10:00", 0, record, record)
    found = preview(written(tmp_path, data, "t.dat"), CATALOGUE, ImportOptions(site_timezone="Asia/Jakarta"))
    assert (found.refused, found.rows[0]) == (None, ("2023-04-30 17:10:00", "HillTop", "21.5", "0.25"))
