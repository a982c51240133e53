# ruff: noqa: E501 - a case is one line
"""How files are laid out: every row is stored rightly,
or the file is refused and says what to write in the profile.
"""

from __future__ import annotations

import numpy as np
import pytest

from errors import ConfigurationError, ImportRejected
from tests.store import open_store

T0 = 1_577_836_800_000  # 2020-01-01T00:00Z
MINUTE, HOUR = 60_000, 3_600_000
HEAD = 'time = "t"\nstation_name = "A"\n'
TEMP = '[columns]\nv = "temperature"\n'


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    yield store
    store.engine.dispose()


def refused(store, text, profile, kind=ImportRejected, **wishes):
    with pytest.raises(kind) as caught:
        store.load(text, profile=profile, **wishes)
    assert store.rows() == []
    assert store.inventory.stations() == ()
    return caught.value.message


def temperatures(store):
    return [(row[1] - T0) // MINUTE for row in store.rows()], [row[2] for row in store.rows("temperature")]


# Rows of another length than the header

SHORT = "t,v,note\n2020-01-01 00:00,1,a\n2020-01-01 00:01,2\n2020-01-01 00:02,3\n2020-01-01 00:03,4,b\n"
LONG = "t,v\n2020-01-01 00:00,1\n2020-01-01 00:01,2,x\n2020-01-01 00:02,3\n"


def test_short_rows_are_refused_with_line_number_and_key_unless_the_profile_allows_them(store):
    message = refused(store, SHORT, HEAD + TEMP)
    assert "line 3: 2 fields where the header has 3; the same in 2 of 4 rows" in message
    assert 'short_rows = "missing"' in message
    report = store.load(SHORT, profile='short_rows = "ignore"\n' + HEAD + TEMP)
    assert (report.stored, report.reasons) == (2, {"wrong number of fields": 2})
    assert store.load(SHORT, profile='short_rows = "missing"\n' + HEAD + TEMP).rejected == 0
    assert temperatures(store) == ([0, 1, 2, 3], [1, 2, 3, 4])


def test_long_rows_are_refused_unless_what_is_beyond_the_header_may_be_ignored(store):
    message = refused(store, LONG, HEAD + TEMP)
    assert "line 3: 3 fields where the header has 2" in message
    assert 'extra_fields = "ignore"' in message
    assert 'extra_fields = "ignore"' in refused(store, LONG, 'short_rows = "ignore"\n' + HEAD + TEMP)
    assert store.load(LONG, profile='extra_fields = "ignore"\n' + HEAD + TEMP).stored == 3
    assert temperatures(store) == ([0, 1, 2], [1, 2, 3])
    assert "short_rows" in refused_beside(store, LONG + "2020-01-01 00:03\n", 'extra_fields = "ignore"\n' + HEAD + TEMP)


def refused_beside(store, text, profile):
    with pytest.raises(ImportRejected) as caught:
        store.load(text, profile=profile)
    return caught.value.message


def test_a_last_line_that_is_cut_off_is_left_out_and_counted_a_short_one_with_an_end_is_refused(store):
    text = "t,v,w\n2020-01-01 00:00,1,1\n2020-01-01 00:01,2"
    assert "line 3: 2 fields" in refused(store, text + "\n", HEAD + TEMP)
    report = store.load(text, profile=HEAD + TEMP)
    assert (report.read, report.stored, report.reasons) == (2, 1, {"last line cut off": 1})


def test_the_first_short_row_is_named_far_down_too(store, monkeypatch):
    monkeypatch.setattr("data.ingest.text.text_rows._BLOCK_BYTES", 1 << 14)
    rows = "".join(f"2020-01-01 00:{minute:02d},{minute}\n" for minute in range(60)) * 100
    message = refused(store, "t,v\n" + rows + "2020-01-02\n" + rows + "2020-01-03\n" + rows, HEAD + TEMP)
    assert "line 6002: 1 fields where the header has 2; the same in 2 of 18002 rows" in message


def test_a_file_none_of_whose_rows_can_be_stored_is_refused(store):
    for text, reason in {
        "t,v\n,1\n,2\n": "no time: 2",
        "t,v\n2020-01-01,\n": "no value: 1",
        "t,v\n0000-01-01 00:00,1\n": "year not between 1 and 9999: 1",
    }.items():
        assert reason in refused(store, text, HEAD + TEMP)
    assert store.load("t,v\n", profile=HEAD + TEMP).read == 0  # a file that has not begun yet


def test_a_delimiter_at_the_end_of_rows_or_of_the_header_is_no_column(store):
    store.load("t,v\n2020-01-01 00:00,1,\n2020-01-01 00:01,2,\n", profile=HEAD + TEMP)
    store.load("t,v,\n2020-01-01 00:02,3\n2020-01-01 00:03,4\n", profile=HEAD + TEMP)
    assert temperatures(store) == ([0, 1, 2, 3], [1, 2, 3, 4])
    assert "line 3: 3 fields" in refused_beside(store, "t,v\n2020-01-01,1\n2020-01-02,2,9\n", HEAD + TEMP)


# Headers


def toa5(*columns: str, station: str = "Hill", units: str = "Deg C", rows: str = "") -> str:
    header = [f'"TOA5","{station}","CR1000","1","os","prog","2","Ten"', ",".join(f'"{name}"' for name in ("TIMESTAMP", *columns))]
    written = {"AirTC_Avg": units, "RH": "%"}
    header += [",".join(["TS", *(f'"{written.get(name, "")}"' for name in columns)]), ",".join(['""'] * (len(columns) + 1))]
    return "\n".join(header) + "\n" + rows


def minute(number: int, *values: object) -> str:
    return f'"2020-01-01 00:{number:02d}:00",' + ",".join(map(str, values)) + "\n"


@pytest.mark.parametrize(
    "second",
    [
        # the same number of columns, in another order
        toa5("RH", "AirTC_Avg", rows=minute(2, 82, 10.3)),
        toa5("Batt", "AirTC_Avg", "RH", rows=minute(2, 12.9, 10.3, 82)),
        toa5(
            "RH", "AirTC_Avg", "a", "b", "c", "d", "e", rows=minute(2, 82, 10.3, 1, 2, 3, 4, 5)
        ),  # as long as the first line of a header
        toa5("AirTC_Avg", "RH", units="Deg F", rows=minute(2, 50.54, 82)),  # 10.3 degC
    ],
)
def test_a_header_in_mid_file_begins_a_new_layout_with_its_own_units(store, second):
    first = toa5("AirTC_Avg", "RH", rows=minute(0, 10.1, 80) + minute(1, 10.2, 81))
    report = store.load(first + second, "met.dat")
    assert [row[2:] for row in store.rows("temperature", "humidity")] == [(10.1, 80), (10.2, 81), (pytest.approx(10.3), 82)]
    assert (report.read, report.rejected) == (3, 0)


def test_what_a_later_header_lacks_or_adds_is_not_stored_as_something_else(store):
    text = (
        toa5("AirTC_Avg", rows=minute(0, 1))
        + toa5("RH", rows=minute(1, 50))
        + toa5("AirTC_Avg", "RH", station="Dale", rows=minute(2, 3, 70))
    )
    store.load(text, "met.dat")
    assert store.rows("temperature", "humidity") == [
        ("Dale", T0 + 2 * MINUTE, 3.0, 70.0), ("Hill", T0, 1.0, None), ("Hill", T0 + MINUTE, None, 50.0),
    ]  # fmt: skip


def test_a_later_header_that_the_profile_does_not_fit_is_refused_by_its_line(store):
    text = "t,v\n2020-01-01,1\n2020-01-02,2\nt,w\n2020-01-03,3\n"
    message = refused(store, text, HEAD + TEMP)
    assert "line 4: another header begins here" in message
    assert "column v is missing" in message
    assert "line 6, column v: 'x' is not a number" in refused(
        store, "t,v\n2020-01-01,1\n2020-01-02,2\nv,t\n3,2020-01-03\nx,2020-01-04\n", HEAD + TEMP
    )


def test_files_put_one_behind_the_other_are_read_as_one(store):
    text = "t,v\n2020-01-01 00:00,1\n\nt,v\n2020-01-01 00:01,2\nv,t\n3,2020-01-01 00:02\n"
    assert store.load(text, profile=HEAD + TEMP).reasons == {"empty row": 1}
    assert temperatures(store) == ([0, 1, 2], [1, 2, 3])


def test_a_last_line_without_an_end_behind_another_header(store):
    store.load("t,v\n2020-01-01 00:00,1\nt,v\n2020-01-01 00:01,2", profile=HEAD + TEMP)
    assert temperatures(store) == ([0, 1], [1, 2])
    assert store.load("t,v,w\n2020-01-01,1,1\nt,w,v\n2020-01-02,1,2\n2020-01-03", profile=HEAD + TEMP).reasons == {
        "last line cut off": 1
    }


def test_a_note_that_is_called_like_a_column_is_no_header(store):
    store.load("t,v,note\n2020-01-01 00:00,1,t\n2020-01-01 00:01,2,t and v\n", profile=HEAD + TEMP)
    assert temperatures(store) == ([0, 1], [1, 2])


def test_a_header_at_any_place_of_a_block_is_found(store, monkeypatch):
    monkeypatch.setattr("data.ingest.text.text_stream._BLOCK_BYTES", 64)
    text = "".join(f"time_of_day,v\n2020-01-01 00:{minute:02d},{minute}\n" for minute in range(40))
    report = store.load(text, profile=HEAD.replace('"t"', '"time_of_day"') + TEMP)
    assert (report.read, report.stored) == (40, 40)
    assert temperatures(store) == (list(range(40)), list(range(40)))


def test_a_header_below_other_lines_is_found_by_the_columns_of_the_time(store):
    text = "Station;Number\nNorth;17\n\nDate;Hour;Temp\n2020-01-01;00:00;1,5\n"
    profile = 'time = ["Date", "Hour"]\nstation_name = "A"\ndelimiter = ";"\ndecimal = ","\n[columns]\nTemp = "temperature"\n'
    store.load(text, profile=profile)
    store.load("sep=;\n" + text[text.index("Date") :].replace("00:00", "00:01"), profile=profile)
    assert temperatures(store) == ([0, 1], [1.5, 1.5])
    assert "column Date, Hour" in refused_beside(store, "a;b\n1;2\n", profile)


def test_a_file_without_a_header_has_the_profiles_names(store):
    profile = 'header = false\nnames = ["t", "", "v"]\n' + HEAD + TEMP
    store.load("2020-01-01 00:00,9,1\n2020-01-01 00:01,9,2\n", profile=profile)
    assert temperatures(store) == ([0, 1], [1, 2])
    assert "line 1: 2 fields where the header has 3" in refused_beside(store, "2020-01-01,1\n", profile)


def test_units_stand_beneath_the_header(store):
    report = store.load("t,v,h\n,degF,\n2020-01-01,50,40\n", profile="units_row = true\n" + HEAD + TEMP + 'h = "humidity"\n')
    assert (store.rows("temperature", "humidity")[0][2:], report.notes) == ((10.0, 40.0), ())
    profile = "units_row = true\n" + HEAD + '[columns]\nv = { sensor = "temperature", unit = "degC" }\n'
    assert store.load("t,v\n,degF\n2020-01-01,50\n", profile=profile).notes == (
        "column v: the file says degF, the profile degC; taken as degC",
    )
    assert "line 2, column v: 'hPa' cannot" in refused_beside(
        store, "t,v\n,hPa\n2020-01-01,1\n", "units_row = true\n" + HEAD + TEMP
    ).replace("hPa cannot", "'hPa' cannot")


@pytest.mark.parametrize("keys", ["", '[columns]\nv = { sensor = "temperature", unit = "degC" }\n'])
def test_a_row_in_the_place_of_the_units_is_not_lost(store, keys):
    message = refused(store, "t,v\n2020-01-01,1\n2020-01-02,2\n", "units_row = true\n" + HEAD + (keys or TEMP))
    assert "line 2: expected the units of the columns; there is a row of 2020-01-01" in message
    assert "leave units_row out" in message


@pytest.mark.parametrize("lines", [[], ['"TS","RN","Deg C"']])
def test_a_toa5_header_without_units_or_processing_does_not_take_rows_for_them(store, lines):
    header = ['"TOA5","A","CR1000","1","std","p","1","t"', '"TIMESTAMP","RECORD","AirTC_Avg"']
    rows = [f'"2020-01-01 00:0{minute}:00",{minute},1.5' for minute in range(3)]
    profile = HEAD.replace('"t"', '"TIMESTAMP"') + '[columns]\nAirTC_Avg = { sensor = "temperature", unit = "degC" }\n'
    assert "not a TOA5 header; expected environment, names, units and processing" in refused(
        store, "\n".join([*header, *lines, *rows, ""]), profile
    )


def test_a_header_over_two_lines_or_with_line_breaks_in_its_cells(store):
    davis = "\t\tTemp\tWind\nDate\tTime\tOut\tDir\n01/01/20\t12:00a\t50\tNNW\n01/01/20\t1:00p\t68\t---\n"
    profile = """
time = ["Date", "Time"]
time_format = "%d/%m/%y %I:%M%p"
station_name = "A"
delimiter = "\\t"
header_rows = 2
missing = ["---"]
[columns]
"Temp Out" = { sensor = "temperature", unit = "degF" }
"Wind Dir" = { sensor = "wind_direction", words = { NNW = 337.5 } }
"""
    store.load(davis, profile=profile)
    assert [(row[1] - T0, *row[2:]) for row in store.rows("temperature", "wind_direction")] == [
        (0, 10, 337.5),
        (13 * HOUR, 20, None),
    ]
    broken = 't,"Temp\r\n(°C)","RH\n(%)"\n2020-02-01,1.5,80\nx,1,1\n'
    for name in ("Temp\\n(°C)", "Temp (°C)", "Temp*"):
        assert "line 5, column t: 'x' is not a time" in refused_beside(
            store, broken, HEAD + f'[columns]\n"{name}" = "temperature"\n'
        )


def test_a_star_stands_for_what_differs_in_the_name_of_a_column(store):
    text = 'Nr,"Date Time, GMT+07:00","Temp, °C (SEN S/N: 123)","RH, % (SEN S/N: 123)"\n1,2020-01-01 07:00,1.5,80\n'
    profile = 'time = "Date Time, GMT*"\ntimezone = "+07:00"\nstation_name = "A"\n[columns]\n"Temp, °C*" = "temperature"\n"RH*" = "humidity"\n'
    store.load(text, profile=profile)
    assert store.rows("temperature", "humidity") == [("A", T0, 1.5, 80.0)]
    assert "matches 2 columns" in refused_beside(store, text, profile.replace("RH*", "*S/N*"))


# Lines


def test_blanks_part_the_cells(store):
    text = "# made by hand\nt   v\n2020-01-01   1\n 2020-01-02\t 2.5 \n"
    profile = 'delimiter = "blank"\ncomment = "#"\n' + HEAD + TEMP
    assert store.load(text, profile=profile).stored == 2
    assert [row[2] for row in store.rows("temperature")] == [1, 2.5]
    assert "line 3: 3 fields" in refused_beside(store, "t v\n2020-01-01 1\n2020-01-02 1 2\n", profile)


def test_cells_of_fixed_width(store):
    text = "2020010100 -1550x\n2020010101  20 7x\n2020010102\n"
    profile = (
        'widths = [10, 4, 2, 1]\nheader = false\nnames = ["t", "v", "h", ""]\ntime_format = "%Y%m%d%H"\n'
        + HEAD
        + '[columns]\nv = { sensor = "temperature", scale = 0.1 }\nh = "humidity"\n'
    )
    assert "line 3: 1 fields where the header has 4" in refused(store, text, profile)
    store.load(text, profile='short_rows = "missing"\n' + profile)
    assert [(row[1] - T0, *row[2:]) for row in store.rows("temperature", "humidity")] == [(0, -1.5, 50), (HOUR, 2.0, 7)]
    assert "line 1: 5 fields" in refused_beside(store, "2020010100 -1550xyz\n", profile)


def test_a_quote_that_does_not_close_does_not_swallow_rows(store):
    for keys in ("", 'comment = "#"\n'):
        text = 't,v,note\n2020-01-01,1,"a\n2020-01-02,2,b"\n2020-01-03,3,c\n'
        assert "line 2: a quote is not closed" in refused(store, text, keys + HEAD + TEMP)
    assert "line 3: there is a carriage return" in refused(store, "t,v,note\n2020-01-01,1,a\n2020-01-02,2,b\rc\n", HEAD + TEMP)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "cp1252", "utf-8-sig"])
