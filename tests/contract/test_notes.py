"""Notes in each kind of database: whose they are, who sees them, and what a site asks of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from access.embeds.embed_table import add_embed, find_embed, new_embed, rights_of_user
from access.embeds.spec import EmbedSpec
from access.grants import Grant, Purpose, Rights
from access.identity import Identity
from access.made_of import MadeOf
from access.names import EMBED_OWNER
from access.notes import note_table as notes_module
from access.notes.file_notes import with_file_notes
from access.notes.note import LONGEST_TEXT, NoteContent, is_granted
from access.notes.note_table import (
    MOST_LISTED,
    add_note,
    change_note,
    found_notes,
    remove_note,
    row_values,
    visible_note,
    visible_notes,
)
from access.store import AccessStore, open_access
from access.tables import note
from app import create_app
from callbacks.pictures import ViewQuery
from callbacks.selection import Selection
from callbacks.view import draw
from config import Settings
from data.export.formats import write_file
from data.request import HistoryRequest
from data.site import open_site
from data.time.epoch import DAY_MS, HOUR_MS, epoch_ms
from errors import Conflict, InvalidRequest, NotFound, NotPermitted, UnknownSensor, UnknownStation
from jobs.kinds.export_file import export_file_tag
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from jobs.services import Services
from tests.databases import ON_SQLITE
from tests.people import granted, person
from tests.sheets import sheets_of

JULY = 1_373_673_600_000  # 2013-07-13 UTC
FOG = NoteContent("EWR", "temperature", JULY, JULY, "fog")
DAY = replace(FOG, end_ms=JULY + DAY_MS, text="thermometer in the sun", kind="maintenance", shared=True)
SARI, BUDI, ROOT = person("sari"), person("budi"), person("root", admin=True)


def texts(store: AccessStore, of: Identity = SARI, **asked: Any) -> list[str]:
    return [one.content.text for one in visible_notes(store, of, **asked)]


def found_texts(store: AccessStore, of: Identity, **asked: Any) -> tuple[list[str], bool]:
    found = found_notes(store, of, **asked)
    return [one.content.text for one in found.notes], found.more


def test_a_note_is_found_as_it_was_written_changed_and_removed_and_each_is_audited(store, sample):
    made = add_note(store, sample, SARI, replace(FOG, text="  fog at 16:40\r\n→ visibility 200 m 🌫 "))
    assert made.content.text == "fog at 16:40\n→ visibility 200 m 🌫"
    assert visible_note(store, SARI, made.id) == made
    changed = change_note(store, sample, SARI, made.id, sensor=None, end_ms=JULY + 1, shared=True, kind="event", text="FOG")
    assert changed.content == NoteContent("EWR", None, JULY, JULY + 1, "FOG", shared=True)
    assert visible_notes(store, SARI) == [changed]
    remove_note(store, SARI, made.id)
    assert visible_notes(store, SARI) == []
    entries = store.audit.entries(limit=9)
    assert [entry.action for entry in entries] == ["note_removed", "note_changed", "note_added"]
    assert [entry.subject.get("text") for entry in entries] == ["FOG", "FOG", None]  # the private one's is told to nobody


def test_what_is_written_twice_is_there_once_and_only_so_many_are(store, sample, monkeypatch):
    add_note(store, sample, SARI, FOG)
    add_note(store, sample, BUDI, FOG)
    with pytest.raises(Conflict, match="already"):
        add_note(store, sample, SARI, replace(FOG, shared=True))
    monkeypatch.setattr(notes_module, "MOST_NOTES", 1)
    with pytest.raises(Conflict, match="1 notes"):
        add_note(store, sample, SARI, DAY)
    assert texts(store) == ["fog"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "  "},
        {"text": "x" * (LONGEST_TEXT + 1)},
        {"text": "a\x00b"},
        {"text": "\ud800"},
        {"kind": "party"},
        {"start_ms": JULY + 1},
        {"end_ms": 2**62},
    ],
)
def test_what_is_no_note_is_refused(wrong):
    with pytest.raises(InvalidRequest):
        replace(FOG, **wrong)


def test_a_private_note_does_not_exist_for_others_administrators_included(store, sample):
    made = add_note(store, sample, SARI, FOG)
    for other in (BUDI, ROOT):
        assert visible_notes(store, other) == []
        for ask in (
            lambda: visible_note(store, other, made.id),  # noqa: B023
            lambda: remove_note(store, other, made.id),  # noqa: B023
            lambda: change_note(store, sample, other, made.id, text="x"),  # noqa: B023
        ):
            with pytest.raises(NotFound) as gone:
                ask()
            assert gone.value.message == f"There is no note {made.id}."
    assert texts(store, purpose=Purpose.EXPORT) == []  # what leaves has shared ones alone, also one's own


def test_a_shared_note_is_changed_by_its_owner_and_removed_by_an_administrator_too(store, sample):
    made = add_note(store, sample, SARI, DAY)
    assert texts(store, BUDI) == texts(store, SARI, purpose=Purpose.EXPORT) == [DAY.text]
    for act in (change_note, remove_note):
        with pytest.raises(NotPermitted, match="sari"):
            act(store, sample, BUDI, made.id) if act is change_note else act(store, BUDI, made.id)
    with pytest.raises(NotPermitted, match="sari"):
        change_note(store, sample, ROOT, made.id, text="x")
    remove_note(store, ROOT, made.id)
    assert texts(store) == []


DERIVED = {"dew_point": MadeOf(("temperature", "humidity"), back_ms=HOUR_MS)}


@pytest.mark.parametrize(
    ("grants", "sensor", "seen"),
    [
        ([Grant(("EWR",))], "temperature", True),
        ([Grant(("JFK",))], "temperature", False),
        ([Grant(("EWR",), ("humidity",))], "temperature", False),
        ([Grant(("EWR",), ("humidity",))], None, True),  # of the station as a whole: who may see any of it
        ([Grant(("JFK",))], None, False),
        ([], None, False),
        ([Grant(("EWR",), to_ms=JULY + DAY_MS)], "temperature", True),
        ([Grant(("EWR",), to_ms=JULY + DAY_MS - 1)], "temperature", False),  # not all of its time
        ([Grant(("EWR",), from_ms=JULY + 1)], None, False),
        ([Grant(("EWR",), to_ms=JULY + HOUR_MS), Grant(("EWR",), from_ms=JULY + HOUR_MS)], "temperature", True),
        ([Grant(("EWR",), longest_ms=1, finest="1mo")], "temperature", True),  # at any resolution
        ([Grant(("EWR",), from_ms=JULY - HOUR_MS)], "dew_point", True),
        ([Grant(("EWR",), from_ms=JULY)], "dew_point", False),  # its formula looks back
        ([Grant(("EWR",), ("temperature",))], "dew_point", False),
    ],
)
def test_a_shared_note_is_there_for_who_is_granted_all_of_its_time(store, grants, sensor, seen):
    assert is_granted(Rights(tuple(grants), derived=DERIVED), replace(DAY, sensor=sensor)) is seen


def test_a_note_leaves_with_who_may_export_its_time(store, sample):
    add_note(store, sample, SARI, DAY)
    kept, may = granted("budi", Grant(may_export=False)), granted("budi", Grant())
    assert texts(store, kept) == texts(store, may, purpose=Purpose.EXPORT) == [DAY.text]
    assert texts(store, kept, purpose=Purpose.EXPORT) == []


def test_notes_are_found_by_station_sensor_and_the_time_that_they_touch(store, sample):
    add_note(store, sample, SARI, FOG)
    add_note(store, sample, SARI, DAY)
    add_note(store, sample, SARI, replace(FOG, station="JFK", text="jfk"))
    add_note(store, sample, SARI, replace(FOG, sensor=None, text="all"))
    assert texts(store, stations=["JFK"]) == ["jfk"]
    assert texts(store, sensors=["humidity"]) == ["all"]
    assert set(texts(store, stations=["EWR"], sensors=["temperature"])) == {"fog", DAY.text, "all"}
    assert texts(store, stations=["EWR"], span=(JULY + 1, JULY + 2)) == [DAY.text]
    assert texts(store, stations=["JFK"], span=(JULY, JULY + 1)) == ["jfk"]  # a moment where the window begins
    assert texts(store, span=(JULY + DAY_MS, JULY + 2 * DAY_MS)) == texts(store, span=(JULY - 1, JULY)) == []
    assert len(texts(store, limit=2)) == 2
    assert len(texts(store, stations=[f"S{number}" for number in range(40_000)] + ["EWR"])) == 3


def test_all_pages_of_what_is_read_are_found_in_order(store, sample, monkeypatch):
    for number in range(7):
        add_note(store, sample, SARI, replace(FOG, text=str(number), start_ms=JULY + number // 3, end_ms=JULY + number // 3))
    whole = [one.id for one in visible_notes(store, SARI)]
    for page in (1, 2, 3, 7):
        monkeypatch.setattr(notes_module, "_PAGE", page)
        assert [one.id for one in visible_notes(store, SARI)] == whole
    assert len(whole) == len(set(whole)) == 7
    monkeypatch.setattr(notes_module, "_MOST_LOOKED_AT", 4)
    monkeypatch.setattr(notes_module, "_PAGE", 2)
    assert texts(store, BUDI, limit=4) == []


def test_notes_on_what_one_may_not_see_take_no_place_and_what_is_left_out_is_told(store, sample, monkeypatch):
    monkeypatch.setattr(notes_module, "_MOST_LOOKED_AT", 4)
    monkeypatch.setattr(notes_module, "_PAGE", 2)
    sari = granted("sari", Grant(("EWR",)))
    for number in range(9):
        add_note(store, sample, BUDI, replace(DAY, station="JFK", text=str(number), start_ms=JULY + number))
    later = {"start_ms": JULY + HOUR_MS, "end_ms": JULY + HOUR_MS}
    add_note(store, sample, sari, replace(FOG, text="own", **later))
    add_note(store, sample, BUDI, replace(DAY, text="theirs", start_ms=JULY + HOUR_MS + 1))
    add_note(store, sample, BUDI, replace(DAY, sensor="humidity", text="humid", start_ms=JULY + HOUR_MS + 2))
    assert found_texts(store, sari, limit=4) == (["own", "theirs", "humid"], False)
    assert found_texts(store, sari, limit=2) == (["own", "theirs"], True)
    assert found_texts(store, BUDI, sensors=["humidity"], limit=1) == (["humid"], False)
    assert found_texts(store, granted("tia", Grant(("JFK",), to_ms=JULY)), limit=4) == ([], True)  # looked at as many as may be


@ON_SQLITE
def test_a_file_has_more_notes_than_a_list(store, sample):
    made = add_note(store, sample, SARI, DAY)
    copies = [row_values(replace(made, id=f"{number:032x}")) for number in range(MOST_LISTED)]
    with store.engine.begin() as connection:
        connection.execute(note.insert(), copies)
    july = HistoryRequest(("EWR",), ("temperature",), JULY, JULY + DAY_MS)
    assert len(with_file_notes(sample, store, SARI, july).notes) == MOST_LISTED + 1


def test_what_is_not_there_or_not_granted_at_that_time_cannot_be_noted(store, sample):
    budi = granted("budi", Grant(("EWR",), ("temperature",), to_ms=JULY + 1), Grant(("JFK",), ("humidity",)))
    for content, error in (
        (replace(FOG, station="ZZZ"), UnknownStation),
        (replace(FOG, station="LGA"), UnknownStation),
        (replace(FOG, sensor="rainfall"), UnknownSensor),
        (replace(FOG, station="JFK"), UnknownSensor),
        (DAY, NotPermitted),
    ):
        with pytest.raises(error):
            add_note(store, sample, budi, content)
    made = add_note(store, sample, budi, FOG)
    with pytest.raises(NotPermitted):
        change_note(store, sample, budi, made.id, end_ms=JULY + DAY_MS)
    assert texts(store, budi) == ["fog"]


def test_an_embedded_chart_has_shared_notes_of_its_series_where_its_maker_shows_them(store, sample):
    store.add_account("sari")
    store.add_grant("user", "sari", Grant(("EWR", "JFK"), may_embed=True), by="test")
    for content in (DAY, FOG, replace(DAY, station="JFK", text="jfk"), replace(DAY, sensor=None, text="all")):
        add_note(store, sample, SARI, content)

    def viewer(owner: str = "sari", **spec: Any) -> Identity:  # its range begins within the span
        shown = EmbedSpec(("EWR",), ("temperature",), JULY + HOUR_MS, JULY + 2 * DAY_MS, **spec)
        made = new_embed(owner, "", shown, "https://portal.example", None)
        add_embed(store, made)
        assert find_embed(store, made.id) == made
        rights, maker = rights_of_user(store, EMBED_OWNER + made.id, epoch_ms())
        return Identity(EMBED_OWNER + made.id, via="embed", rights=rights, maker=maker)

    shows = viewer(notes=True)
    assert set(texts(store, shows)) == {DAY.text, "all"}
    assert texts(store, viewer()) == texts(store, viewer("budi", notes=True)) == []
    store.remove_grant(store.grants()[0].id)
    for grant in (Grant(("EWR",)), Grant(("EWR",), to_ms=JULY + 2 * HOUR_MS, may_embed=True)):
        store.add_grant("user", "sari", grant, by="test")
    assert texts(store, viewer(notes=True)) == []  # who made it may not embed all of that day
    for row in store.grants():
        store.remove_grant(row.id)
    assert texts(store, shows) == []
    assert texts(store, Identity(EMBED_OWNER + "0" * 16, via="embed")) == []


def test_what_cannot_be_read_hides_no_other_and_what_is_no_id_is_not_found(store, sample):
    kept, other = add_note(store, sample, SARI, FOG), add_note(store, sample, SARI, DAY)
    with store.engine.begin() as connection:
        connection.execute(update(note).where(note.c.id == other.id).values(kind="party"))
    assert texts(store) == ["fog"]
    for wrong in (other.id, None, 7, "%", kept.id.upper(), kept.id + "\n"):
        with pytest.raises(NotFound):
            visible_note(store, SARI, wrong)


def test_a_removed_users_shared_notes_stay_by_another_name_and_the_private_ones_go(store, sample):
    store.add_account("sari")
    add_note(store, sample, SARI, FOG)
    shared = add_note(store, sample, SARI, DAY)
    store.remove_account("sari")
    assert texts(store, SARI) == [DAY.text]
    with pytest.raises(NotPermitted, match="removed:"):  # nobody of that name has it
        change_note(store, sample, SARI, shared.id, text="x")


# -- over HTTP and on the page ---------------------------------------------------------------------

REQUEST = HistoryRequest(("EWR", "JFK"), ("temperature",), JULY - DAY_MS, JULY + 2 * DAY_MS, "raw", "America/New_York")
NEW: dict[str, Any] = {"station": "EWR", "sensor": "temperature", "from": "2013-07-12 20:00", "text": "fog"}
CATALOGUE = """
[stations."EWR"]
timezone = "America/New_York"
history = [
  { from = 2013-07-13, to = 2013-07-14, sensor = "temperature", instrument = "HMP155" },
  { from = 2013-07-20, latitude = 40.7, longitude = -74.2, text = "moved" },
]
"""


@pytest.fixture(scope="module")
def folder(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of which the request is loaded, and whose catalogue knows a station's past."""
    made = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("notes") / "var"))
    load_history(open_site(Settings(data_dir=made, _env_file=None)), REQUEST, lambda progress: None)
    (made / "past.toml").write_text(CATALOGUE, encoding="utf-8")
    return made


