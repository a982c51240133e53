"""Notes in each kind of database: whose they are, who sees them, and what a site asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from access.embeds.embed_table import add_embed, find_embed, new_embed, rights_of_user
from access.embeds.spec import EmbedSpec
from access.grants import Grant, MadeOf, Purpose, Rights
from access.identity import Identity
from access.names import EMBED_OWNER
from access.notes import note_table as notes_module
from access.notes.note import LONGEST_TEXT, NoteContent, is_granted
from access.notes.note_table import add_note, change_note, remove_note, visible_note, visible_notes
from access.store import AccessStore
from access.tables import note
from config import Settings
from data.database.engine import make_engine
from data.site import Site, open_site
from data.time.epoch import DAY_MS, HOUR_MS, epoch_ms
from errors import Conflict, InvalidRequest, NotFound, NotPermitted, UnknownSensor, UnknownStation
from tests.people import granted, person

JULY = 1_373_673_600_000  # 2013-07-13 UTC
FOG = NoteContent("EWR", "temperature", JULY, JULY, "fog")
DAY = replace(FOG, end_ms=JULY + DAY_MS, text="thermometer in the sun", kind="maintenance", shared=True)
SARI, BUDI, ROOT = person("sari"), person("budi"), person("root", admin=True)


@pytest.fixture(scope="module")
def site(sample_data_dir: Path) -> Iterator[Site]:
    opened = open_site(Settings(data_dir=sample_data_dir, _env_file=None))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def store(migrated_url: str) -> Iterator[AccessStore]:
    engine = make_engine(migrated_url)
    yield AccessStore(engine)
    engine.dispose()


def texts(store: AccessStore, of: Identity = SARI, **asked: Any) -> list[str]:
    return [one.content.text for one in visible_notes(store, of, **asked)]


def test_a_note_is_found_as_it_was_written_changed_and_removed_and_each_is_audited(store, site):
    made = add_note(store, site, SARI, replace(FOG, text="  fog at 16:40\r\n→ visibility 200 m 🌫 "))
    assert made.content.text == "fog at 16:40\n→ visibility 200 m 🌫"
    assert visible_note(store, SARI, made.id) == made
    changed = change_note(store, site, SARI, made.id, sensor=None, end_ms=JULY + 1, shared=True, kind="event", text="FOG")
    assert changed.content == NoteContent("EWR", None, JULY, JULY + 1, "FOG", shared=True)
    assert visible_notes(store, SARI) == [changed]
    remove_note(store, SARI, made.id)
    assert visible_notes(store, SARI) == []
    entries = store.audit.entries(limit=9)
    assert [entry.action for entry in entries] == ["note_removed", "note_changed", "note_added"]
    assert [entry.subject.get("text") for entry in entries] == ["FOG", "FOG", None]  # the private one's is told to nobody


def test_what_is_written_twice_is_there_once_and_only_so_many_are(store, site, monkeypatch):
    add_note(store, site, SARI, FOG)
    add_note(store, site, BUDI, FOG)
    with pytest.raises(Conflict, match="already"):
        add_note(store, site, SARI, replace(FOG, shared=True))
    monkeypatch.setattr(notes_module, "MOST_NOTES", 1)
    with pytest.raises(Conflict, match="1 notes"):
        add_note(store, site, SARI, DAY)
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


def test_a_private_note_does_not_exist_for_others_administrators_included(store, site):
    made = add_note(store, site, SARI, FOG)
    for other in (BUDI, ROOT):
        assert visible_notes(store, other) == []
        for ask in (
            lambda: visible_note(store, other, made.id),  # noqa: B023
            lambda: remove_note(store, other, made.id),  # noqa: B023
            lambda: change_note(store, site, other, made.id, text="x"),  # noqa: B023
        ):
            with pytest.raises(NotFound) as gone:
                ask()
            assert gone.value.message == f"There is no note {made.id}."
    assert texts(store, purpose=Purpose.EXPORT) == []  # what leaves has shared ones alone, also one's own


def test_a_shared_note_is_changed_by_its_owner_and_removed_by_an_administrator_too(store, site):
    made = add_note(store, site, SARI, DAY)
    assert texts(store, BUDI) == texts(store, SARI, purpose=Purpose.EXPORT) == [DAY.text]
    for act in (change_note, remove_note):
        with pytest.raises(NotPermitted, match="sari"):
            act(store, site, BUDI, made.id) if act is change_note else act(store, BUDI, made.id)
    with pytest.raises(NotPermitted, match="sari"):
        change_note(store, site, ROOT, made.id, text="x")
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


def test_a_note_leaves_with_who_may_export_its_time(store, site):
    add_note(store, site, SARI, DAY)
    kept, may = granted("budi", Grant(may_export=False)), granted("budi", Grant())
    assert texts(store, kept) == texts(store, may, purpose=Purpose.EXPORT) == [DAY.text]
    assert texts(store, kept, purpose=Purpose.EXPORT) == []


def test_notes_are_found_by_station_sensor_and_the_time_that_they_touch(store, site):
    add_note(store, site, SARI, FOG)
    add_note(store, site, SARI, DAY)
    add_note(store, site, SARI, replace(FOG, station="JFK", text="jfk"))
    add_note(store, site, SARI, replace(FOG, sensor=None, text="all"))
    assert texts(store, stations=["JFK"]) == ["jfk"]
    assert texts(store, sensors=["humidity"]) == ["all"]
    assert set(texts(store, stations=["EWR"], sensors=["temperature"])) == {"fog", DAY.text, "all"}
    assert texts(store, stations=["EWR"], span=(JULY + 1, JULY + 2)) == [DAY.text]
    assert texts(store, stations=["JFK"], span=(JULY, JULY + 1)) == ["jfk"]  # a moment where the window begins
    assert texts(store, span=(JULY + DAY_MS, JULY + 2 * DAY_MS)) == texts(store, span=(JULY - 1, JULY)) == []
    assert len(texts(store, limit=2)) == 2
    assert len(texts(store, stations=[f"S{number}" for number in range(40_000)] + ["EWR"])) == 3


def test_what_is_not_there_or_not_granted_at_that_time_cannot_be_noted(store, site):
    budi = granted("budi", Grant(("EWR",), ("temperature",), to_ms=JULY + 1), Grant(("JFK",), ("humidity",)))
    for content, error in (
        (replace(FOG, station="ZZZ"), UnknownStation),
        (replace(FOG, station="LGA"), UnknownStation),
        (replace(FOG, sensor="rainfall"), UnknownSensor),
        (replace(FOG, station="JFK"), UnknownSensor),
        (DAY, NotPermitted),
    ):
        with pytest.raises(error):
            add_note(store, site, budi, content)
    made = add_note(store, site, budi, FOG)
    with pytest.raises(NotPermitted):
        change_note(store, site, budi, made.id, end_ms=JULY + DAY_MS)
    assert texts(store, budi) == ["fog"]


def test_an_embedded_chart_has_shared_notes_of_its_series_where_its_maker_shows_them(store, site):
    store.add_account("sari")
    store.add_grant("user", "sari", Grant(("EWR", "JFK"), may_embed=True), by="test")
    for content in (DAY, FOG, replace(DAY, station="JFK", text="jfk"), replace(DAY, sensor=None, text="all")):
        add_note(store, site, SARI, content)

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
    assert texts(store, shows) == []
    assert texts(store, Identity(EMBED_OWNER + "0" * 16, via="embed")) == []


def test_what_cannot_be_read_hides_no_other_and_what_is_no_id_is_not_found(store, site):
    kept, other = add_note(store, site, SARI, FOG), add_note(store, site, SARI, DAY)
    with store.engine.begin() as connection:
        connection.execute(update(note).where(note.c.id == other.id).values(kind="party"))
    assert texts(store) == ["fog"]
    for wrong in (other.id, None, 7, "%", kept.id.upper(), kept.id + "\n"):
        with pytest.raises(NotFound):
            visible_note(store, SARI, wrong)


def test_a_removed_users_shared_notes_stay_by_another_name_and_the_private_ones_go(store, site):
    store.add_account("sari")
    add_note(store, site, SARI, FOG)
    shared = add_note(store, site, SARI, DAY)
    store.remove_account("sari")
    assert texts(store, SARI) == [DAY.text]
    with pytest.raises(NotPermitted, match="removed:"):  # nobody of that name has it
        change_note(store, site, SARI, shared.id, text="x")
