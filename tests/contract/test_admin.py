"""The administrators' page: what each button does on a real database,
and that for others there is no such page at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from dash import no_update
from flask.testing import FlaskClient

from access.embeds.embed_table import add_embed, embeds, new_embed
from access.embeds.spec import EmbedSpec
from access.grants import EVERYTHING, Grant
from access.identity import Identity
from access.keys import keys_of, new_key
from access.logins import open_logins
from access.passwords import hash_password, verify_password
from access.store import AccessStore, open_access
from app import create_app
from callbacks.admin import log_answer, preview_patterns, rows, selected_details
from callbacks.admin_change import ACTIONS_OF, CHANGES, Outcome, Press, act, made_password
from callbacks.admin_forms import GrantForm, add_grant, add_user, join_group
from callbacks.admin_rows import entry_words, grant_row, some_names
from config import Settings
from data.site import open_site
from errors import NotFound, WrongPassword
from i18n import set_language
from jobs.ledger.ledger import open_ledger
from jobs.services import Services
from layouts.admin import action_id
from layouts.admin_grids import KINDS, action_names, columns
from layouts.ids import GRANT_ADD, GRANT_STATIONS, GROUP_JOIN, GROUP_NAME, GROUP_USER, USER_ADD, USER_NAME

PASSWORD = "curah hujan 1950"
ADMIN = Identity("kepala", admin=True, via="login", rights=EVERYTHING)
OTHERS = (Identity("sari", via="login"), Identity("sari", via="login", rights=EVERYTHING), Identity(""))
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_password(PASSWORD)


@pytest.fixture
def services(data_dir, hashed) -> Iterator[Services]:
    """The sample with users sari, budi (disabled) and kepala (administrator),
    and one of everything.
    """
    settings = Settings(data_dir=data_dir, auth="login", timezone="Asia/Jakarta", _env_file=None)
    site, ledger, access = open_site(settings), open_ledger(settings), open_access(settings)
    access.add_account("kepala", password_hash=hashed, admin=True)
    access.add_account("sari", password_hash=hashed)
    access.add_account("budi", password_hash=hashed)
    access.change_account("budi", disabled=True)
    access.join("met", "sari")
    access.add_grant("group", "met", Grant(("J*",), longest_ms=2 * DAY_MS, finest="1h"), note="why", by="kepala")
    new_key(access, "sari", label="report", scopes=["read"], expires_ms=None, now_ms=1)
    spec = EmbedSpec(("JFK",), ("temperature",), last_ms=7 * DAY_MS, resolution="1h", timezone="UTC")
    add_embed(access, new_embed("sari", "Landing", spec, "https://portal.example", None))
    set_language("en")
    yield Services(settings, site, ledger, access, lambda: ADMIN, lambda: None)
    for engine in (site.engine, ledger.engine, access.engine):
        engine.dispose()


def everything(access: AccessStore) -> str:
    """All that an administrator can change, as text."""
    found = (access.accounts(), access.groups(), access.grants(), keys_of(access), embeds(access))
    return repr([*found, access.password_hash("sari")])


def words(component: Any) -> str:
    return json.dumps(component.to_plotly_json() if component is not None else None, default=lambda each: each.to_plotly_json())


def told(outcome: Outcome) -> str:
    return words(outcome.said)


def only(services: Services, kind: str, name: str = "") -> dict[str, Any]:
    """The one row of a tab, or the one with a name."""
    return next(row for row in rows(services, ADMIN, kind) if not name or row["id"] == name)


# -- what the tabs show ----------------------------------------------------------------------------


def test_each_tab_shows_what_there_is(services):
    assert [(row["name"], row["state"], row["groups"]) for row in rows(services, ADMIN, "user")] == [
        ("budi", "Disabled", ""),
        ("kepala", "Administrator", ""),
        ("sari", "", "met"),
    ]
    assert (only(services, "group")["name"], only(services, "group")["members"]) == ("met", "sari")
    grant = only(services, "grant")
    assert (grant["subject"], grant["stations"], grant["range"], grant["note"]) == ("Group met", "J*", "All", "why")
    assert grant["limits"] == "2 days at most, 1 h or coarser"
    assert (only(services, "key")["owner"], only(services, "key")["state"], only(services, "key")["used"]) == (
        "sari",
        "Valid",
        "never",
    )
    assert only(services, "embed")["label"] == "Landing · JFK · temperature"
    for kind in KINDS:
        fields = {column["field"].removesuffix("_order") for column in columns()[kind]}
        assert all(fields <= row.keys() for row in rows(services, ADMIN, kind)), kind
        assert "argon2" not in repr(rows(services, ADMIN, kind))


def test_what_can_be_done_stands_with_the_selected_row_and_fits_it(services):
    def names(kind: str, row: str) -> list[str]:
        return re.findall(
            r'"name": "(\w+)"', words_of(selected_details(services, kind, rows(services, ADMIN, kind), [{"id": row}]))
        )

    assert names("user", "sari") == ["admin", "disable", "password", "remove"]
    assert names("user", "budi") == ["admin", "enable", "password", "remove"]
    assert names("user", "kepala") == ["unadmin", "disable", "password", "remove"]
    assert names("group", "met") == ["leave"]
    key = keys_of(services.access)[0].id
    assert names("key", key) == ["revoke"]
    act(services, ADMIN, Press("key", "revoke", key))
    assert names("key", key) == []
    by_proxy = replace(services, settings=services.settings.model_copy(update={"auth": "proxy"}))
    shown = selected_details(by_proxy, "user", rows(by_proxy, ADMIN, "user"), [{"id": "sari"}])
    assert "password" not in re.findall(r'"name": "(\w+)"', words_of(shown))
    for nonsense in (None, [], "x", [7], [{"id": "nobody"}], [{}]):
        assert selected_details(services, "user", rows(services, ADMIN, "user"), nonsense) is None


def words_of(components: Any) -> str:
    return "".join(words(each) for each in components or ())


def test_every_action_of_the_log_has_a_name_and_what_it_was_about_is_one_line():
    set_language("en")
    assert len(set(action_names().values())) == len(action_names())
    subject = {
        "job": "7",
        "stations": ["a", "b", "c", "d", "e"],
        "sensors": ["rain"],
        "from": "2013-01-01T00:00:00Z",
        "to": "2013-02-01T00:00:00Z",
    }
    assert entry_words(subject, "UTC") == "a, b, c, 2 more · rain · 1 Jan 2013 – 31 Jan 2013 UTC · job 7"
    assert entry_words({"user": "x", "admin": True, "note": ""}, "UTC") == "user x · administrator yes"
    granted = {"grant": 1, "longest_ms": 1.5 * DAY_MS, "finest": "1h"}
    assert entry_words(granted, "UTC") == "grant 1 · longest 1.50 days · finest 1 h"
    assert entry_words(granted | {"longest_ms": 366 * DAY_MS, "finest": "raw"}, "UTC") == "grant 1 · longest 366 days"
    assert some_names(["a", "b", "c", "d"]) == "a, b, c, d"


# -- what an administrator changes -----------------------------------------------------------------


def test_a_new_user_gets_a_password_that_is_shown_once_works_and_is_written_nowhere(services):
    said = told(add_user(services, ADMIN, " rini ", admin=False))
    password = re.findall(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}", said)[0]
    assert verify_password(services.access.password_hash("rini"), password)
    assert not services.access.account("rini").admin
    assert password not in repr([vars(entry) for entry in services.access.audit.every()])
    assert len({made_password() for _each in range(50)}) == 50


def test_behind_a_proxy_a_new_user_has_no_password(services):
    by_proxy = replace(services, settings=services.settings.model_copy(update={"auth": "proxy"}))
    assert "User rini added." in told(add_user(by_proxy, ADMIN, "rini", admin=True))
    assert services.access.account("rini").admin
    assert services.access.password_hash("rini") is None
    assert "Not found." in told(act(by_proxy, ADMIN, Press("user", "password", "sari")))


@pytest.mark.parametrize(
    ("name", "says"),
    [("", "not a valid name"), ("sari", "already"), ("local", "reserved"), (None, "not a valid name"), (["x"], "added")],
)
def test_a_name_that_cannot_be_one_is_refused_in_words(services, name, says):
    assert says in told(add_user(services, ADMIN, name, admin=False))


def test_the_buttons_of_a_user_do_what_they_say(services):
    access = services.access
    act(services, ADMIN, Press("user", "admin", "sari"))
    assert access.account("sari").admin
    act(services, ADMIN, Press("user", "unadmin", "sari"))
    assert not access.account("sari").admin
    before = access.account("sari").session
    act(services, ADMIN, Press("user", "disable", "sari"))
    assert access.account("sari").disabled
    act(services, ADMIN, Press("user", "enable", "sari"))
    said = told(act(services, ADMIN, Press("user", "password", "sari")))
    assert verify_password(access.password_hash("sari"), re.findall(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}", said)[0])
    assert access.account("sari").session != before
    act(services, ADMIN, Press("user", "remove", "sari"))
    assert access.account("sari") is None
    assert all(key.revoked_ms for key in keys_of(access))


@pytest.mark.parametrize("name", ["unadmin", "disable", "remove"])
def test_the_last_administrator_cannot_be_taken_away_on_the_page(services, name):
    assert "last administrator" in told(act(services, ADMIN, Press("user", name, "kepala")))
    assert services.access.account("kepala").admin
    assert not services.access.account("kepala").disabled


def test_users_join_and_leave_groups_and_only_those_that_there_are(services):
    assert "no user nobody" in told(join_group(services, ADMIN, "met", "nobody"))
    join_group(services, ADMIN, " hydro ", " sari ")
    assert services.access.groups() == {"hydro": ("sari",), "met": ("sari",)}
    act(services, ADMIN, Press("group", "leave", "met", "sari"))
    assert services.access.groups()["met"] == ()  # its grant is still there
    assert "not in the group" in told(act(services, ADMIN, Press("group", "leave", "met", "sari")))


def test_a_grant_is_what_the_form_says(services):
    form = GrantForm(
        "user", " sari ", "JFK, L*\nE?R,", "temp*;rain*", "2013-01-01", "2014-01-01 12:00", "1,5", "10min", ["embed"], " note "
    )
    assert "Grant 2 added: JFK, L*, E?R to sari." in told(add_grant(services, ADMIN, form))
    row = services.access.grants()[-1]
    assert (row.kind, row.subject, row.note, row.created_by) == ("user", "sari", "note", "kepala")
    jakarta_ms = 7 * 3_600_000
    assert row.grant == Grant(
        ("JFK", "L*", "E?R"),
        ("temp*", "rain*"),
        1_356_998_400_000 - jakarta_ms,
        1_388_577_600_000 - jakarta_ms,
        DAY_MS * 3 // 2,
        "10min",
        may_export=False,
        may_embed=True,
    )
    assert grant_row(row, "Asia/Jakarta")["may"] == "embed"
    assert "removed" in told(act(services, ADMIN, Press("grant", "remove", str(row.id))))
    assert len(services.access.grants()) == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"stations": ""}, "at least one pattern"),
        ({"stations": " , "}, "at least one pattern"),
        ({"sensors": None}, "at least one pattern"),
        ({"kind": "planet"}, "planet"),
        ({"kind": "group", "subject": ""}, "not a valid name"),
        ({"start": "yesterday"}, "not a time"),
        ({"start": "2014-01-01", "end": "2013-01-01"}, "before the end"),
        ({"longest": "many"}, "not a number of days"),
        ({"longest": "-1"}, "not a number of days"),
        ({"longest": "nan"}, "not a number of days"),
        ({"finest": "2h"}, "no resolution"),
        ({"finest": ["raw"]}, "no resolution"),
    ],
)
def test_a_form_that_means_nothing_says_what_is_wrong_and_grants_nothing(services, wrong, says):
    form = replace(GrantForm(stations="JFK"), **wrong)
    assert says in told(add_grant(services, ADMIN, form))
    assert len(services.access.grants()) == 1


def test_the_form_shows_which_known_stations_and_sensors_fit(services):
    def shown(stations: Any, sensors: Any = "*") -> str:
        return words_of(preview_patterns(services, ADMIN, stations, sensors))

    assert "2 of 3 stations: JFK, LGA" in shown("J*, L*")
    assert "No current station matches." in shown("jfk")
    assert "estimate-wrong" in shown("jfk")
    assert "1 of 11 sensors: rainfall" in shown("*", "rain*")
    assert "No sensor matches." in shown("*", "x")
    assert "with commas" in shown("")
    assert "with commas" in shown(None, None)


def test_keys_and_embedded_charts_are_revoked(services):
    assert "report" in told(act(services, ADMIN, Press("key", "revoke", keys_of(services.access)[0].id)))
    assert "portal.example" in told(act(services, ADMIN, Press("embed", "revoke", embeds(services.access)[0].id)))
    assert keys_of(services.access)[0].revoked_ms
    assert embeds(services.access)[0].revoked_ms


def test_what_does_not_exist_is_not_done(services):
    before = everything(services.access)
    for kind, name in CHANGES:
        for target in ("nobody", "", "999", "a\nb", "9" * 40, None, {"x": 1}):
            outcome = act(services, ADMIN, Press.of({"kind": kind, "name": name, "target": target, "member": target}))
            assert not outcome.ok, (kind, name, target)
            assert "notice-warning" in told(outcome), (kind, name, target)
    assert "notice-warning" in told(act(services, ADMIN, Press("user", "promote", "sari")))
    assert everything(services.access) == before


def test_the_log_is_filtered_by_the_fields_and_a_wrong_time_is_said(services):
    found = log_answer(services, ADMIN, "", "", "", "", 0)
    assert found.rows[0]["action"] == "Chart embedded"
    assert found.csv == "/api/audit?format=csv"
    assert [row["action"] for row in log_answer(services, ADMIN, None, "key_made", None, None, None).rows] == ["Key created"]
    assert "action=key_made" in log_answer(services, ADMIN, "", "key_made", "", "", 0).csv
    assert log_answer(services, ADMIN, "", "", "", "2001-01-01", 0).count == "0 entries in total"
    wrong = log_answer(services, ADMIN, "", "", "yesterday", "", 0)
    assert wrong.rows is no_update
    assert "not a time" in words(wrong.wrong)


# -- others ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", OTHERS)
def test_what_somebody_else_sends_gives_nothing_and_changes_nothing(services, identity):
    before = everything(services.access)
    asked = [
        *(lambda kind=kind: rows(services, identity, kind) for kind in KINDS),
        lambda: log_answer(services, identity, "", "", "", "", 0),
        lambda: preview_patterns(services, identity, "*", "*"),
        lambda: add_user(services, identity, "rini", admin=True),
        lambda: join_group(services, identity, "met", "sari"),
        lambda: add_grant(services, identity, GrantForm(stations="*")),
        *(lambda change=change: act(services, identity, Press(*change, "sari")) for change in CHANGES),
    ]
    for ask in asked:
        with pytest.raises(NotFound):
            ask()
    assert everything(services.access) == before


@dataclass(frozen=True)
class Site:
    """The site over HTTP."""

    client: FlaskClient
    callbacks: dict[str, Any]
    access: AccessStore

    def sign_in(self, name: str) -> None:
        token = re.search(r'name="csrf" value="([^"]+)"', self.client.get("/login").text)
        assert token
        self.client.post("/login", data={"csrf": token[1], "name": name, "password": PASSWORD})

    def press(self, kind: str, name: str, target: str) -> Any:
        """What the page sends when a button of a row is pressed."""
        return self.send(action_id(kind, name, target, ""))

    def send(self, button: Any, **fields: Any) -> Any:
        """What the page sends when a button is pressed while ``fields`` stand in its forms."""
        found = next(each for each in self.callbacks if "admin-alert.children" in each)
        row = [{"id": button, "property": "n_clicks", "value": 1}] if isinstance(button, dict) else []
        forms = [USER_ADD, GROUP_JOIN, GRANT_ADD]
        inputs = [row, *({"id": each, "property": "n_clicks", "value": int(each == button)} for each in forms)]
        outputs = [{"id": part.rpartition(".")[0], "property": part.rpartition(".")[2]} for part in found.strip(".").split("...")]
        state = [{**each, "value": fields.get(each["id"])} for each in self.callbacks[found]["state"]]
        ident = json.dumps(button, sort_keys=True, separators=(",", ":")) if row else button
        body = {"output": found, "outputs": outputs, "inputs": inputs, "state": state, "changedPropIds": [f"{ident}.n_clicks"]}
        return self.client.post("/admin/_dash-update-component", json=body)


def links_to_it(client: FlaskClient, page: str) -> bool:
    """Whether the layout of a page has a link to the administrators'."""
    layout = client.get(page).json
    assert '"href": "/jobs"' in json.dumps(layout)
    return '"href": "/admin"' in json.dumps(layout)