def test_files_in_any_encoding_with_a_header_in_mid_file(store, encoding):
    path = store.folder / "file.csv"
    path.write_bytes("t,v °C\n2020-01-01 00:00,1\nt,v °C\n2020-01-01 00:01,2\n".encode(encoding))
    from data.ingest.file_plan import ImportOptions
    from data.ingest.importing import import_files

    profile = store.file("profile.toml", f'encoding = "{encoding}"\n' + HEAD + '[columns]\n"v °C" = "temperature"\n')
    import_files(store.engine, store.catalogue, [path], ImportOptions(profile=str(profile)))
    assert temperatures(store) == ([0, 1], [1, 2])


# Several sensors or stations in a row


TALL = """
time = "at"
station_name = "home"
layout = "tall"
missing = ["unavailable"]
[tall]
tag = "what"
value = "state"
[columns]
temp = { sensor = "temperature", unit = "degF" }
hum = "humidity"
"""


def test_a_tall_file_has_a_value_and_its_tag_in_each_row(store):
    text = "what,state,at\ntemp,50,2020-01-01 00:00\nhum,55,2020-01-01 00:00\nlamp,on,2020-01-01 00:00\ntemp,unavailable,2020-01-01 00:01\nhum,56,2020-01-01 00:01\n"
    report = store.load(text, profile=TALL)
    assert store.rows("temperature", "humidity") == [("home", T0, 10.0, 55.0), ("home", T0 + MINUTE, None, 56.0)]
    assert (report.read, report.reasons) == (5, {"no value": 1, "tag that the profile does not name": 1})
    assert store.load(text, profile=TALL + 'tepm = "pressure"\n').notes == ("no row has the tag tepm",)
    assert "line 3, column state: 'wet' is not a number" in refused_beside(store, text.replace("55", "wet"), TALL)


