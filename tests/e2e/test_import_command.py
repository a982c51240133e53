"""import, demo, stations and sensors as a shell sees them."""

from __future__ import annotations

import json

import pytest

from tests.processes import ROOT, run_manage

SAMPLE = ROOT / "data" / "sample" / "nyc_airports.csv.gz"
GAUGE = "timestamp_utc,station,temperature\n2020-01-01,A,1\n2020-01-02,A,\n"

pytestmark = pytest.mark.process


def test_the_bundled_sample_is_imported_and_again_replaced(tmp_path):
    for stored, replaced in ((26_115, 0), (0, 26_115)):
        done = run_manage("import", str(SAMPLE), "--json", cwd=tmp_path, data_dir=tmp_path / "var")
        assert done.returncode == 0, done.stderr
        (file,) = json.loads(done.stdout)["files"]
        assert (file["read"], file["stored"], file["replaced"], file["rejected"]) == (26_115, stored, replaced, 0)
    listed = run_manage("stations", "--json", cwd=tmp_path, data_dir=tmp_path / "var")
    stations = {station["station"]: station for station in json.loads(listed.stdout)}
    assert {name: station["rows"] for name, station in stations.items()} == {"EWR": 8703, "JFK": 8706, "LGA": 8706}
    assert stations["EWR"]["first"] == "2013-01-01T06:00:00Z"
    assert stations["EWR"]["step_seconds"] == 3600


def test_what_was_rejected_is_told_with_its_reason(tmp_path):
    (tmp_path / "gauge.csv").write_text(GAUGE)
    done = run_manage("import", "gauge.csv", cwd=tmp_path, data_dir=tmp_path / "var")
    assert "2 rows read, 1 stored, 0 replaced, 1 rejected" in done.stdout
    (tmp_path / "single.csv").write_text("".join(GAUGE.splitlines(keepends=True)[:2]))
    assert (
        ": 1 row read, 0 stored, 1 replaced" in run_manage("import", "single.csv", cwd=tmp_path, data_dir=tmp_path / "var").stdout
    )
    assert "rejected: no value: 1" in done.stdout


def test_a_wrong_file_exits_1_and_bad_usage_2_and_standard_output_stays_empty(tmp_path):
    (tmp_path / "gauge.csv").write_text(GAUGE.replace(",1", ",warm"))
    for arguments, code, message in (
        (["gauge.csv", "--json"], 1, "gauge.csv, line 2, column temperature: 'warm' is not a number"),
        (["gauge.csv", "--timezone", "Mars"], 2, "--timezone"),
    ):
        done = run_manage("import", *arguments, cwd=tmp_path, data_dir=tmp_path / "var")
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_demo_makes_marked_stations(tmp_path):
    arguments = ("--stations", "2", "--years", "0.02", "--step", "600", "--json")
    done = run_manage("demo", *arguments, cwd=tmp_path, data_dir=tmp_path / "var")
    made = json.loads(done.stdout)
    assert made["stations"] == ["demo-1", "demo-2"]
    listed = json.loads(run_manage("stations", "--json", cwd=tmp_path, data_dir=tmp_path / "var").stdout)
    assert sum(station["rows"] for station in listed) == made["stored"] > 1500
    assert all(station["synthetic"] for station in listed)
    assert run_manage("demo", "--years", "0", cwd=tmp_path, data_dir=tmp_path / "var").returncode == 2


def test_sensors_lists_the_catalogue_and_stations_says_what_to_do_where_there_is_none(tmp_path):
    sensors = json.loads(run_manage("sensors", "--json", cwd=tmp_path, data_dir=tmp_path / "var").stdout)
    assert {"temperature", "rainfall", "wind_direction"} <= {sensor["sensor"] for sensor in sensors}
    done = run_manage("stations", cwd=tmp_path, data_dir=tmp_path / "var")
    assert (done.returncode, done.stdout) == (1, "")
    assert "manage.py migrate" in done.stderr


def test_a_first_profile_is_guessed_and_imports_the_file(tmp_path):
    (tmp_path / "ridge.csv").write_text("Zeit;Temperatur [°C];note\n01.02.2024 00:00;10,5;x\n13.02.2024 00:00;11,5;y\n")
    printed = run_manage("import", "--guess", "ridge.csv", "--timezone", "+01:00", cwd=tmp_path, data_dir=tmp_path / "var")
    assert printed.returncode == 0, printed.stderr
    assert "# 2024-01-31 23:00:00  ridge    10.5\n" in printed.stdout
    (tmp_path / "ridge.toml").write_text(printed.stdout)
    done = run_manage("import", "--profile", "ridge.toml", "ridge.csv", cwd=tmp_path, data_dir=tmp_path / "var")
    assert "2 rows read, 2 stored" in done.stdout, done.stderr
    again = run_manage("import", "--guess", "ridge.csv", "--out", "ridge.toml", cwd=tmp_path, data_dir=tmp_path / "var")
    # not written over
    assert (again.returncode, (tmp_path / "ridge.toml").read_text()) == (1, printed.stdout)


def test_the_bundled_profiles_are_listed(tmp_path):
    done = run_manage("import", "profiles", cwd=tmp_path, data_dir=tmp_path / "var")
    assert "hoboware" in done.stdout
    assert "Onset HOBOware, the CSV of a HOBO data logger" in done.stdout
