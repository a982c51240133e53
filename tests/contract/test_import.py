# ruff: noqa: E501 - a case is one line
from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.cells.running_totals import increments
from data.ingest.file_plan import ImportOptions
from data.ingest.importing import import_files
from data.ingest.writer import ObservationWriter
from errors import ImportRejected, UnknownSensor
from tests.databases import ON_SQLITE
from tests.store import store_at

T0 = 1_577_836_800_000  # 2020-01-01T00:00Z
MINUTE = 60_000

TOA5 = """"TOA5","10344","CR3000","10344","CR3000.Std.32.02","CPU:prog.CR3","50113","FCRmet"
"TIMESTAMP","RECORD","BattV","BP_kPa_Avg","AirTC_Avg","RH","Rain_mm_Tot","WS_ms_Avg","WindDir","SR01Up_Avg","PAR_Den_Avg"
"TS","RN","Volts","kPa","Deg C","%","mm","meters/second","degrees","W/m^2","umol/s/m^2"
"","","Smp","Avg","Avg","Smp","Tot","Avg","Smp","Avg","Avg"
"2018-04-05 12:25:00",0,13.62,97.1,10.75,35.82,0,0.978,38.16,931,1705
"2018-04-05 12:26:00",1,13.63,102.2,"NAN",36.34,0.254,1.463,126.1,"INF",1707
"""
VLINDER = """Datum;Tijd (UTC);Temperatuur;Vochtigheid;Luchtdruk;Neerslagintensiteit;Neerslagsom;Windrichting;Windsnelheid;Rukwind;Vlinder
2022-09-01;23:50:00;18.8;65;101739;0.0;1.2;65;36.0;11.3;vlinder01
2022-09-01;23:55:00;18.7;65;101731;0.0;1.5;75;5.5;12.9;vlinder01
2022-09-02;00:00:00;18.6;65;101731;0.0;0.0;75;5.5;12.9;vlinder01
2022-09-02;00:05:00;18.6;65;101731;0.0;0.4;75;5.5;12.9;vlinder01
"""
SINCE_RESET = """
time = "t"
station_name = "A"
[columns]
total = { sensor = "rainfall", unit = "mm", counts = "since_reset" }
"""


@pytest.fixture
def store(migrated_url, tmp_path):
    store = store_at(migrated_url, tmp_path)
    yield store
    store.engine.dispose()


def totals(*pairs: tuple[int, object]) -> str:
    """A file of running totals; minutes after T0."""
    return "t,total\n" + "".join(f"2020-01-01 {minute // 60:02d}:{minute % 60:02d},{total}\n" for minute, total in pairs)


def rain(store) -> list[float | None]:
    return [row[2] for row in store.rows("rainfall")]


def test_own_csv_needs_no_profile(store):
    report = store.load("timestamp_utc,station,temperature,rainfall\n2020-01-01T00:00:00Z,A,1.5,\n2020-01-01 00:01,B,,0.2\n")
    assert store.rows("temperature", "rainfall") == [("A", T0, 1.5, None), ("B", T0 + MINUTE, None, 0.2)]
    assert (report.read, report.stored, report.replaced, report.rejected) == (2, 2, 0, 0)
    station = store.inventory.station("A")
    assert (station.sensors, station.rows, station.first_ms, station.synthetic) == (("temperature",), 1, T0, False)


@ON_SQLITE
@pytest.mark.parametrize("name", ["plain.csv", "packed.csv.gz", "packed.csv.xz"])
def test_packed_files_are_told_by_their_bytes(store, name):
    assert store.load("timestamp_utc,station,temperature\n2020-01-01,A,1\n", name).stored == 1


def test_importing_a_file_again_replaces_all_and_leaves_every_generation(store):
    text = "timestamp_utc,station,temperature\n2020-01-01,A,1\n2020-02-01,A,\n2020-02-02,A,2\n2020-02-02,B,3\n"
    first = store.load(text)
    rows, generations = store.rows("temperature"), store.generations()
    again = store.load(text)
    assert (first.stored, first.rejected, first.reasons) == (3, 1, {"no value": 1})
    assert (again.read, again.stored, again.replaced, again.rejected) == (4, 0, 3, 1)
    assert store.rows("temperature") == rows
    assert store.generations() == generations


def test_only_the_month_that_changed_grows_its_generation(store):
    store.load("timestamp_utc,station,temperature\n2020-01-01,A,1\n2020-02-01,A,2\n")
    before = store.generations()
    store.load("timestamp_utc,station,temperature\n2020-01-01,A,1\n2020-02-01,A,5\n")
    january, february = sorted(before)
    assert store.generations() == {january: before[january], february: before[february] + 1}