def test_tags_over_several_columns_their_quality_codes_and_running_totals(store):
    text = "id,kind,v,q,at\n1,rain,5,0,2020-01-01 00:00\n1,rain,5.2,9,2020-01-01 00:01\n1,rain,0.4,0,2020-01-01 00:02\n2,rain,7,0,2020-01-01 00:00\n"
    profile = """
time = "at"
station_name = "A"
layout = "tall"
tall = { tag = ["id", "kind"], value = "v", flags = "q" }
[columns]
"1 rain" = { sensor = "rainfall", counts = "since_reset" }
"""
    store.load(text, profile=profile)
    assert [row[2] for row in store.rows("rainfall")] == [None, 0.2, 0.4]
    assert store.flags() == [("A", T0 + MINUTE, "rainfall")]


def test_a_doubled_hour_of_a_tall_file_is_told_apart_for_each_tag(store):
    # clocks go back at 02:00 in New York on 2013-11-03
    hours = ["00:30", "01:30", "01:30", "02:30"]
    text = "what,state,at\n" + "".join(
        f"{tag},{50 + at},2013-11-03 {hour}\n" for tag in ("temp", "hum") for at, hour in enumerate(hours)
    )
    store.load(text, profile=TALL.replace('"home"', '"A"\ntimezone = "America/New_York"').replace(', unit = "degF"', ""))
    assert np.diff([row[1] for row in store.rows()]).tolist() == [HOUR] * 3
    assert [row[2:] for row in store.rows("temperature", "humidity")] == [(50 + at, 50 + at) for at in range(4)]