@pytest.fixture
def settings(folder: Path) -> Iterator[Settings]:
    found = Settings(data_dir=folder, sensors=folder / "past.toml", timezone="UTC", auth="proxy", admins="root", _env_file=None)
    yield found
    access = open_access(found)
    with access.engine.begin() as connection:
        connection.execute(delete(note))
    for row in access.grants():
        access.remove_grant(row.id)
    access.engine.dispose()


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Any]:
    """Ask the API as somebody; EWR is granted to everyone, JFK to sari."""
    access = open_access(settings)
    access.add_grant("everyone", "", Grant(("EWR",)), by="test")
    access.add_grant("user", "sari", Grant(("JFK",)), by="test")
    access.engine.dispose()
    client = create_app(settings).server.test_client()

    def asked(user: str, method: str, path: str, body: Any = None) -> Any:
        return client.open(path, method=method, json=body, headers={"X-Forwarded-User": user})

    return asked


def test_a_note_is_written_listed_changed_and_removed_over_http(ask):
    made = ask("sari", "POST", "/api/notes", NEW | {"to": "2013-07-13 20:00", "kind": "calibration", "shared": True})
    assert made.status_code == 201, made.text
    found = made.json
    assert (found["from"], found["to"]) == ("2013-07-13T00:00:00Z", "2013-07-14T00:00:00Z")  # the station's clock
    assert (found["owner"], found["own"], found["removable"], found["kind"]) == ("sari", True, True, "calibration")
    assert ask("budi", "GET", "/api/notes").json["notes"] == [found | {"own": False, "removable": False}]
    assert ask("root", "GET", "/api/notes?sensor=humidity").json["notes"] == []
    path = f"/api/notes/{found['id']}"
    moment = ask("sari", "PATCH", path, {"to": None, "text": "FOG"}).json
    assert moment == found | {"to": None, "text": "FOG", "changed": moment["changed"]}
    moved = ask("sari", "PATCH", path, {"from": "2013-07-14T00:00:00Z", "sensor": None}).json
    assert (moved["from"], moved["to"], moved["sensor"]) == ("2013-07-14T00:00:00Z", None, None)
    assert [ask(who, "DELETE", path).status_code for who in ("budi", "root", "root")] == [403, 204, 404]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"from": "soon"}, "from"),
        ({"to": "2013-07-01"}, "to"),
        ({"text": " "}, "text"),
        ({"text": "x" * 1001}, "text"),
        ({"kind": "party"}, "kind"),
        ({"station": "ZZZ"}, "stations"),
        ({"sensor": "colour"}, "sensors"),
        ({"timezone": "Mars"}, "timezone"),
        ({"owner": "budi"}, "owner"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(ask, change, field):
    answer = ask("sari", "POST", "/api/notes", NEW | change)
    assert (answer.status_code, answer.json["error"]["field"]) == (400, field), answer.text
    assert ask("sari", "GET", "/api/notes").json["notes"] == []


def test_a_private_note_is_in_nothing_that_others_get(ask, settings):
    ask("sari", "POST", "/api/notes", NEW | {"text": "secret"})
    ask("sari", "POST", "/api/notes", NEW | {"text": "of JFK", "station": "JFK", "shared": True})
    ledger = open_ledger(settings)
    jobs = {who: ledger.record_completed(who, REQUEST, {}).id for who in ("sari", "budi", "root")}
    for who, seen in (("sari", 2), ("budi", None), ("root", 1)):
        found = ask(who, "GET", f"/api/notes?job={jobs[who]}")
        figure = ask(who, "GET", f"/api/jobs/{jobs[who]}/figure?width=300")
        if seen is None:  # JFK is not granted, so the job is not there
            assert {found.status_code, figure.status_code} <= {403, 404}
            continue
        marks = figure.json["layout"]["meta"]["notes"]["marks"]
        assert len(found.json["notes"]) == len([each for each in marks for _ in each["ids"] if not each["history"]]) == seen
        assert ("secret" in found.text, "secret" in figure.text) == (who == "sari", who == "sari")
    only = replace(REQUEST, stations=("EWR",))
    own = ledger.record_completed("budi", only, {}).id
    assert "of JFK" not in ask("budi", "GET", "/api/notes").text + ask("budi", "GET", f"/api/jobs/{own}/figure?width=300").text
    assert ask("root", "GET", f"/api/notes?job={jobs['sari']}").json["notes"] == ask("root", "GET", "/api/notes").json["notes"]


def test_the_page_draws_the_notes_of_the_window_and_its_overview_is_another_one_then(folder, settings):
    services = Services(settings, open_site(settings), open_ledger(settings), open_access(settings), lambda: SARI, lambda: None)
    job = services.ledger.record_completed("sari", REQUEST, {})

    def drawn(start_ms: int, end_ms: int) -> tuple[dict[str, Any], str]:
        window = {"job": job.id, "start": start_ms, "end": end_ms, "sequence": 1}
        found = draw(services, ViewQuery(job.id, Selection.of(window), include_flagged=False, theme="light", width_px=800))
        return found.answer["figure"]["layout"], found.overview_version

    before = drawn(REQUEST.start_ms, REQUEST.end_ms)
    add_note(services.access, services.site, SARI, replace(DAY, text="sun"))
    after = drawn(REQUEST.start_ms, REQUEST.end_ms)
    assert [len(layout["meta"]["notes"]["marks"]) for layout, _ in (before, after)] == [1, 2]  # one of the station's history
    assert before[1] != after[1]
    zoomed = drawn(JULY + HOUR_MS, JULY + 2 * HOUR_MS)
    assert [each["at"] for each in zoomed[0]["meta"]["notes"]["marks"]] == [JULY + HOUR_MS]  # where the window begins
    assert zoomed[1] == after[1]
    assert zoomed[0]["height"] == after[0]["height"]
    assert "sun" not in json.dumps(zoomed[0])
    services.access.engine.dispose()


def test_the_page_says_that_there_may_be_more_notes_than_its_chart_takes(folder, settings, monkeypatch):
    services = Services(settings, open_site(settings), open_ledger(settings), open_access(settings), lambda: SARI, lambda: None)
    job = services.ledger.record_completed("sari", REQUEST, {})
    for text in ("sun", "rain"):
        add_note(services.access, services.site, SARI, replace(DAY, text=text))
    window = {"job": job.id, "start": REQUEST.start_ms, "end": REQUEST.end_ms, "sequence": 1}
    said = []
    for most in (3, 2):
        monkeypatch.setattr("callbacks.pictures.MOST_LISTED", most)
        query = ViewQuery(job.id, Selection.of(window), include_flagged=False, theme="light", width_px=800)
        said.append("there may be more" in str(draw(services, query).whole["controls"]))
    assert said == [False, True]
    services.access.engine.dispose()


def test_the_history_of_a_station_is_told_to_who_may_see_it_then(ask, settings):
    found = ask("budi", "GET", "/api/notes?from=2013-07-14&to=2013-07-15").json["history"]
    assert [(one["from"], one["to"], one["instrument"]) for one in found] == [
        ("2013-07-13T04:00:00Z", "2013-07-14T04:00:00Z", "HMP155")
    ]
    stations = {one["station"]: one["history"] for one in ask("budi", "GET", "/api/stations").json["stations"]}
    assert [one["text"] for one in stations["EWR"]] == ["", "moved"]
    access = open_access(settings)
    for row in access.grants():
        access.remove_grant(row.id)
    access.add_grant("everyone", "", Grant(("EWR",), ("humidity",), to_ms=JULY + 9 * DAY_MS), by="test")
    access.engine.dispose()
    assert [one["text"] for one in ask("budi", "GET", "/api/stations").json["stations"][0]["history"]] == ["moved"]


# -- in files --------------------------------------------------------------------------------------


def test_a_manifest_has_the_shared_notes_that_its_maker_may_take_away_and_the_file_none(ask, settings):
    job = {
        who: open_ledger(settings).record_completed(who, replace(REQUEST, stations=("EWR",)), {}).id for who in ("sari", "budi")
    }

    def made(who: str, kind: str = "csv") -> tuple[Any, Any]:
        paths = (f"/api/jobs/{job[who]}/{what}?format={kind}" for what in ("manifest", "data"))
        return tuple(ask(who, "GET", path) for path in paths)

    before, rows = made("budi")
    ask("sari", "POST", "/api/notes", NEW | {"text": "secret"})
    ask("sari", "POST", "/api/notes", NEW | {"text": "fog", "shared": True})
    for who in job:
        manifest, data = made(who)
        told = json.loads(manifest.text)
        assert [(one["kind"], one["text"], one["owner"]) for one in told["notes"]] == [
            ("event", "fog", "sari"),
            ("station history", "HMP155", ""),
        ]
        assert data.data == rows.data
        assert data.headers["ETag"] == rows.headers["ETag"]
        assert manifest.headers["ETag"] != before.headers["ETag"]
        assert told["file"] == json.loads(before.text)["file"]


def test_a_workbook_has_a_sheet_of_notes_where_there_are_some_and_is_another_then(folder, settings, tmp_path):
    site, access = open_site(settings), open_access(settings)
    plain = replace(REQUEST, stations=("JFK",))
    add_note(access, site, SARI, replace(DAY, station="JFK", text="=SUM(1)\nsun"))
    add_note(access, site, SARI, replace(FOG, station="JFK", text="secret"))
    noted = with_file_notes(site, access, SARI, plain)
    books = {}
    for name, of in (("plain", site), ("noted", noted)):
        books[name] = tmp_path / f"{name}.xlsx"
        write_file(of, plain, plain.start_ms, plain.end_ms, books[name], "xlsx")
    assert "Notes" not in sheets_of(books["plain"])
    found = sheets_of(books["noted"])["Notes"]
    assert found[1:] == [
        ["2013-07-12 20:00:00-04:00", "2013-07-13 20:00:00-04:00", "JFK", "temperature", "maintenance", "=SUM(1)\nsun", "sari"]
    ]
    assert export_file_tag(noted, plain, "workbook") != export_file_tag(site, plain, "workbook")
    assert export_file_tag(noted, plain, "netcdf") == export_file_tag(site, plain, "netcdf")
    access.engine.dispose()