def test_other_sensors_of_a_row_stay(store):
    store.load("timestamp_utc,station,temperature\n2020-01-01,A,1\n")
    store.load("timestamp_utc,station,humidity\n2020-01-01,A,50\n")
    assert store.rows("temperature", "humidity") == [("A", T0, 1.0, 50.0)]


@ON_SQLITE
@pytest.mark.parametrize("zone", ["UTC", "Asia/Jakarta", "America/New_York", "-05:00"])
def test_years_beyond_the_calendar_are_rejected(store, zone):
    report = store.load(
        "timestamp_utc,station,temperature\n0001-01-01,A,1\n9999-12-31 23:59:59,A,1\n1066-10-14,A,1\n", timezone=zone
    )
    assert (report.stored, report.reasons) == (1, {"year not between 1 and 9999": 2})


def test_of_equal_times_in_a_file_the_last_holds(store):
    report = store.load("timestamp_utc,station,temperature\n2020-01-01,A,1\n2020-01-02,A,2\n2020-01-01,A,3\n")
    assert [row[2] for row in store.rows("temperature")] == [3.0, 2.0]
    assert (report.read, report.stored, report.replaced) == (3, 2, 1)


def test_values_out_of_the_valid_range_are_stored(store):
    store.load("timestamp_utc,station,temperature\n2020-01-01,A,-9999\n")
    assert store.rows("temperature") == [("A", T0, -9999.0)]


@ON_SQLITE
def test_rejected_rows_are_counted_by_reason(store):
    report = store.load(
        "timestamp_utc,station,temperature,humidity\n"
        "2020-01-01,A,1,2\n"
        ",,,\n"
        ",A,1,1\n"
        "2020-01-01,,1,1\n"
        "2020-01-01,B,,\n"
        "2020-01-01,C,inf,1\n"
        "2020-01-01,B,1"
    )
    expected = {"empty row": 1, "no time": 1, "no station": 1, "no value": 1, "last line cut off": 1}
    assert report.reasons == expected
    assert (report.read, report.stored, report.rejected) == (7, 2, 5)
    assert report.values_left_out == {"infinite temperature": 1}
    assert store.rows("temperature", "humidity") == [("A", T0, 1.0, 2.0), ("C", T0, None, 1.0)]


@ON_SQLITE
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timestamp_utc,station,temperature\n2020-01-01,A,1\n\n2020-01-02,A,warm\n", "line 4, column temperature: 'warm' is not a number"),
        ("timestamp_utc,station,temperature\n2020-01-01,A,1\n01/02/2020,A,1\n", "line 3, column timestamp_utc: '01/02/2020' is not a time such as"),
        ("timestamp_utc,station,temperature\n2020-01-01,A,1\n2020-13-01,A,1\n", "line 3, column timestamp_utc: '2020-13-01'"),
        ("a,b\n1,2\n", "line 1: not a format that Riwayat recognises; expected columns timestamp_utc, station and sensors"),
        ("timestamp_utc,station,temperature\n2020-01-01,A,1,5\n2020-01-02,A,1,5\n", "line 2: 4 fields where the header has 3; the same in 2 of 2 rows"),
        ("", "is empty"),
        ("timestamp_utc,temperature\n2020-01-01,1\n", "does not name its station; give --station"),
        ("timestamp_utc,station,temperature,temperature\n2020-01-01,A,1,2\n", "two columns temperature"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_whole_with_its_place(store, text, message):
    with pytest.raises(ImportRejected) as caught:
        store.load(text)
    assert message in caught.value.message
    assert "file.csv" in caught.value.message
    assert store.rows() == []
    assert store.inventory.stations() == ()


@ON_SQLITE
def test_a_wrong_file_keeps_the_right_ones_beside_it_out(store):
    good = store.file("good.csv", "timestamp_utc,station,temperature\n2020-01-01,A,1\n")
    bad = store.file("bad.csv", "timestamp_utc,station,temperature\n2020-01-01,A,x\n")
    with pytest.raises(ImportRejected, match=r"bad\.csv, line 2"):
        import_files(store.engine, store.catalogue, [good, bad], ImportOptions())
    assert store.rows() == []


@ON_SQLITE
@pytest.mark.parametrize("name", ["cut.csv.gz", "cut.csv.xz"])
def test_a_cut_off_packed_file_is_refused(store, name):
    text = "timestamp_utc,station,temperature\n" + "".join(f"2020-01-01T00:00:{n:02d},A,{n * 7919 % 101}\n" for n in range(60))
    path = store.file(name, text)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ImportRejected, match="damaged or cut off"):
        import_files(store.engine, store.catalogue, [path], ImportOptions())