@pytest.mark.parametrize(
    ("tag", "value"),
    [("entity_id", "state"), ("_field", "_value"), ("Parameter Name", "value"), ("tagID", "Sensor Value"), ("name", "Messwert")],
)
def test_values_of_several_sensors_are_not_stored_as_those_of_one(store, tag, value):
    text = f"{tag},{value},t\ntemp,21,2020-01-01 00:00\nhum,55,2020-01-01 00:01\n"
    profile = HEAD + f'[columns]\n"{value}" = "temperature"\n'
    assert 'layout = "tall"' in refused(store, text, profile)
    # one sensor alone
    assert store.load(text.replace("hum,", "temp,"), profile=profile).stored == 2


def test_a_column_for_each_station(store):
    text = "t,North,South,note\n2020-01-01 00:00,1,2,a\n2020-01-01 00:01,3,,b\n"
    profile = 'time = "t"\nlayout = "station_columns"\n[columns]\nNorth = "temperature"\nSouth = { sensor = "temperature", station = "S 1", unit = "degF" }\n'
    report = store.load(text, profile=profile)
    assert store.rows("temperature") == [("North", T0, 1.0), ("North", T0 + MINUTE, 3.0), ("S 1", T0, pytest.approx(-50 / 3))]
    assert (report.read, report.reasons, report.columns_left_out) == (4, {"no value": 1}, ("note",))
    every = 'time = "t"\nlayout = "station_columns"\n[columns]\n"*" = { sensor = "rainfall", unit = "inch" }\n'
    store.load("t,East,West\n2020-01-01,1,2\n", profile=every)
    assert [row for row in store.rows("rainfall") if row[2]] == [("East", T0, 25.4), ("West", T0, 50.8)]
    assert "--station" in refused_beside_station(store, text, profile)


