from __future__ import annotations

import pytest

from data.catalogue import load_catalogue
from data.ingest.file_plan import ImportOptions, plan_file
from data.ingest.file_rows import RowReader
from errors import ConfigurationError, ImportRejected

PREAMBLE = 'Station;Ridge\n\nWhen;where it stood\n2024;x\n"When";T;flag\n'
ROWS = "2024-05-01 00:00;1.5;0\n2024-05-01 00:10;2.5;3\n"


def planned(tmp_path, text: str, profile: str, **wishes):
    file, toml = tmp_path / "f.csv", tmp_path / "p.toml"
    file.write_text(text)
    toml.write_text(profile)
    return plan_file(file, load_catalogue(), ImportOptions(profile=str(toml), station="S", **wishes))


def read(plan):
    """(minutes since 2024-05-01T00:00Z, values …) of each row, what was rejected,
    and which rows are flagged.
    """
    reader = RowReader(plan)
    rows = list(reader.rows())
    found = [
        ((time - 1_714_521_600_000) / 60_000, *values)
        for part in rows
        for time, values in zip(part.times.tolist(), part.values.tolist(), strict=True)
    ]
    return found, dict(reader.rejected), [flags for part in rows if part.bad is not None for flags in part.bad.tolist()]


def test_the_header_is_the_first_line_that_names_the_time_and_a_column(tmp_path):
    profile = 'time = "When"\nskip_rows = "header"\ndelimiter = ";"\n[columns]\nT = "temperature"\n'
    plan = planned(tmp_path, PREAMBLE + ROWS, profile)
    assert plan.layout.header_lines == 5
    assert read(plan)[0] == [(0, 1.5), (10, 2.5)]
    assert planned(tmp_path, "When;T\n" + ROWS, profile).layout.header_lines == 1


def test_a_file_without_such_a_header_is_refused(tmp_path):
    profile = 'time = "When"\nskip_rows = "header"\n[columns]\nT = "temperature"\n'
    with pytest.raises(ImportRejected, match=r"no line names the columns When and one to read; the delimiter is ','"):
        planned(tmp_path, PREAMBLE + ROWS, profile)


@pytest.mark.parametrize(
    ("header", "zone", "minutes"),
    [
        ("Date Time, GMT-05:00", "-05:00", 300),
        ("Date Time, GMT+0530", "+05:30", -330),
        ("Date Time, GMT+07", "+07:00", -420),
        ("Date Time, GMT", "UTC", 0),
    ],
)
def test_the_zone_may_be_that_of_the_times_name(tmp_path, header, zone, minutes):
    profile = 'time = "Date Time, GMT*"\ntimezone = "header"\n[columns]\n"T*" = "temperature"\n'
    plan = planned(tmp_path, f'"{header}",T (a),R\n2024-05-01 00:00,1.5,1\n', profile)
    assert plan.timezone == zone
    assert read(plan)[0] == [(minutes, 1.5)]
    assert plan.left_out == ("R",)


def test_what_zone_it_is_may_be_left_to_who_imports(tmp_path):
    profile = 'time = "t"\ntimezone = "required"\n[columns]\nT = "temperature"\n'
    with pytest.raises(ImportRejected, match="does not say which time zone its times are in; give --timezone"):
        planned(tmp_path, "t,T\n2024-05-01,1\n", profile)
    assert read(planned(tmp_path, "t,T\n2024-05-01,1\n", profile, timezone="-01:00"))[0] == [(60, 1.0)]
    with pytest.raises(ImportRejected, match="the name of its time column, t, gives no time zone such as GMT-05:00"):
        planned(tmp_path, "t,T\n2024-05-01,1\n", profile.replace("required", "header"))


def test_a_name_with_a_star_means_one_column(tmp_path):
    profile = 'time = "t"\n[columns]\n"Temp, *" = { sensor = "temperature", unit = "degF" }\n'
    assert read(planned(tmp_path, 't,"Temp, °F (S/N 7)"\n2024-05-01,212\n', profile))[0] == [(0, 100.0)]
    with pytest.raises(ImportRejected, match=r"Temp, \* of the import profile matches 2 columns: Temp, a, Temp, b. Name one"):
        planned(tmp_path, 't,"Temp, a","Temp, b"\n2024-05-01,1,2\n', profile)
    with pytest.raises(ImportRejected, match=r"column Temp, \* is missing"):
        planned(tmp_path, "t,RH\n2024-05-01,1\n", profile)


def test_a_star_in_the_files_own_name_is_that_sign(tmp_path):
    profile = 'time = "t"\n[columns]\n"T*" = "temperature"\n'
    assert read(planned(tmp_path, "t,T*,Tx\n2024-05-01,1,2\n", profile))[0] == [(0, 1.0)]


def test_rows_of_other_codes_are_rejected_and_counted(tmp_path):
    profile = 'time = "t"\nonly = { kind = [1, "b"] }\n[columns]\nT = "temperature"\n'
    plan = planned(tmp_path, "t,T,kind\n2024-05-01,1,1\n2024-05-01 00:01,2,1.0\n2024-05-01 00:02,3,17\n2024-05-01 00:03,4,b\n2024-05-01 00:04,5,\n", profile)  # fmt: skip # noqa: E501
    rows, rejected, _ = read(plan)
    assert (rows, rejected) == ([(0, 1.0), (1, 2.0), (3, 4.0)], {"kind is not 1 or b": 2})
    with pytest.raises(ImportRejected, match="column kind is missing"):
        planned(tmp_path, "t,T\n2024-05-01,1\n", profile)


def test_a_quality_code_may_judge_several_sensors_and_lack_where_columns_may(tmp_path):
    profile = 'time = "t"\nsome_columns = true\n[columns]\nT = "temperature"\nH = "humidity"\nq = { flags = ["temperature", "humidity"], good = ["G"] }\n'  # noqa: E501
    rows, _, flags = read(planned(tmp_path, "t,T,H,q\n2024-05-01,1,50,G\n2024-05-02,2,60,Y\n", profile))
    assert (len(rows), flags) == (2, [[False, False], [True, True]])
    assert read(planned(tmp_path, "t,H,q\n2024-05-01,50,Y\n", profile))[2] == [[True]]
    assert read(planned(tmp_path, "t,T\n2024-05-01,1\n", profile))[2] == []
    with pytest.raises(ConfigurationError, match="flags rainfall, which no column gives"):
        planned(tmp_path, "t,T\n", profile.replace('"humidity"]', '"rainfall"]'))