@ON_SQLITE
def test_a_file_that_is_not_there_is_refused(store):
    with pytest.raises(ImportRejected, match=r"nowhere\.csv cannot be read: No such file"):
        import_files(store.engine, store.catalogue, [store.folder / "nowhere.csv"], ImportOptions())


@ON_SQLITE
def test_a_file_of_bytes_is_refused(store):
    path = store.folder / "image.csv"
    path.write_bytes(b"\x89PNG\0\0\0")
    with pytest.raises(ImportRejected, match="is not text; expected CSV, Campbell TOA5, TOB1 to TOB3, or Parquet"):
        import_files(store.engine, store.catalogue, [path], ImportOptions())


@ON_SQLITE
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_text_of_two_bytes_a_character_says_what_to_write(store, encoding):
    with pytest.raises(ImportRejected, match='is UTF-16 text; write encoding = "utf-16" in the import profile'):
        store.load("\ufefftimestamp_utc,station,temperature\n2020-01-01,A,1\n".encode(encoding))


@ON_SQLITE
def test_two_columns_of_one_sensor_are_named(store):
    with pytest.raises(ImportRejected, match=r"line 1: the columns temperature and temperature \(°F\) are both of temperature"):
        store.load("timestamp_utc,station,temperature,temperature (°F)\n2020-01-01,A,1,34\n")


@ON_SQLITE
def test_parquet_whose_column_holds_lists_is_refused_by_its_row(store):
    table = pa.table({"timestamp_utc": ["2020-01-01"], "station": ["A"], "temperature": [[1.5]]})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    with pytest.raises(ImportRejected, match=r"row 1, column temperature: '\[1\.5\]' is not a number"):
        store.load(buffer.getvalue(), "lists.parquet")


@ON_SQLITE
def test_an_unknown_sensor_says_how_to_add_it(store):
    with pytest.raises(UnknownSensor, match=r"column soil_ph.*no sensor soil_ph.*Add a table \[soil_ph\].*RIWAYAT_SENSORS"):
        store.load("timestamp_utc,station,temperature,soil_ph\n2020-01-01,A,1,7\n")


@ON_SQLITE
def test_station_option_overrides_the_column_and_timezone_option_the_profile(store):
    store.load("timestamp_utc,station,temperature\n2020-01-01 07:00,A,1\n", station="C d/é", timezone="Asia/Jakarta")
    assert store.rows("temperature") == [("C d/é", T0, 1.0)]


@ON_SQLITE
def test_a_profile_converts_units_and_lists_what_it_leaves_out(store):
    report = store.load(
        "when|where|F|kPa|mph|note\n01.01.2020 00:00|A|212|101,3|10|x\n01.01.2020 00:01|A|M|-9999|10|y\n",
        profile="""
time = "when"
time_format = "%d.%m.%Y %H:%M"
station = "where"
delimiter = "|"
decimal = ","
missing = ["M", "-9999"]
[columns]
F = { sensor = "temperature", unit = "degF" }
kPa = { sensor = "pressure", unit = "kPa" }
mph = { sensor = "wind_speed", unit = "mph" }
""",
    )
    assert store.rows("temperature", "pressure", "wind_speed") == [
        ("A", T0, 100.0, 1013.0, 4.4704),
        ("A", T0 + MINUTE, None, None, 4.4704),
    ]
    assert report.columns_left_out == ("note",)


@ON_SQLITE
@pytest.mark.parametrize(
    ("column", "message"),
    [
        ('x = { sensor = "temperature", unit = "blorp" }', "column x: 'blorp' is not a known unit; expected something that converts to degC"),
        ('x = { sensor = "temperature", unit = "mm" }', "column x: mm cannot become degC"),
        ('y = { sensor = "temperature" }', "line 1: column y is missing; expected it beside t, x"),
        ('x = { sensor = "temperature", counts = "since_reset" }', "column x: counts = 'since_reset' is for sums such as rainfall"),
    ],
)  # fmt: skip
def test_a_profile_that_does_not_fit_says_where(store, column, message):
    with pytest.raises(ImportRejected) as caught:
        store.load("t,x\n2020-01-01,1\n", profile=f'time = "t"\nstation_name = "A"\n[columns]\n{column}\n')
    assert message in caught.value.message


