from __future__ import annotations

import math
import struct
from datetime import datetime

import pytest

from data.ingest.chunks import read_chunks
from data.ingest.layout import read_layout
from errors import ImportRejected
from tests.store import open_store
from tests.tobfiles import (
    EMPTY,
    MINOR,
    STAMP,
    empty_minor_frame,
    footer,
    fp2,
    frame,
    minor_frame,
    seconds,
    start,
    tob1,
    tob3_header,
)

TIMED = [("SECONDS", "SECONDS", "ULONG"), ("NANOSECONDS", "NANOSECONDS", "ULONG"), ("RECORD", "RN", "ULONG")]
TWO = [("AirTC_Avg", "Deg C", "IEEE4B"), ("Rain_mm_Tot", "mm", "FP2")]
FRAME_BYTES = 12 + 4 * 6 + 4  # four records of TWO


def record(temperature: float, rain: float = 0.0) -> bytes:
    return struct.pack(">f", temperature) + fp2(rain, 2)


def read(path, data: bytes, *columns: str):
    """The columns' values, and how many records were lost."""
    path.write_bytes(data)
    chunks = list(read_chunks(read_layout(path), columns))
    values = [[value for chunk in chunks for value in chunk.columns[name].to_pylist()] for name in columns]
    return (*values, sum(chunk.damaged for chunk in chunks))


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.fromisoformat(f"2023-05-01T{hour:02d}:{minute:02d}")


def test_tob1_is_records_one_after_another(tmp_path):
    rows = [
        struct.pack("<III", seconds("2023-05-01 00:10:00"), 500_000_000, 0) + record(10.1, 0.25),
        struct.pack("<III", seconds("2023-05-01 00:20:00"), 0, 1) + record(-1.5, 12.7),
    ]
    times, temperature, rain, number, damaged = read(
        tmp_path / "t.dat", tob1([*TIMED, *TWO], *rows), "TIMESTAMP", "AirTC_Avg", "Rain_mm_Tot", "RECORD"
    )
    assert times == [datetime.fromisoformat("2023-05-01T00:10:00.500"), at(0, 20)]
    assert (temperature, rain, number, damaged) == ([10.1, -1.5], [0.25, 12.7], [0, 1], 0)


def test_columns_units_and_station_are_those_of_toa5(tmp_path):
    path = tmp_path / "t.dat"
    for data in (tob1([*TIMED, *TWO]), tob3_header(TWO, frame_bytes=FRAME_BYTES)):
        path.write_bytes(data)
        layout = read_layout(path)
        assert layout.columns == ("TIMESTAMP", "RECORD", "AirTC_Avg", "Rain_mm_Tot")
        assert (layout.units["AirTC_Avg"], layout.units["Rain_mm_Tot"]) == ("Deg C", "mm")
        assert layout.station_name == "HillTop"


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("FP2", b"\x20\xd6", 21.4),
        ("FP2", b"\xa0\xd6", -21.4),
        ("FP2", b"\x60\xd6", 0.214),
        ("FP2", b"\x1f\x3f", 7999.0),
        ("FP2", b"\x1f\xff", math.inf),
        ("FP2", b"\x9f\xff", -math.inf),
        ("FP2", b"\x9f\xfe", math.nan),
        ("IEEE4", struct.pack("<f", 21.4), 21.4),
        ("IEEE4B", struct.pack(">f", 1013.25), 1013.25),
        ("IEEE4B", struct.pack(">f", 0.000123), 0.000123),
        ("IEEE4B", struct.pack(">f", -123456.7), -123456.7),
        ("IEEE4B", struct.pack(">f", 0.0), 0.0),
        ("IEEE4B", struct.pack(">f", math.nan), math.nan),
        ("IEEE8", struct.pack("<d", 21.4), 21.4),
        ("IEEE8B", struct.pack(">d", 0.1), 0.1),
        ("ULONG", b"\x01\x00\x00\x80", 2**31 + 1),
        ("LONG", b"\xfe\xff\xff\xff", -2),
        ("UINT2", b"\x01\x02", 258),
        ("INT4", b"\xff\xff\xff\xfe", -2),
        ("USHORT", b"\x01\x02", 513),
        ("BOOL", b"\xff", -1),
        ("BOOL4", b"\x00\x00\x00\x01", -1),
        ("BOOL2", b"\x00\x00", 0),
        ("BOOL8", b"\x05", "10100000"),
        ("ASCII(6)", b"ok\0\0\0\0", "ok"),
        (
            "SecNano",
            struct.pack("<II", seconds("2023-05-01 03:00:00"), 250_000_000),
            datetime.fromisoformat("2023-05-01T03:00:00.250"),
        ),
    ],
)
def test_a_field_is_what_toa5_shows(tmp_path, kind, written, value):
    """Between two others, so that its length is right as well."""
    fields = [*TIMED, ("before", "", "BOOL"), ("it", "", kind), ("after", "", "LONG")]
    row = struct.pack("<III", 0, 0, 7) + b"\xff" + written + struct.pack("<i", -9)
    before, it, after, damaged = read(
        tmp_path / "t.dat",
        tob1(fields, row, row),
        "before",
        "it",
        "after",
    )
    assert (before, after, damaged) == ([-1, -1], [-9, -9], 0)
    assert it == [value, value] or all(isinstance(each, float) and math.isnan(each) and math.isnan(value) for each in it)


