from collections.abc import Iterator

import pytest
from werkzeug.datastructures import Headers

from access.grants import EVERYTHING, Grant, Purpose, Rights
from access.identity import Identity, may_see, owner_identity
from access.identity import identify as identify_with
from access.store import AccessStore, migrate_access, open_access
from config import Settings
from data.database.engine import make_engine
from data.request import HistoryRequest
from errors import NotAuthenticated, NotPermitted

ZONE = "Asia/Jakarta"  # of a site that says nothing else
LOCAL = Settings(auth="none")
PROXY = Settings(auth="proxy", proxy_user_header="X-Remote-User", proxy_addresses="10.0.0.1, ::1", admins="root, chief")


@pytest.fixture
def proxied(tmp_path) -> Iterator[AccessStore]:
    """The store of a site behind a proxy, on which nobody is granted anything."""
    engine = make_engine(f"sqlite:///{tmp_path / 'access.sqlite'}")
    migrate_access(engine)
    yield open_access(PROXY, engine=engine)
    engine.dispose()


def identify(settings, address, headers):
    """Without sign-in, or where it is refused, no database is asked: there is none."""
    return identify_with(settings, open_access(settings, engine=make_engine("sqlite:////nowhere/at/all")), address, headers)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_without_sign_in_this_machine_is_the_local_user(address):
    assert identify(LOCAL, address, {"Host": "127.0.0.1:8050"}) == Identity("local", rights=EVERYTHING)


@pytest.mark.parametrize("address", ["192.168.1.5", "::ffff:10.0.0.1", "", None, "nonsense"])
def test_without_sign_in_other_machines_are_refused(address):
    with pytest.raises(NotPermitted, match="RIWAYAT_AUTH=proxy"):
        identify(LOCAL, address, {})


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x-forwarded-proto", "X-FORWARDED-HOST", "Forwarded", "X-Real-IP"])
def test_without_sign_in_a_request_through_a_proxy_is_refused(name):
    with pytest.raises(NotPermitted, match="set RIWAYAT_AUTH=proxy"):
        identify(LOCAL, "127.0.0.1", Headers({name: "1.2.3.4"}))


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8050", "127.0.0.1", "[::1]:8050", "[::1]", "riwayat.localhost:80"])
def test_without_sign_in_local_names_are_served(host):
    assert identify(LOCAL, "127.0.0.1", {"Host": host}).user == "local"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8050", "localhost.evil.example", "10.0.0.1:8050", ""])
def test_without_sign_in_a_name_that_somebody_pointed_here_is_refused(host):
    with pytest.raises(NotPermitted, match="localhost"):
        identify(LOCAL, "127.0.0.1", {"Host": host})


def test_the_proxys_header_names_the_user_whatever_its_case(proxied):
    siti = identify_with(PROXY, proxied, "10.0.0.1", {"x-remote-user": " siti "})
    assert siti == Identity("siti", via="proxy", rights=Rights(zone=ZONE)) == owner_identity(PROXY, proxied, "siti")
    chief = identify_with(PROXY, proxied, "::ffff:10.0.0.1", {"X-REMOTE-USER": "chief"})
    assert chief == Identity("chief", admin=True, via="proxy", rights=EVERYTHING)


def test_an_identity_has_the_rights_of_this_moment(proxied):
    grant = Grant(("aws-*",))
    number = proxied.add_grant("user", "siti", grant, by="test")
    assert owner_identity(PROXY, proxied, "siti").rights == Rights((grant,), zone=ZONE)
    proxied.remove_grant(number)
    assert owner_identity(PROXY, proxied, "siti").rights == Rights(zone=ZONE)


def test_a_grant_of_a_derived_sensor_alone_gives_a_user_of_the_site_nothing_and_of_its_inputs_all(proxied):
    request = HistoryRequest(("a",), ("dew_point",), 0, 1)
    proxied.add_grant("user", "siti", Grant(sensors=("dew_point", "temperature")), by="test")
    assert not owner_identity(PROXY, proxied, "siti").rights.allows(request, Purpose.VIEW)
    proxied.add_grant("user", "siti", Grant(sensors=("humidity",)), by="test")
    assert owner_identity(PROXY, proxied, "siti").rights.allows(request, Purpose.VIEW)


def test_a_disabled_account_is_refused_and_its_jobs_have_no_right_even_an_administrators(proxied):
    for name in ("siti", "chief"):
        proxied.add_account(name, admin=True)
        assert owner_identity(PROXY, proxied, name).rights == EVERYTHING
        proxied.change_account(name, disabled=True)
        with pytest.raises(NotPermitted, match="disabled"):
            identify_with(PROXY, proxied, "10.0.0.1", {"X-Remote-User": name})
        assert owner_identity(PROXY, proxied, name) == Identity(name, via="proxy")


@pytest.mark.parametrize("address", ["10.0.0.2", "127.0.0.1", None, "", "nonsense"])
def test_the_header_is_not_believed_from_other_addresses(address):
    with pytest.raises(NotPermitted):
        identify(PROXY, address, {"X-Remote-User": "chief"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Remote-User": "  "},
        {"X-Forwarded-User": "chief"},
        {"X-Remote-User": "a\nb"},
        {"X-Remote-User": "a" * 256},
        {"X-Remote-User": "local"},
        {"X-Remote-User": "embed:1"},
    ],
)
def test_without_a_usable_name_nobody_is_asking(headers):
    with pytest.raises(NotAuthenticated):
        identify(PROXY, "10.0.0.1", headers)


def test_only_owner_and_administrator_see_a_job():
    assert may_see(Identity("siti"), "siti")
    assert not may_see(Identity("siti"), "Siti")
    assert may_see(Identity("root", admin=True), "siti")


GROUPS = Settings(auth="proxy", proxy_secret="gunung merapi 2930", proxy_groups_header="X-Forwarded-Groups")


def groups_of(store, user, **headers):
    sent = {"X-Forwarded-User": user, "X-Riwayat-Proxy-Secret": "gunung merapi 2930"}
    identify_with(GROUPS, store, "203.0.113.9", sent | {name.replace("_", "-"): value for name, value in headers.items()})
    return {group for group, members in store.groups().items() if user in members}


def test_groups_are_those_that_the_proxy_named_last(proxied):
    assert groups_of(proxied, "siti", X_Forwarded_Groups="climate, forecasters ,, embed:x") == {"climate", "forecasters"}
    assert groups_of(proxied, "siti", X_Forwarded_Groups="climate") == {"climate"}
    assert groups_of(proxied, "siti") == set()


def test_without_the_secret_nobody_is_believed_whatever_the_address(proxied):
    for secret in ({}, {"X-Riwayat-Proxy-Secret": ""}, {"X-Riwayat-Proxy-Secret": "gunung"}):
        with pytest.raises(NotPermitted):
            identify_with(GROUPS, proxied, "127.0.0.1", {"X-Forwarded-User": "siti"} | secret)