def test_quality_codes_flag_values_and_a_later_code_takes_the_flag_away(store):
    profile = """
time = "t"
station_name = "A"
[columns]
v = { sensor = "temperature" }
q = { flags = "temperature", good = [0, "ok"] }
"""
    store.load("t,v,q\n2020-01-01,1,0.0\n2020-01-02,2,4\n2020-01-03,3,ok\n2020-01-04,4,\n2020-01-05,5,bad\n", profile=profile)
    day = 86_400_000
    assert store.flags() == [("A", T0 + day, "temperature"), ("A", T0 + 4 * day, "temperature")]
    before = store.generations()
    store.load("t,v,q\n2020-01-02,2,0\n", profile=profile)
    assert store.flags() == [("A", T0 + 4 * day, "temperature")]
    assert [after - before[key] for key, after in store.generations().items()] == [1]


@ON_SQLITE
def test_toa5_takes_units_from_its_units_row(store):
    report = store.load(TOA5, "met.dat", profile="fcr_2018")
    at = 1_522_945_500_000  # 12:25 at UTC-4
    rows = store.rows("temperature", "pressure", "rainfall", "wind_speed", "solar_radiation", "par_sensor")
    assert rows == [
        ("FCR", at, 10.75, 971.0, 0.0, 0.978, 931.0, 1705.0),
        ("FCR", at + MINUTE, None, 1022.0, 0.254, 1.463, None, 1707.0),
    ]
    assert report.columns_left_out == ("RECORD", "BattV")
    assert report.values_left_out == {"infinite solar_radiation": 1}


@ON_SQLITE
def test_toa5_without_a_profile_knows_the_usual_names_and_takes_the_sites_zone(store):
    report = store.load(TOA5, "met.dat", site_timezone="Asia/Jakarta")
    assert (report.profile, report.timezone, report.stored) == ("campbell_toa5", "Asia/Jakarta", 2)
    assert [row[:2] for row in store.rows()] == [("10344", 1_522_905_900_000), ("10344", 1_522_905_960_000)]
    store.load(TOA5, "met.dat", station="X", timezone="-04:00")
    assert store.inventory.station("X").first_ms == 1_522_945_500_000


@ON_SQLITE
def test_toa5_unknown_unit_names_line_3(store):
    with pytest.raises(ImportRejected, match="line 3, column BP_kPa_Avg: 'bananas' is not a known unit"):
        store.load(TOA5.replace('"kPa"', '"bananas"'), "met.dat")


@ON_SQLITE
def test_toa5_header_cut_short_is_refused(store):
    with pytest.raises(ImportRejected, match="lines 1 to 4: not a TOA5 header"):
        store.load("\n".join(TOA5.splitlines()[:3]), "met.dat")


@ON_SQLITE
def test_vlinder_is_recognised_by_its_columns(store):
    report = store.load(VLINDER)
    rows = store.rows("pressure", "wind_speed", "rainfall")
    assert [row[2:] for row in rows][:2] == [(1017.39, 10.0, 1.2), (1017.31, pytest.approx(5.5 / 3.6), 0.3)]
    assert rain(store) == [1.2, 0.3, 0.0, 0.4]
    assert report.profile == "vlinder"


@ON_SQLITE
def test_the_bundled_profiles_of_one_network_store_the_same(store):
    raw = "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour\n"
    store.load(raw + "EWR,2013,1,1,1,39.02,26.06,59.37,270,10.35702,NA,0.01,NA,10,2013-01-01T06:00:00Z\n")
    before = store.generations()
    normalised = (
        "timestamp_utc,station,air_temp_degF,dew_point_degF,rel_humidity_pct,pressure_hPa,rain_in,wind_speed_mph,"
        "wind_gust_mph,wind_dir_deg,visibility_mi\n2013-01-01T06:00:00Z,EWR,39.02,26.06,59.37,,0.01,10.35702,,270,10\n"
    )
    assert store.load(normalised).replaced == 1
    assert store.generations() == before
    assert store.rows("temperature", "pressure", "rainfall")[0][2:] == (pytest.approx(3.9), None, pytest.approx(0.254))