def test_frames_give_their_records_times_and_numbers(tmp_path):
    data = tob3_header(TWO, frame_bytes=FRAME_BYTES)
    data += frame("2023-05-01 00:10:00", 40, record(1), record(2), record(3), record(4))
    data += frame("2023-05-01 06:00:00", 44, record(5), record(6), record(7), record(8), stamp=STAMP ^ 0xFFFF)
    times, numbers, temperature, damaged = read(tmp_path / "t.dat", data, "TIMESTAMP", "RECORD", "AirTC_Avg")
    assert times == [at(0, 10), at(0, 20), at(0, 30), at(0, 40), at(6), at(6, 10), at(6, 20), at(6, 30)]
    assert (numbers, temperature, damaged) == (list(range(40, 48)), [1, 2, 3, 4, 5, 6, 7, 8], 0)


@pytest.mark.parametrize(
    ("resolution", "parts"), [("Sec100Usec", 2500), ("SecMsec", 250), ("SecUsec", 250_000), ("Sec1Usec", 250_000)]
)
def test_parts_of_a_second_are_as_fine_as_the_header_says(tmp_path, resolution, parts):
    data = tob3_header(TWO[:1], frame_bytes=24, interval="50 MSEC").replace(b"Sec100Usec", resolution.encode())
    data += start("2023-05-01 00:00:00", 0, parts) + struct.pack(">ff", 1, 2) + footer()
    times, damaged = read(tmp_path / "t.dat", data, "TIMESTAMP")
    assert ([time.microsecond for time in times], damaged) == ([250_000, 300_000], 0)


def test_tob2_frames_have_no_record_numbers(tmp_path):
    data = tob3_header(TWO[:1], frame_bytes=16, kind="TOB2")
    data += struct.pack("<II", seconds("2023-05-01 00:10:00"), 0) + struct.pack(">f", 1.5) + footer()
    assert read(tmp_path / "t.dat", data, "TIMESTAMP", "AirTC_Avg") == ([at(0, 10)], [1.5], 0)


def test_a_frame_that_was_closed_early_is_read_by_its_minor_frames(tmp_path):
    # 40 bytes: 22 of one record, and 18 with nothing in them.
    data = tob3_header(TWO, frame_bytes=FRAME_BYTES)
    data += minor_frame("2023-05-01 00:10:00", 0, record(1)) + empty_minor_frame(18)
    data += frame("2023-05-01 03:00:00", 1, record(2), record(3), record(4), record(5))
    times, temperature, damaged = read(tmp_path / "t.dat", data, "TIMESTAMP", "AirTC_Avg")
    assert times == [at(0, 10), at(3), at(3, 10), at(3, 20), at(3, 30)]
    assert (temperature, damaged) == ([1, 2, 3, 4, 5], 0)