def refused_beside_station(store, text, profile):
    with pytest.raises(ImportRejected) as caught:
        store.load(text, profile=profile, station="X")
    return caught.value.message


def test_several_tables_in_one_file_each_below_comments(store):
    table = "#group,false,true,true\n#datatype,long,dateTime:RFC3339,double\n#default,_result,,\n"
    text = (
        table + ",table,_time,_value,_field,station\n,0,2020-01-01T00:00:00.123456789Z,21.5,temp,north\n\n"
        + table + ",table,_time,_field,_value,station\n,1,2020-01-01T00:00:00Z,hum,55,north\n"
    )  # fmt: skip
    profile = 'time = "_time"\nstation = "station"\ncomment = "#"\nlayout = "tall"\ntall = { tag = "_field", value = "_value" }\n[columns]\ntemp = "temperature"\nhum = "humidity"\n'
    store.load(text, profile=profile)
    assert store.rows("temperature", "humidity") == [("north", T0, None, 55.0), ("north", T0 + 123, 21.5, None)]


# Cells


def test_value_and_code_in_one_cell(store):
    text = "t,TMP,WND\n2020-01-01 00:00,+0050;5,310;N;0046\n2020-01-01 00:01,-0012;9,999;C;0000\n2020-01-01 00:02,+9999;1,\n"
    profile = (
        HEAD
        + """
missing = ["9999", "999"]
[split]
TMP = { at = ";", names = ["tt", "q"] }
WND = { at = ";", names = ["dd", "", "ff"] }
[columns]
tt = { sensor = "temperature", scale = 0.1 }
q = { flags = "temperature", good = [1, 5] }
dd = "wind_direction"
ff = { sensor = "wind_speed", scale = 0.1 }
"""
    )
    report = store.load(text, profile=profile)
    assert [row[2:] for row in store.rows("temperature", "wind_direction", "wind_speed")] == [(5.0, 310, 4.6), (-1.2, None, 0.0)]
    assert (store.flags(), report.reasons) == ([("A", T0 + MINUTE, "temperature")], {"no value": 1})
    assert "line 2, column TMP: '5' is not 2 parts" in refused_beside(store, "t,TMP,WND\n2020-01-01,5,\n", profile)