@pytest.fixture
def over_http(services) -> Site:
    app = create_app(services.settings)
    dependencies = None
    client = app.server.test_client()
    site = Site(client, {}, services.access)
    site.sign_in("kepala")
    dependencies = client.get("/admin/_dash-dependencies").json
    site.callbacks.update({each["output"]: each for each in dependencies})
    client.delete_cookie("riwayat_session")
    return site


def test_the_first_field_of_a_form_is_empty_again_once_all_went_well(over_http):
    over_http.sign_in("kepala")
    name_of = {USER_ADD: USER_NAME, GROUP_JOIN: GROUP_USER, GRANT_ADD: GRANT_STATIONS}
    sent = {USER_NAME: "rini", GROUP_NAME: "met", GROUP_USER: "budi"}
    for button in (USER_ADD, GROUP_JOIN):
        changed = over_http.send(button, **sent).json["response"]
        assert {part for part in changed if part in name_of.values()} == {name_of[button]}
        assert changed[name_of[button]] == {"value": ""}
        again = over_http.send(button, **sent | {USER_NAME: "rini", GROUP_USER: "nobody"}).json["response"]
        assert "notice-warning" in json.dumps(again)
        assert not set(again) & set(name_of.values())
    assert "notice-warning" in over_http.send(GRANT_ADD).text
    assert over_http.access.groups()["met"] == ("budi", "sari")