def test_minor_frames_come_in_the_order_of_time(tmp_path):
    data = tob3_header(TWO, frame_bytes=44)
    data += minor_frame("2023-05-01 00:10:00", 0, record(1)) + minor_frame("2023-05-01 05:00:00", 1, record(2))
    times, temperature, damaged = read(tmp_path / "t.dat", data, "TIMESTAMP", "AirTC_Avg")
    assert (times, temperature, damaged) == ([at(0, 10), at(5)], [1, 2], 0)


@pytest.mark.parametrize(
    ("broken", "lost"),
    [
        (frame("2023-05-01 00:10:00", 0, record(1), record(2), record(3), record(4), stamp=STAMP + 1), 4),
        (bytes(FRAME_BYTES - 4) + footer(size=0, flags=MINOR), 4),
        (bytes(FRAME_BYTES - 4) + footer(size=FRAME_BYTES + 1, flags=MINOR), 4),
        (bytes(22) + minor_frame("2023-05-01 00:40:00", 3)[:-4] + bytes(2) + footer(size=18, flags=MINOR | EMPTY), 1),
    ],
    ids=["another stamp", "minor of no size", "minor larger than its frame", "no footer before a minor one"],
)
def test_records_of_damaged_frames_are_counted_and_the_next_frame_is_read(tmp_path, broken, lost):
    good = frame("2023-05-01 06:00:00", 4, record(5), record(6), record(7), record(8))
    data = tob3_header(TWO, frame_bytes=FRAME_BYTES) + broken + good
    temperature, damaged = read(tmp_path / "t.dat", data, "AirTC_Avg")
    assert (temperature, damaged) == ([5, 6, 7, 8], lost)


@pytest.mark.parametrize("blank", [b"\0", b"\xff"])
def test_frames_that_a_card_keeps_free_are_no_loss(tmp_path, blank):
    good = frame("2023-05-01 06:00:00", 4, record(5), record(6), record(7), record(8))
    data = tob3_header(TWO, frame_bytes=FRAME_BYTES) + good + blank * FRAME_BYTES * 3
    assert read(tmp_path / "t.dat", data, "AirTC_Avg") == ([5, 6, 7, 8], 0)
    empty = start("2023-05-01 06:00:00", 8) + bytes(24) + footer(flags=EMPTY)
    assert read(tmp_path / "t.dat", data + empty, "AirTC_Avg") == ([5, 6, 7, 8], 0)


def test_a_file_that_is_cut_off_loses_what_is_cut(tmp_path):
    row = struct.pack("<III", 0, 0, 0) + record(1)
    assert read(tmp_path / "t.dat", tob1([*TIMED, *TWO], row, row, row)[:-5], "AirTC_Avg") == ([1, 1], 1)
    whole = frame("2023-05-01 06:00:00", 4, record(5), record(6), record(7), record(8))
    data = tob3_header(TWO, frame_bytes=FRAME_BYTES) + whole + whole
    assert read(tmp_path / "t.dat", data[:-10], "AirTC_Avg") == ([5, 6, 7, 8], 4)


def test_a_long_file_is_read_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("data.ingest.campbell.tob._RECORDS_AT_ONCE", 8)
    frames = [frame("2023-05-01 00:00:00", number, *(record(number + step) for step in range(4))) for number in range(0, 40, 4)]
    path = tmp_path / "t.dat"
    path.write_bytes(tob3_header(TWO, frame_bytes=FRAME_BYTES) + b"".join(frames))
    chunks = list(read_chunks(read_layout(path), ["AirTC_Avg"]))
    assert [value for chunk in chunks for value in chunk.columns["AirTC_Avg"].to_pylist()] == list(range(40))
    assert [line for chunk in chunks for line in chunk.lines.tolist()] == list(range(1, 41))
    assert len(chunks) == 5


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tob1(TWO), "no columns SECONDS and NANOSECONDS, so its records have no time"),
        (tob1([*TIMED, ("note", "", "ASCIIZ")]), "a field is of type ASCIIZ; expected one of IEEE4"),
        (tob3_header(TWO, frame_bytes=17), "its frames are too short for a record"),
        (tob3_header(TWO, frame_bytes=FRAME_BYTES, interval="0 SEC"), "its records have no interval, so only the first"),
        (tob3_header(TWO, frame_bytes=FRAME_BYTES, interval="1 MON"), "the second line is Ten, 1 MON"),
        (tob3_header(TWO, frame_bytes=FRAME_BYTES).replace(b"Sec100Usec", b"Sec7Days"), "expected in it an interval"),
        (tob1([*TIMED, *TWO]).replace(b',"FP2"', b""), "there are 5 names, 5 units and 4 types of fields"),
        (b'"TOB1"\r\n', "the first line does not name kind and station"),
    ],
)
def test_a_header_that_cannot_be_right_is_refused(tmp_path, data, message):
    path = tmp_path / "t.dat"
    path.write_bytes(data)
    with pytest.raises(ImportRejected) as caught:
        read_layout(path)
    assert message in caught.value.message


