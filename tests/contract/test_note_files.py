"""Logbooks become notes in each kind of database, all or none and once; notes become a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from access.grants import Grant
from access.notes.note_files import ImportedNotes, export_notes, import_notes
from access.notes.note_table import MOST_READ, change_note, visible_notes
from data.ingest.log_profile import load_log_profile
from data.ingest.logbook import LogRow, read_log
from data.time.epoch import DAY_MS
from errors import ImportRejected
from manage import build
from tests.people import granted, person

JULY = 1_373_673_600_000
SARI, BUDI = person("sari"), person("budi")
LOG = Path("log.csv")
ROWS = [
    LogRow(2, "EWR", "rainfall", JULY, JULY + DAY_MS, "calibration", "gauge calibrated"),
    LogRow(3, "JFK", None, JULY, JULY, "maintenance", "=cmd()|'mast'\nlowered"),
    LogRow(4, "JFK", None, JULY, JULY, "maintenance", "=cmd()|'mast'\nlowered"),
]


def test_a_logbook_that_is_imported_twice_gives_its_notes_once(store, sample):
    assert import_notes(store, sample, SARI, LOG, ROWS, shared=True) == ImportedNotes(3, 2)
    first = visible_notes(store, BUDI)
    assert {one.content.text for one in first} == {"gauge calibrated", "=cmd()|'mast'\nlowered"}
    change_note(store, sample, SARI, first[0].id, text="corrected")  # what is edited stays so
    assert import_notes(store, sample, SARI, LOG, ROWS) == ImportedNotes(3, 0)
    assert "corrected" in {one.content.text for one in visible_notes(store, BUDI)}
    assert import_notes(store, sample, BUDI, LOG, ROWS).added == 2  # another's
    [entry] = [one for one in store.audit.entries(limit=9) if one.action == "notes_imported"][-1:]
    assert (entry.subject["owner"], entry.subject["added"]) == (["sari"], 2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (LogRow(9, "ZZZ", None, JULY, JULY, "event", "x"), "log.csv, line 9: There is no station ZZZ"),
        (LogRow(9, "EWR", None, JULY, JULY, "party", "x"), "line 9: There is no kind 'party'"),
        (LogRow(9, "EWR", None, JULY, JULY, "event", "x" * 1001), "line 9: A note has 1 to 1000 characters"),
        (LogRow(9, "EWR", None, JULY, JULY, "event", "x", owner=" x"), "line 9: .* is not a valid name"),
    ],
)
def test_of_a_logbook_with_a_row_that_is_no_note_nothing_is_kept(store, sample, wrong, said):
    with pytest.raises(ImportRejected, match=said):
        import_notes(store, sample, SARI, LOG, [*ROWS, wrong])
    assert visible_notes(store, SARI) == []


def test_a_logbook_is_of_what_its_importer_may_see(store, sample):
    only_ewr = granted("budi", Grant(("EWR",), to_ms=JULY + DAY_MS))
    assert import_notes(store, sample, only_ewr, LOG, ROWS[:1]).added == 1
    with pytest.raises(ImportRejected, match="line 3"):
        import_notes(store, sample, only_ewr, LOG, ROWS)
    later = LogRow(7, "EWR", "rainfall", JULY + DAY_MS, JULY + DAY_MS, "event", "x")
    with pytest.raises(ImportRejected, match="line 7: You may not see EWR at this time"):
        import_notes(store, sample, only_ewr, LOG, [ROWS[0], later])


def test_exported_notes_are_imported_as_they_were_also_elsewhere(store, sample, tmp_path):
    import_notes(store, sample, SARI, LOG, ROWS, shared=True)
    import_notes(store, sample, BUDI, LOG, ROWS[:1])
    before = visible_notes(store, SARI)
    file = tmp_path / "notes.csv"
    file.write_text(export_notes(before), encoding="utf-8", newline="")
    assert "'=cmd" in file.read_text()  # no formula of a spreadsheet
    rows = read_log(file, load_log_profile("riwayat"), sample.catalogue.sensors, lambda _name: "UTC")
    assert import_notes(store, sample, BUDI, file, rows) == ImportedNotes(2, 0)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM note")
    assert import_notes(store, sample, BUDI, file, rows).added == 2
    after = visible_notes(store, SARI, limit=MOST_READ)
    assert [(one.id, one.owner, one.content) for one in after] == [(one.id, one.owner, one.content) for one in before]


def test_the_commands_write_list_import_export_and_remove_notes(data_dir, monkeypatch, tmp_path):
    monkeypatch.setenv("RIWAYAT_DATA_DIR", str(data_dir))
    monkeypatch.setenv("RIWAYAT_TIMEZONE", "UTC")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(build(), ["notes", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    made = run("add", "fog", "--station", "EWR", "--from", "2013-07-12 20:00", "--sensor", "temperature", "--shared").strip()
    [listed] = json.loads(run("list", "--json"))
    assert (listed["id"], listed["from"], listed["to"], listed["owner"]) == (made, "2013-07-13T00:00:00Z", None, "local")
    log = tmp_path / "log.csv"
    log.write_text("when,what\n2013-07-13 12:00,cleaned\n")
    profile = tmp_path / "log.toml"
    profile.write_text('time = "when"\ntext = "what"\nstation_name = "LGA"\nkind_name = "maintenance"\n')
    arguments = ("import", str(log), "--profile", str(profile), "--timezone", "station", "--station", "JFK", "--json")
    assert [json.loads(run(*arguments))["added"] for _ in range(2)] == [1, 0]
    out = tmp_path / "out.csv"
    run("export", "--out", str(out), "--station", "JFK")
    assert "2013-07-13T16:00:00Z,,JFK,,maintenance,cleaned,false,local" in out.read_text()
    assert run("export").count("\n") == 3
    run("remove", made)
    assert [one["station"] for one in json.loads(run("list", "--json"))] == ["JFK"]