@ON_SQLITE
def test_parquet_with_stored_times_and_numbers(store):
    table = pa.table(
        {
            "timestamp_utc": pa.array([T0, T0 + MINUTE, None], pa.timestamp("ms", "UTC")),
            "station": pa.array(["A", "A", "A"]).dictionary_encode(),
            "temperature": pa.array([1.5, None, 3.0]),
            "wind_direction": pa.array([10, 20, 30], pa.int32()),
        }
    )
    path = store.folder / "file.parquet"
    pq.write_table(table, path)
    report = import_files(store.engine, store.catalogue, [path], ImportOptions())[0]
    assert store.rows("temperature", "wind_direction") == [("A", T0, 1.5, 10.0), ("A", T0 + MINUTE, None, 20.0)]
    assert report.reasons == {"no time": 1}


@ON_SQLITE
def test_parquet_that_is_cut_off_is_refused(store):
    path = store.folder / "file.parquet"
    pq.write_table(pa.table({"timestamp_utc": ["2020-01-01"], "station": ["A"], "temperature": ["1"]}), path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ImportRejected, match="damaged Parquet"):
        import_files(store.engine, store.catalogue, [path], ImportOptions())


RECEIVED = """{"DataArray": [
 {"_groupTag": "aws1", "_terminalTime": "2020-01-01 07:00:00", "_id": 7, "temperature": 25.5, "humidity": null, "mood": 1},
 {"_groupTag": "aws1", "_terminalTime": "2020-01-01T00:01:00Z", "temperature": "26", "rainfall": 0.2}
]}"""


@ON_SQLITE
def test_receiver_json_is_read_in_the_sites_zone_and_unknown_keys_are_listed(store):
    report = store.load(RECEIVED, "post.json", site_timezone="Asia/Jakarta")
    expected = [("aws1", T0, 25.5, None, None), ("aws1", T0 + MINUTE, 26.0, None, 0.2)]
    assert store.rows("temperature", "humidity", "rainfall") == expected
    assert (report.profile, report.columns_left_out) == ("receiver", ("_id", "mood"))


@ON_SQLITE
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"DataArray": [}', "post.json, line 1: not JSON"),
        ('{"DataArray": ' + "[" * 20_000 + "]" * 20_000 + "}", "nested too deeply"),
        ('{"data": []}', 'expected {"DataArray": [{"_groupTag"'),
        ("[1, 2]", "expected {"),
        (RECEIVED.replace("25.5", '"warm"'), "post.json, item 1, column temperature: 'warm' is not a number"),
        (RECEIVED.replace("2020-01-01 07:00:00", "today"), "item 1, column _terminalTime: 'today' is not a time"),
        (RECEIVED.replace("_groupTag", "tag"), "column _groupTag is missing"),
    ],
)
def test_wrong_json_says_where(store, text, message):
    with pytest.raises(ImportRejected) as caught:
        store.load(text, "post.json")
    assert message in caught.value.message


@ON_SQLITE
def test_a_report_is_json(store):
    from dataclasses import asdict

    report = store.load("timestamp_utc,station,temperature\n2020-01-01,A,1\n")
    assert set(json.loads(json.dumps(asdict(report)))) >= {"file", "read", "stored", "replaced", "rejected", "reasons"}


# Running totals


def test_a_running_total_becomes_increments_and_a_fall_is_a_reset(store):
    store.load(totals((0, 10.0), (1, 10.2), (2, ""), (3, 10.8), (4, 0.4), (5, 0.4)), profile=SINCE_RESET)
    # minute 2 has no value at all; nothing is known before the first
    assert rain(store) == [None, 0.2, 0.6, 0.4, 0.0]


FILES = (totals((0, 1.0), (1, 1.5)), totals((2, 2.5), (3, 0.5)), totals((4, 4.5), (5, 4.5)))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1, 0, 1, 2)])
def test_a_running_total_goes_on_over_file_borders_in_any_order(store, order):
    for number in order:
        store.load(FILES[number], profile=SINCE_RESET)
    assert rain(store) == [None, 0.5, 1.0, 0.5, 4.0, 0.0]


def test_a_late_file_corrects_the_row_after_it_and_bumps_its_generation(store):
    store.load(FILES[0], profile=SINCE_RESET)
    store.load(FILES[2], profile=SINCE_RESET)
    before = store.generations()
    assert rain(store) == [None, 0.5, 3.0, 0.0]
    store.load(FILES[1], profile=SINCE_RESET)
    assert rain(store) == [None, 0.5, 1.0, 0.5, 4.0, 0.0]
    after = store.generations()
    assert all(after[key] > before[key] for key in before)
    store.load(FILES[1], profile=SINCE_RESET)
    assert store.generations() == after