def test_a_column_of_a_type_that_is_not_read_is_refused_but_may_be_passed_over(tmp_path):
    data = tob1([*TIMED, ("old", "", "FP4"), *TWO], struct.pack("<III", 0, 0, 0) + b"\0\0\0\0" + record(1))
    assert read(tmp_path / "t.dat", data, "AirTC_Avg") == ([1], 0)
    with pytest.raises(ImportRejected, match="a field is of type FP4, which is not read"):
        read(tmp_path / "t.dat", data, "old")


TOA5 = """"TOA5","HillTop","CR1000","12345","CR1000.Std.32","CPU:met.CR1","4711","Ten"
"TIMESTAMP","RECORD","AirTC_Avg","Rain_mm_Tot"
"TS","RN","Deg C","mm"
"","","Avg","Tot"
"2023-05-01 00:10:00",0,21.4,0.25
"2023-05-01 00:20:00",1,"NAN",0
"2023-05-01 00:30:00",2,-0.1,12.7
"2023-05-01 00:40:00",3,1013.25,0
"""


def test_an_import_stores_what_the_same_table_gives_as_toa5_and_tells_what_is_lost(tmp_path):
    good = frame("2023-05-01 00:10:00", 0, record(21.4, 0.25), record(math.nan), record(-0.1, 12.7), record(1013.25))
    damaged = frame("2023-05-01 00:50:00", 4, *[record(1)] * 4, stamp=1)
    tables = {
        "toa5": TOA5,
        "tob1": tob1(
            [*TIMED, *TWO],
            *(
                struct.pack("<III", seconds(f"2023-05-01 00:{10 * (row + 1)}:00"), 0, row) + values
                for row, values in enumerate([record(21.4, 0.25), record(math.nan), record(-0.1, 12.7), record(1013.25)])
            ),
        ),
        "tob3": tob3_header(TWO, frame_bytes=FRAME_BYTES) + good + damaged,
    }
    stored, reports = {}, {}
    for name, data in tables.items():
        folder = tmp_path / name
        folder.mkdir()
        store = open_store(f"sqlite:///{folder}/o.sqlite", folder)
        reports[name] = store.load(data, "t.dat", site_timezone="Asia/Jakarta")
        stored[name] = store.rows("temperature", "rainfall")
        store.engine.dispose()
    assert stored["tob1"] == stored["tob3"] == stored["toa5"]
    assert [row[2:] for row in stored["toa5"]] == [(21.4, 0.25), (None, 0.0), (-0.1, 12.7), (1013.25, 0.0)]
    assert (reports["tob3"].profile, reports["tob3"].read) == ("campbell_toa5", 8)
    assert reports["tob3"].reasons == {"in a damaged or cut-off frame": 4}


def test_a_file_of_damaged_frames_alone_is_refused(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/o.sqlite", tmp_path)
    data = tob3_header(TWO, frame_bytes=FRAME_BYTES) + frame("2023-05-01 00:50:00", 4, *[record(1)] * 4, stamp=1)
    with pytest.raises(ImportRejected):
        store.load(data, "t.dat")
    assert store.rows() == []
    store.engine.dispose()