def test_the_page_is_there_for_administrators_and_leads_nowhere_for_others(over_http):
    paths = ("/admin", "/admin/", "/admin/_dash-layout", "/admin/_dash-dependencies")
    over_http.sign_in("kepala")
    assert [over_http.client.get(path).status_code for path in paths] == [200] * 4
    assert "<title>Administration · Riwayat</title>" in over_http.client.get("/admin").text
    for page in ("/_dash-layout", "/jobs/_dash-layout", "/admin/_dash-layout"):
        assert links_to_it(over_http.client, page), page
    over_http.client.delete_cookie("riwayat_session")
    over_http.sign_in("sari")
    nowhere = over_http.client.get("/nowhere")
    for path in (*paths, "/admin/assets/admin.js", "/admin/x"):
        answer = over_http.client.get(path)
        assert (answer.status_code, answer.text) == (404, nowhere.text), path
    for page in ("/_dash-layout", "/jobs/_dash-layout"):
        assert not links_to_it(over_http.client, page), page


def test_callbacks_are_for_administrators_only(over_http):
    over_http.sign_in("kepala")
    answer = over_http.press("user", "enable", "budi")
    assert answer.status_code == 200, answer.text
    assert not over_http.access.account("budi").disabled
    over_http.client.delete_cookie("riwayat_session")
    assert over_http.press("user", "admin", "sari").status_code == 401
    over_http.sign_in("sari")
    before = everything(over_http.access)
    for kind, name in CHANGES:
        assert over_http.press(kind, name, "sari").status_code == 404
    body = {"output": "admin-user-grid.rowData", "outputs": [], "inputs": [], "changedPropIds": []}
    # nor through the page's own door
    assert over_http.client.post("/_dash-update-component", json=body).status_code >= 400
    assert everything(over_http.access) == before
    entry = over_http.access.audit.entries(limit=1)[0]
    assert (entry.actor, entry.action, entry.outcome) == ("sari", "refused", "refused")


