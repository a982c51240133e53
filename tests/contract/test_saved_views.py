"""Saved views in each kind of database, and over HTTP: whose they are, who sees them,
and what a site asks of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from access.grants import Grant
from access.saved import saved_view as saved_module
from access.saved.saved_selection import SavedSelection
from access.saved.saved_view import (
    MOST_LISTED,
    change_view,
    home_view,
    remove_view,
    save_view,
    visible_view,
    visible_views,
)
from access.store import AccessStore
from access.tables import saved_view
from app import create_app
from config import Settings
from errors import Conflict, NotFound, NotPermitted, UnknownSensor, UnknownStation
from tests.people import granted, person

EWR = SavedSelection(("EWR",), ("temperature",), preset="30d")
NEW: dict[str, Any] = {"name": "July heat", "stations": ["EWR"], "sensors": ["temperature"], "range": {"preset": "30d"}}
SARI, BUDI, ROOT = person("sari"), person("budi"), person("root", admin=True)


def names(store: AccessStore, *, of: Any = SARI) -> list[str]:
    return [one.name for one in visible_views(store, of)]


def test_a_view_is_found_as_it_was_saved_changed_and_removed_and_each_is_audited(store, sample):
    made = save_view(store, sample, SARI, " Heat ", EWR, shared=True)
    assert (made.name, made.owner, made.shows, made.shared, made.home) == ("Heat", "sari", EWR, True, False)
    assert visible_view(store, SARI, made.id) == made
    longer = SavedSelection(("EWR", "JFK"), ("temperature",), last_ms=86_400_000, view="calendar", options={"show": "mean"})
    changed = change_view(store, sample, SARI, made.id, name="heat", shows=longer, shared=False)
    assert (changed.name, changed.shows, changed.shared) == ("heat", longer, False)
    remove_view(store, SARI, made.id)
    assert visible_views(store, SARI) == []
    assert [entry.action for entry in store.audit.entries(limit=9)] == ["view_removed", "view_saved", "view_saved"]


def test_names_of_one_user_differ_and_case_counts(store, sample):
    save_view(store, sample, SARI, "Heat", EWR)
    other = save_view(store, sample, SARI, "heat", EWR)
    save_view(store, sample, BUDI, "Heat", EWR)
    with pytest.raises(Conflict, match="Heat"):
        save_view(store, sample, SARI, "Heat", EWR)
    with pytest.raises(Conflict, match="Heat"):
        change_view(store, sample, SARI, other.id, name="Heat")
    assert names(store) == ["Heat", "heat"]


def test_a_user_has_one_home_and_so_many_views(store, sample, monkeypatch):
    first, second = (save_view(store, sample, SARI, name, EWR, home=True) for name in ("a", "b"))
    save_view(store, sample, BUDI, "a", EWR, home=True)
    found = home_view(store, SARI)
    assert found is not None
    assert found.id == second.id
    change_view(store, sample, SARI, first.id, home=True)
    assert [one.home for one in visible_views(store, SARI)] == [True, False]
    change_view(store, sample, SARI, first.id, home=False)
    assert home_view(store, SARI) is None
    monkeypatch.setattr(saved_module, "MOST_SAVED", 2)
    with pytest.raises(Conflict, match="2 saved views"):
        save_view(store, sample, SARI, "c", EWR)


def test_a_private_view_does_not_exist_for_others_administrators_included(store, sample):
    made = save_view(store, sample, SARI, "mine", EWR)
    for other in (BUDI, ROOT):
        assert names(store, of=other) == []
        with pytest.raises(NotFound):
            change_view(store, sample, other, made.id, name="x")
        with pytest.raises(NotFound):
            remove_view(store, other, made.id)
        with pytest.raises(NotFound) as gone:
            visible_view(store, other, made.id)
        with pytest.raises(NotFound) as never:
            visible_view(store, other, "0" * 16)
        assert gone.value.message.replace(made.id, "0" * 16) == never.value.message
    assert names(store) == ["mine"]


def test_a_shared_view_is_there_for_who_may_see_all_its_series_and_only_its_owner_changes_it(store, sample):
    both = SavedSelection(("EWR", "JFK"), ("temperature", "humidity"), preset="30d")
    made = save_view(store, sample, SARI, "both", both, shared=True)
    everything = granted("budi", Grant(("*",), ("*",)))
    one_station, one_sensor = granted("budi", Grant(("EWR",))), granted("budi", Grant(("*",), ("temperature",)))
    across = granted("budi", Grant(("EWR",), ("temperature",)), Grant(("JFK",), ("humidity",)))
    assert names(store, of=everything) == ["both"]
    for lacking in (one_station, one_sensor, across, granted("budi")):
        assert names(store, of=lacking) == []
        with pytest.raises(NotFound):
            visible_view(store, lacking, made.id)
    with pytest.raises(NotPermitted, match="sari"):
        change_view(store, sample, everything, made.id, name="x")
    with pytest.raises(NotPermitted, match="sari"):
        remove_view(store, everything, made.id)
    remove_view(store, ROOT, made.id)  # whose name may be what nobody wants to read
    assert names(store) == []


def test_what_is_not_there_or_not_granted_cannot_be_saved(store, sample):
    budi = granted("budi", Grant(("EWR",), ("temperature",)), Grant(("JFK",), ("humidity",)))
    for shows, error in (
        (SavedSelection(("ZZZ",), ("temperature",), preset="30d"), UnknownStation),
        (SavedSelection(("LGA",), ("temperature",), preset="30d"), UnknownStation),
        (SavedSelection(("EWR",), ("rainfall",), preset="30d"), UnknownSensor),
        (SavedSelection(("EWR", "JFK"), ("temperature", "humidity"), preset="30d"), UnknownSensor),
    ):
        with pytest.raises(error):
            save_view(store, sample, budi, "x", shows)
    assert names(store, of=budi) == []


def test_what_cannot_be_read_hides_no_other_and_what_is_no_id_is_not_found(store, sample):
    kept = save_view(store, sample, SARI, "kept", EWR)
    other = save_view(store, sample, SARI, "other", EWR, home=True)
    with store.engine.begin() as connection:
        connection.execute(update(saved_view).where(saved_view.c.id == other.id).values(shows="{}"))
    assert [one.id for one in visible_views(store, SARI)] == [kept.id]
    assert home_view(store, SARI) is None
    for view_id in (other.id, None, 7, "", "\0", "x" * 300, "\ud800"):
        with pytest.raises(NotFound):
            visible_view(store, SARI, view_id)


def test_with_an_account_go_its_saved_views(store, sample):
    store.add_account("sari")
    save_view(store, sample, SARI, "mine", EWR, shared=True)
    kept = save_view(store, sample, BUDI, "budi's", EWR)
    store.remove_account("sari")
    assert [one.id for one in visible_views(store, BUDI)] == [kept.id]
    assert visible_views(store, SARI) == []


def test_in_a_list_ones_own_views_come_before_those_that_others_share(store, sample):
    values = {"owner": "x", "shows": EWR.to_json(), "shared": True, "home": False, "created_ms": 0, "changed_ms": 0}
    with store.engine.begin() as connection:
        connection.execute(insert(saved_view), [values | {"id": f"{number:016x}", "name": str(number)} for number in range(300)])
    save_view(store, sample, SARI, "zz", EWR)
    assert names(store)[:2] == ["zz", "0"]
    assert len(names(store)) == 1 + MOST_LISTED


# -- over HTTP -------------------------------------------------------------------------------------


@pytest.fixture
def client(data_dir: Path) -> FlaskClient:
    return create_app(Settings(data_dir=data_dir, timezone="UTC", _env_file=None)).server.test_client()


def test_a_view_is_saved_listed_changed_and_removed_without_sign_in_too(client):
    july = {"from": "2013-07-01", "to": "2013-08-01"}
    window = {"from": "2013-07-13", "to": "2013-07-20"}
    more = {"range": july, "window": window, "view": "calendar", "options": {"show": "mean"}, "shared": True, "home": True}
    more |= {"hidden": ["EWR.temperature"], "flagged": True}
    made = client.post("/api/views", json=NEW | more)
    assert made.status_code == 201, made.text
    found = dict(made.json or {})
    assert found["range"] == {"from": "2013-07-01T04:00:00Z", "to": "2013-08-01T04:00:00Z", "last": None, "preset": None}
    assert found["window"] == {"from": "2013-07-13T04:00:00Z", "to": "2013-07-20T04:00:00Z"}
    assert (found["owner"], found["view"], found["options"], found["home"]) == ("local", "calendar", {"show": "mean"}, True)
    assert (found["hidden"], found["flagged"]) == (["EWR.temperature"], True)
    assert found["page"] == f"/?saved={found['id']}"
    assert client.get("/api/views").json == {"views": [found]}
    renamed = client.post(f"/api/views/{found['id']}", json={"name": "Heat", "home": False}).json
    assert renamed == found | {"name": "Heat", "home": False, "changed": renamed["changed"]}
    assert client.delete(f"/api/views/{found['id']}").status_code == 204
    assert client.delete(f"/api/views/{found['id']}").status_code == 404
    assert client.get("/api/views").json == {"views": []}


WRONG: Final[tuple[tuple[dict[str, Any], str], ...]] = (
    ({"range": {}}, "range"),
    ({"range": {"last": "7w"}}, "range"),
    ({"range": {"from": "2013-07-01", "to": "soon"}}, "range"),
    ({"range": {"from": "2013-07-01", "last": "7d"}}, "range"),
    ({"range": {"preset": "8d"}}, "range"),
    ({"view": "radar"}, "view"),
    ({"name": "\u202eevil"}, "name"),
    ({"options": {"Show": "mean"}}, "view"),
    ({"stations": ["ZZZ"]}, "stations"),
    ({"colour": "red"}, "colour"),
)


def test_a_wrong_field_is_named_and_nothing_is_saved(client):
    said = {}
    for change, field in WRONG:
        answer = client.post("/api/views", json=NEW | change)
        if answer.status_code != 400 or (answer.json or {})["error"]["field"] != field:
            said[field] = answer.text
    assert not said
    assert client.get("/api/views").json == {"views": []}