def test_a_pattern_takes_a_cell_apart_and_refuses_what_does_not_match(store):
    profile = (
        HEAD
        + """
[split]
v = { pattern = "^(?P<number>[-0-9.]+)(?P<mark>[*E]?)$" }
[columns]
number = "temperature"
mark = { flags = "temperature", good = [] }
"""
    )
    store.load("t,v\n2020-01-01 00:00,1.5\n2020-01-01 00:01,2.5*\n2020-01-01 00:02,\n", profile=profile)
    assert [row[2] for row in store.rows("temperature")] == [1.5, 2.5]
    assert store.flags() == [("A", T0 + MINUTE, "temperature")]
    assert "line 2, column v: '1,5' is not as the pattern" in refused_beside(store, 't,v\n2020-01-01,"1,5"\n', profile)


def test_a_time_in_the_wrong_unit_is_refused(store):
    text = f"t,v\n{T0},1\n{T0 + MINUTE},2\n"
    assert "January or February 1970" in refused(store, text, HEAD + 'time_unit = "us"\n' + TEMP)
    assert "year not between 1 and 9999: 2" in refused(store, text, HEAD + 'time_unit = "s"\n' + TEMP)
    assert store.load(text, profile=HEAD + 'time_unit = "ms"\n' + TEMP).stored == 2


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('time_unit = "s"\ntime = ["t", "u"]\n', "time_unit is of one column"),
        ('time = "t"\ntime_parts = { yyyymmdd = "t" }\n', "either time or time_parts"),
        ('layout = "tall"\n', "[tall] with tag and value"),
        ('tall = { tag = "a", value = "v" }\n', 'goes together with layout = "tall"'),
        ('layout = "station_columns"\nstation_name = "A"\n', "leave out station"),
        (
            'layout = "tall"\nstation_name = "A"\ntall = { tag = "a", value = "v" }\n[columns]\nr = { sensor = "rainfall", counts = "rate" }\n',
            "needs step_s",
        ),
        ("header = false\n", "names"),
        ('names = ["t"]\n', "header = false"),
        ('widths = [1]\ndelimiter = ";"\n', "either delimiter or widths"),
        ('delimiter = "tab"\n', "blank"),
        ('short_rows = "drop"\n', "short_rows"),
        ('split = { v = { at = ",", pattern = "(?P<a>.)", names = ["a"] } }\n', "expected at"),
        ('split = { v = { pattern = "(.)" } }\n', "named group"),
        ('split = { v = { pattern = "(?P<a>" } }\n', "not a regular expression"),
        ('hour24 = "yes please"\n', "hour24"),
    ],
)
def test_keys_that_do_not_fit_together_are_refused_when_the_profile_is_read(store, keys, message):
    assert message in refused(store, "t,v\n2020-01-01,1\n", keys if "[columns]" in keys else keys + TEMP, ConfigurationError)