def test_a_page_of_another_site_can_press_no_button(over_http):
    over_http.sign_in("kepala")
    over_http.client.environ_base["HTTP_SEC_FETCH_SITE"] = "cross-site"
    assert over_http.press("user", "enable", "budi").status_code == 403
    assert over_http.access.account("budi").disabled


def test_what_an_administrator_does_is_in_the_log_with_the_name_and_the_address(over_http):
    over_http.sign_in("kepala")
    over_http.press("user", "enable", "budi")
    entry = over_http.access.audit.entries(limit=1)[0]
    assert (entry.actor, entry.via, entry.address, entry.action) == ("kepala", "login", "127.0.0.1", "user_changed")
    assert entry.subject == {"user": "budi", "disabled": False}


def test_without_sign_in_there_is_no_such_page(data_dir):
    client = create_app(Settings(data_dir=data_dir, _env_file=None)).server.test_client()
    assert client.get("/admin").status_code == 404
    assert not links_to_it(client, "/_dash-layout")


def test_behind_a_proxy_and_below_a_prefix_the_page_is_for_those_whom_the_settings_name(data_dir):
    settings = Settings(
        data_dir=data_dir,
        auth="proxy",
        proxy_user_header="X-Forwarded-User",
        admins="kepala",
        url_prefix="/weather/",
        _env_file=None,
    )
    client = create_app(settings).server.test_client()
    for user, status in (("kepala", 200), ("sari", 404)):
        for path in ("/weather/admin", "/weather/admin/", "/weather/admin/_dash-layout"):
            assert client.get(path, headers={"X-Forwarded-User": user}).status_code == status, (user, path)
    layout = json.dumps(client.get("/weather/admin/_dash-layout", headers={"X-Forwarded-User": "kepala"}).json)
    assert '"href": "/weather/admin"' in layout
    assert "need an account" in layout


