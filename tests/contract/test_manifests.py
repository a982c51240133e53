"""Manifests: what a file was made of, over HTTP, and what is different between two of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from config import VERSION, Settings
from data.export.file_digest import digested, export_with_manifest, manifest_tag
from data.export.formats import export_file, export_tag, format_of
from data.export.manifest import Manifest, read_manifest
from data.export.manifest_differences import differences
from data.request import HistoryRequest, request_of
from data.site import Site, open_site
from data.tiles.series import SeriesKey
from data.time.epoch import DAY_MS
from data.time.months import parse_month
from errors import InvalidRequest, RowsChanged
from jobs.job import Status
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from jobs.policy import HISTORY
from jobs.worker.child import make_run_job

SPRING = request_of(["EWR"], ["rainfall", "temperature"], "2013-02-10", "2013-05-01", "raw", "UTC")
MARCH = "from=2013-03-01T00:00:00Z&to=2013-04-01T00:00:00Z"


@dataclass(frozen=True)
class Opened:
    """A site on which SPRING is loaded, as a page of it asks."""

    settings: Settings
    site: Site
    client: FlaskClient
    job: str

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/jobs/{self.job}/{path}", buffered=True)


@pytest.fixture
def opened(sample_data_dir: Path, tmp_path: Path) -> Iterator[Opened]:
    settings = Settings(data_dir=Path(shutil.copytree(sample_data_dir, tmp_path / "site")), _env_file=None)
    site, ledger = open_site(settings), open_ledger(settings)
    load_history(site, SPRING, lambda progress: None)
    job = ledger.record_completed("local", SPRING, {}).id
    yield Opened(settings, site, create_app(settings).server.test_client(), job)
    site.engine.dispose()
    ledger.engine.dispose()


def made(site: Site, folder: Path, kind: str = "csv", request: HistoryRequest = SPRING) -> Manifest:
    return export_with_manifest(site, request, folder / f"out.{kind}", "none")


@pytest.mark.parametrize(
    "query", ["format=csv", f"format=csv&units=name&{MARCH}", "format=parquet", "format=arrow&units=name", "flags=all"]
)
def test_a_manifest_has_the_digest_of_the_file_that_the_same_query_gives(opened, query):
    data, answer = opened.get(f"data?{query}"), opened.get(f"manifest?{query}")
    told = Manifest.model_validate_json(answer.data)
    assert (told.file.sha256, told.file.bytes) == (hashlib.sha256(data.data).hexdigest(), len(data.data))
    assert data.headers["Content-Disposition"].endswith(f'"{told.file.name}"')
    assert answer.headers["Content-Disposition"].endswith(f'"{told.file.name}.manifest.json"')
    if told.file.format == "csv":
        assert told.file.rows == data.data.count(b"\n") - 1
    again = opened.client.get(f"/api/jobs/{opened.job}/manifest?{query}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_manifest_says_what_the_rows_are_made_of(opened, tmp_path):
    told = json.loads(opened.get(f"manifest?{MARCH}").data)
    assert (told["request"]["start"], told["request"]["end"]) == ("2013-03-01T00:00:00Z", "2013-04-01T00:00:00Z")
    assert (told["software"]["riwayat"], told["floor"], told["file"]["units"]) == (VERSION, "raw", "none")
    assert [each["unit"] for each in told["sensors"]] == ["mm", "°C"]
    (station,) = told["stations"]
    assert (station["name"], round(station["latitude"])) == ("EWR", 41)
    rain, air = told["series"]
    assert (rain["sensor"], air["sensor"], air["rows"]) == ("rainfall", "temperature", told["file"]["rows"] - 1)
    entry = opened.site.tiles.entries(SeriesKey(opened.site.source_id, "EWR", "temperature"))[parse_month("2013-03")]
    flags = opened.site.tiles.entries(SeriesKey(opened.site.source_id, "EWR", "temperature@flags"))[parse_month("2013-03")]
    assert (told["flags"], air["months"]) == ("hard", {"2013-03": f"{entry.generation} {entry.crc:08x} {flags.crc:08x}"})
    none = json.loads(opened.get(f"manifest?flags=none&{MARCH}").data)  # of a file with a column of flags
    assert (none["flags"], none["series"][1]["months"]) == ("none", air["months"])
    plain = made(opened.site, tmp_path).series[1]
    assert (opened.site.flags, plain.months["2013-03"]) == ("none", f"{entry.generation} {entry.crc:08x}")
    assert list(rain["months"]) == ["2013-03", "2013-04"]  # its last row is stamped at the end


@pytest.mark.parametrize(
    ("kind", "resolution", "has"),
    [("csv", "raw", True), ("parquet", "raw", True), ("arrow", "raw", True), ("nc", "raw", False), ("csv", "1d", False)],
)
def test_a_manifest_says_that_a_file_has_a_column_of_flags_where_it_has_one(opened, tmp_path, kind, resolution, has):
    request, path = replace(SPRING, resolution=resolution), tmp_path / f"out.{kind}"
    name, span = format_of(path), (request.start_ms, request.end_ms)
    export_file(opened.site, request, path)
    plain = path.read_bytes()
    told = export_with_manifest(opened.site, request, path, "none", with_flags=True)
    tags = [export_tag(opened.site, request, *span, name, with_flags=asked) for asked in (False, True)]
    assert [told.file.flag_column, path.read_bytes() != plain, tags[0] != tags[1]] == [has] * 3


def test_the_manifest_of_a_netcdf_file_waits_for_the_job_that_writes_it(opened):
    path = f"manifest?format=netcdf&{MARCH}"
    receipt = opened.get(path)
    ledger = open_ledger(opened.settings)
    job = ledger.claim("w", ["history", "history-large"])
    assert (receipt.status_code, job.id, job.kind) == (202, receipt.json["id"], "netcdf")
    make_run_job(opened.settings)(job.id, job.attempt)
    ledger.engine.dispose()
    told = Manifest.model_validate_json(opened.get(path).data)
    data = opened.get(f"data?format=netcdf&{MARCH}").data
    assert (told.file.sha256, told.file.rows) == (hashlib.sha256(data).hexdigest(), max(each.rows for each in told.series) + 1)
    assert told.software.keys() == {"riwayat", "files", "h5netcdf", "h5py"}


def test_a_job_that_wrote_a_file_of_a_part_gives_its_manifest_as_long_as_the_file_is_there(opened):
    ledger = open_ledger(opened.settings)
    part = ledger.submit("local", replace(SPRING, end_ms=SPRING.end_ms + 90 * DAY_MS))
    ledger.cancel(part.id)
    receipt = opened.client.get(f"/api/jobs/{part.id}/data?format=netcdf").json
    job = ledger.claim("w", ["history", "history-large"])
    make_run_job(opened.settings)(job.id, job.attempt)
    ledger.engine.dispose()
    file, answer = (opened.client.get(f"/api/jobs/{receipt['id']}/{path}", buffered=True) for path in ("data", "manifest"))
    assert (file.status_code, answer.status_code) == (200, 200)
    assert json.loads(answer.data)["file"]["sha256"] == hashlib.sha256(file.data).hexdigest()
    opened.site.shelf.clear()
    assert [opened.client.get(f"/api/jobs/{receipt['id']}/{path}").status_code for path in ("data", "manifest")] == [409, 409]


def test_a_workbook_has_no_manifest_and_a_load_that_runs_has_none_yet(opened):
    refused = opened.get("manifest?format=xlsx")
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "invalid_request")
    assert "csv, parquet, arrow, json, netcdf" in refused.json["error"]["message"]
    ledger = open_ledger(opened.settings)
    how = {"kind": HISTORY, "queue": HISTORY, "rows_estimate": 1, "tries": 1, "timeout_s": 60.0}
    waiting = ledger.submit("local", SPRING, **how)
    assert waiting.status is Status.QUEUED
    assert opened.client.get(f"/api/jobs/{waiting.id}/manifest").status_code == 409
    ledger.engine.dispose()


def test_what_changed_is_told_by_series_month_sensor_and_software(opened, tmp_path):
    old = made(opened.site, tmp_path)
    assert differences(old, made(opened.site, tmp_path)) == []
    rain, air = old.series
    other = old.model_copy(
        update={
            "software": {"riwayat": "0.0.9", "files": "1"},
            "institution": "Balai Besar",
            "sensors": (old.sensors[0], old.sensors[1].model_copy(update={"unit": "K"})),
            "series": (
                rain.model_copy(update={"rows": rain.rows - 1, "months": {**rain.months, "2013-03": "1 00000000"}}),
                air.model_copy(update={"months": {"2013-01": "1 0", **dict(list(air.months.items())[1:])}}),
            ),
        }
    )
    assert differences(other, old) == [
        f"software riwayat was 0.0.9 and is {VERSION}",
        f"software files was 1 and is {old.software['files']}",
        f"software pyarrow was not known and is {old.software['pyarrow']}",
        "institution was Balai Besar and is not known",
        "sensor temperature: unit was K and is °C",
        f"EWR rainfall: {rain.rows - 1} rows are {rain.rows}",
        "EWR rainfall: changed: 2013-03",
        "EWR temperature: gone: 2013-01",
        "EWR temperature: new: 2013-02",
    ]


def test_an_import_of_equal_rows_changes_nothing(opened, tmp_path):
    old = made(opened.site, tmp_path)
    again = replace_generations(old)
    assert again != old
    assert differences(old, again) == []


def replace_generations(of: Manifest) -> Manifest:
    series = tuple(
        each.model_copy(update={"months": {month: f"99 {told.partition(' ')[2]}" for month, told in each.months.items()}})
        for each in of.series
    )
    return of.model_copy(update={"series": series})


def test_rows_that_change_while_a_file_is_read_leave_it_without_a_manifest(opened):
    def pieces():
        yield b"some rows"
        opened.site.tiles.clear()

    tag = manifest_tag(opened.site, SPRING, "csv", "none")
    with pytest.raises(RowsChanged):
        list(digested(pieces(), opened.site, SPRING, "out.csv", "csv", "none", lambda: 1, tag=tag))


def test_rows_that_change_between_a_file_and_its_digest_leave_it_without_a_manifest(opened, tmp_path, monkeypatch):
    def then_rows_change(*args, **how):
        rows = export_file(*args, **how)
        opened.site.tiles.clear()
        return rows

    monkeypatch.setattr("data.export.file_digest.export_file", then_rows_change)
    with pytest.raises(RowsChanged):
        made(opened.site, tmp_path)


def test_a_manifest_comes_back_as_it_was_and_its_request_too(opened, tmp_path):
    days = replace(SPRING, resolution="1d", timezone="Asia/Jakarta", start_ms=SPRING.start_ms + 1)
    told = made(opened.site, tmp_path, "parquet", days)
    (tmp_path / "m.json").write_text(told.to_json())
    assert read_manifest(tmp_path / "m.json") == told
    assert told.request.request == days


def test_a_manifest_whose_parts_do_not_belong_together_is_refused(opened, tmp_path):
    told = json.loads(made(opened.site, tmp_path).to_json())
    for part in ("stations", "sensors", "series"):
        (tmp_path / "m.json").write_text(json.dumps(told | {part: told[part][1:]}))
        with pytest.raises(InvalidRequest, match="are not those of the request"):
            read_manifest(tmp_path / "m.json")


@pytest.mark.parametrize(
    ("text", "said"), [("{}", "file: Field required"), ("nonsense", "JSON: Invalid JSON"), ('{"manifest": 2}', "manifest: Input")]
)
def test_what_is_no_manifest_is_refused_with_where_and_why(tmp_path, text, said):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(InvalidRequest, match=said):
        read_manifest(tmp_path / "m.json")