def test_a_days_total_over_file_borders_is_corrected_when_the_late_reset_shows(store):
    profile = 'time = "t"\nstation_name = "A"\ntimezone = "Europe/Berlin"\n[columns]\nd = { sensor = "rainfall", counts = "day_total" }\n'
    files = [
        "t,d\n2020-01-01 23:30,5.2\n2020-01-02 00:00,5.2\n",
        "t,d\n2020-01-02 00:10,5.4\n",
        "t,d\n2020-01-02 01:30,0.0\n2020-01-02 02:00,0.6\n",
        "t,d\n2020-01-02 23:00,0.8\n2020-01-03 00:30,0.8\n2020-01-03 01:30,0.2\n",
    ]
    expected = [5.2, 0, 0.2, 0, 0.6, 0.2, 0, 0.2]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1, 0, 2]):
        for number in order:
            store.load(files[number], profile=profile.replace('"A"', f'"{order}"'))
        assert [row[2] for row in store.rows("rainfall") if row[0] == str(order)] == pytest.approx(expected)


def test_rows_that_hide_others_of_the_file_are_told(store):
    assert store.load("t,v\n2020-01-01,1\n2020-01-02,2\n", profile=HEAD + TEMP).notes == ()
    notes = store.load("t,v\n2020-01-01,1\n2020-01-01,2\n2020-01-02,2\n", profile=HEAD + TEMP).notes
    assert notes == ("rows with the station and time of another row of the file: 1; the last one holds",)


# Hours that clocks showed twice