def test_nothing_is_changed_by_who_gave_the_password_long_ago(services):
    asked = replace(services, must_prove=lambda: True)
    before = everything(services.access)
    for said in (
        add_user(asked, ADMIN, "tono", admin=True),
        join_group(asked, ADMIN, "met", "budi"),
        add_grant(asked, ADMIN, GrantForm(stations="*")),
        *(act(asked, ADMIN, Press("user", name, "sari")) for name in ("admin", "disable", "password", "remove")),
    ):
        assert not said.ok
        assert "Enter your password again" in told(said)
        assert "/account?confirm=admin" in told(said)
    assert everything(services.access) == before


def test_the_page_shows_who_has_to_wait_and_lifts_it(services):
    # waits do not pass
    logins = open_logins(services.settings, services.access, lambda: 1_800_000_000.0)
    with_logins = replace(services, logins=logins)
    for _ in range(5):
        with pytest.raises(WrongPassword):
            logins.check("sari", "wrong in every way", "192.0.2.1")
    row = only(with_logins, "user", "sari")
    assert "after wrong passwords" in row["state"]
    assert "unlock" in [action.name for action in ACTIONS_OF["user"](row, True)]
    act(with_logins, ADMIN, Press("user", "unlock", "sari"))
    row = only(with_logins, "user", "sari")
    assert (row["state"], row["waits"]) == ("", False)
