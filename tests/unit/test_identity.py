import pytest
from werkzeug.datastructures import Headers

from access.identity import Identity, identify, may_see
from config import Settings
from errors import NotAuthenticated, NotPermitted

LOCAL = Settings(auth="none")
PROXY = Settings(auth="proxy", proxy_user_header="X-Remote-User", proxy_addresses="10.0.0.1, ::1", admins="root, chief")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_without_sign_in_this_machine_is_the_local_user(address):
    assert identify(LOCAL, address, {"Host": "127.0.0.1:8050"}) == Identity("local", admin=False)


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


def test_the_proxys_header_names_the_user_whatever_its_case():
    assert identify(PROXY, "10.0.0.1", {"x-remote-user": " siti "}) == Identity("siti", admin=False)
    assert identify(PROXY, "::ffff:10.0.0.1", {"X-REMOTE-USER": "chief"}) == Identity("chief", admin=True)


@pytest.mark.parametrize("address", ["10.0.0.2", "127.0.0.1", None, "", "nonsense"])
def test_the_header_is_not_believed_from_other_addresses(address):
    with pytest.raises(NotPermitted):
        identify(PROXY, address, {"X-Remote-User": "chief"})


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Remote-User": "  "}, {"X-Forwarded-User": "chief"}, {"X-Remote-User": "a\nb"}, {"X-Remote-User": "a" * 256}],
)
def test_without_a_usable_name_nobody_is_asking(headers):
    with pytest.raises(NotAuthenticated):
        identify(PROXY, "10.0.0.1", headers)


def test_only_owner_and_administrator_see_a_job():
    assert may_see(Identity("siti"), "siti")
    assert not may_see(Identity("siti"), "Siti")
    assert may_see(Identity("root", admin=True), "siti")