def test_rows_without_a_value_tell_the_first_of_a_doubled_hour_from_the_second(store):
    text = "t,v\n2024-10-27 02:00,\n2024-10-27 02:30,\n2024-10-27 02:00,4\n2024-10-27 03:00,6\n"
    report = store.load(text, profile='timezone = "Europe/Berlin"\n' + HEAD + TEMP)
    hour = 1_729_990_800_000  # 2024-10-27T01:00Z, when clocks went back
    assert [row[1] - hour for row in store.rows()] == [0, HOUR]
    assert report.notes == ()


def test_a_file_that_begins_in_a_doubled_hour_says_so(store):
    report = store.load("t,v\n2024-10-27 02:30,4\n", profile='timezone = "Europe/Berlin"\n' + HEAD + TEMP)
    assert report.notes == ("rows of an hour that clocks in Europe/Berlin showed twice, and no row before tells which it is: 1",)


# What is lost without a rejected row is told

SAME = "rows with the station and time of another row of the file: {}; the last one holds"


def test_rows_that_hide_others_far_before_them_in_the_file_are_told(store):
    minutes = [str(np.datetime64("2020-01-01T00:00") + minute) for minute in range(25_000)]
    # two stations, one behind the other
    lines = [f"{minute},{value}\n" for value in (1, 2) for minute in minutes]
    report = store.load("t,v\n" + "".join(lines), profile=HEAD + TEMP)
    assert (report.stored, report.replaced, report.notes) == (25_000, 25_000, (SAME.format(25_000),))
    # an import again is none
    assert store.load("t,v\n" + "".join(lines[:9]), profile=HEAD + TEMP).notes == ()


def test_two_tags_of_one_sensor_that_meet_are_told(store):
    tall = (
        HEAD
        + 'layout = "tall"\ntall = { tag = "k", value = "v" }\n[columns]\na = "temperature"\nb = "temperature"\nc = "humidity"\n'
    )
    report = store.load("t,k,v\n2020-01-01,a,1\n2020-01-01,b,2\n2020-01-01,c,3\n2020-01-02,a,4\n2020-01-03,b,5\n", profile=tall)
    assert (report.stored, report.notes) == (3, (SAME.format(1),))


@pytest.mark.parametrize(
    "columns",
    [
        'N = { sensor = "rainfall", station = "S" }\n"*" = "rainfall"',
        'N = { sensor = "rainfall", station = "X" }\nS = { sensor = "rainfall", station = "X" }',
    ],
)
def test_two_columns_of_one_sensor_of_a_station_are_refused(store, columns):
    message = refused(store, "t,N,S\n2020-01-01,1,2\n", f'time = "t"\nlayout = "station_columns"\n[columns]\n{columns}\n')
    assert "columns N and S are both rainfall of station" in message


def test_a_last_line_without_an_end_is_told_and_a_short_one_is_not_filled_up(store):
    report = store.load("t,v,w\n2020-01-01 00:00,1,x\n2020-01-01 00:01,2", profile='short_rows = "missing"\n' + HEAD + TEMP)
    assert (report.stored, report.reasons, report.notes) == (1, {"last line cut off": 1}, ())
    report = store.load("t,v\n2020-01-01 00:02,3\n2020-01-01 00:03,4", profile=HEAD + TEMP)
    assert temperatures(store) == ([0, 2, 3], [1, 3, 4])
    assert report.notes == ("the last line has no end, so its last value may be cut off; it is stored as it stands",)


def test_a_station_with_characters_of_code_0_is_refused_with_its_line(store):
    rows = "".join(f"2020-01-01 {at // 60 % 24:02d}:{at % 60:02d},X,1\n" for at in range(1000))
    message = refused(store, f"t,s,v\n{rows}2020-01-02 00:00,X\0,1\n", 'time = "t"\nstation = "s"\n' + TEMP)
    assert "line 1002, column s: 'X\\x00' is not a name" in message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8"])
def test_a_byte_order_mark_is_passed_over_whatever_the_encoding_is_called(store, encoding):
    mark = "" if encoding == "utf-16" else "\ufeff"
    text = f"{mark}t,v\n2020-01-01 00:00,1\n".encode(encoding)
    assert store.load(text, profile=f'encoding = "{encoding}"\n' + HEAD + TEMP).stored == 1