def test_a_total_that_a_new_version_of_a_file_lacks_is_forgotten(store):
    profile = SINCE_RESET + 'temp = { sensor = "temperature" }\n'
    store.load("t,total,temp\n2020-01-01 00:00,1,5\n2020-01-01 00:01,9,5\n2020-01-01 00:02,2,5\n", profile=profile)
    assert rain(store) == [None, 8.0, 2.0]
    store.load("t,total,temp\n2020-01-01 00:01,,5\n", profile=profile)
    assert rain(store) == [None, None, 1.0]


@pytest.mark.parametrize("seed", range(2))
def test_increments_depend_on_the_totals_alone_not_on_files_or_order(store, seed):
    random = np.random.default_rng(seed)
    total = np.round(np.cumsum(random.integers(0, 4, 60)) * 0.2, 1)
    total[40:] -= total[39]  # a reset
    lines = list(enumerate(total.tolist()))
    pieces = [sorted(random.choice(60, random.integers(1, 25), replace=False).tolist()) for _ in range(6)]
    for piece in pieces:
        store.load(totals(*(lines[number] for number in random.permutation(piece))), profile=SINCE_RESET)
    imported = sorted(set().union(*pieces))
    assert [None if value is None else round(value, 6) for value in rain(store)] == [
        None if not at else pytest.approx(increments(np.array([0, 1]), total[[imported[at - 1], imported[at]]])[1])
        for at in range(len(imported))
    ]


@ON_SQLITE
def test_a_rate_is_summed_over_the_usual_step(store):
    profile = 'time = "t"\nstation_name = "A"\n[columns]\nr = { sensor = "rainfall", unit = "mm/h", counts = "rate" }\n'
    store.load("t,r\n2020-01-01 00:00,6\n2020-01-01 00:10,12\n2020-01-01 00:20,0\n2020-01-01 01:00,6\n", profile=profile)
    assert rain(store) == [1.0, 2.0, 0.0, 1.0]
    store.load(
        "t,r\n2020-01-02 00:00,0.1\n",
        profile=profile.replace("counts", 'step_s = 3600, unit = "inch/h", counts').replace('unit = "mm/h", ', "", 1),
    )
    assert rain(store)[-1] == pytest.approx(2.54)


@ON_SQLITE
def test_local_times_of_the_doubled_and_the_missing_hour(store):
    profile = 'time = ["d", "h"]\ntime_format = "%Y-%m-%d %H"\ntimezone = "America/New_York"\nstation = "s"\n[columns]\nv = "temperature"\n'
    autumn = "".join(f"2013-11-03,{hour},{station},1\n" for hour in (0, 1, 1, 2) for station in ("A", "B"))
    report = store.load("d,h,s,v\n" + autumn + "2013-03-10,1,A,1\n2013-03-10,2,A,1\n2013-03-10,3,A,1\n", profile=profile)
    hour, start = 3_600_000, 1_383_451_200_000  # 2013-11-03T04:00Z, midnight of New York
    assert [row[1] for row in store.rows() if row[0] == "B"] == [start + number * hour for number in range(4)]
    assert report.reasons == {"time does not exist in America/New_York (clocks went forward)": 1}


def test_rows_written_over_others_are_what_was_written_last_column_by_column(store):
    random, model = np.random.default_rng(5), {}
    names = ("temperature", "humidity", "rainfall")
    for rounds, sensors in enumerate((names, names[:1], names[1:], names), 1):
        times = np.sort(random.choice(60, 40, replace=False)).astype(np.int64) * 3_600_000 + 1_550_000_000_000
        values = np.where(random.random((40, len(sensors))) < 0.3, np.nan, random.normal(0, 10, (40, len(sensors))))
        before = len(model)
        for time, row in zip(times.tolist(), values.tolist(), strict=True):
            model.setdefault(time, dict.fromkeys(names)).update(
                {name: None if np.isnan(value) else value for name, value in zip(sensors, row, strict=True)}
            )
        writer = ObservationWriter(store.engine, store.catalogue, sensors)
        for again in (False, True):
            with writer.engine.begin() as connection:
                writer.inventory.lock(connection, "a'b%s")
                written = writer.write(connection, "a'b%s", times, values)
            new = 0 if again else len(model) - before
            assert sum(store.generations().values()) == rounds  # nothing changed the second time
            assert (written.stored, written.replaced) == (new, 40 - new)
    assert store.rows(*names) == [("a'b%s", time, *(model[time][name] for name in names)) for time in sorted(model)]
