"""What a proxy is believed, and from whom."""

from __future__ import annotations

import pytest

from access.addresses import came_by_tls, client_address, counted_addresses, is_trusted_proxy, refuse_open_door
from config import Settings
from errors import ConfigurationError

NEAR = Settings(auth="proxy", proxy_addresses="10.0.0.1, ::1")
SECRET = Settings(auth="proxy", proxy_addresses="10.0.0.1", proxy_secret="gunung merapi 2930")


@pytest.mark.parametrize(
    ("address", "trusted"),
    [("10.0.0.1", True), ("::ffff:10.0.0.1", True), ("::1", True), ("10.0.0.2", False), (None, False), ("", False)],
)
def test_without_a_secret_the_address_decides(address, trusted):
    assert is_trusted_proxy(NEAR, address, {"x-riwayat-proxy-secret": "gunung merapi 2930"}) is trusted


@pytest.mark.parametrize("address", ["10.0.0.1", "203.0.113.9", None])
@pytest.mark.parametrize(
    ("given", "trusted"),
    [
        ("gunung merapi 2930", True),
        ("gunung merapi 2930 ", False),
        ("Gunung merapi 2930", False),
        ("", False),
        ("é", False),
    ],
)
def test_with_a_secret_it_decides_whatever_the_address(address, given, trusted):
    assert is_trusted_proxy(SECRET, address, {"x-riwayat-proxy-secret": given}) is trusted
    assert not is_trusted_proxy(SECRET, address, {})


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # the first is what the client made up
        ("10.0.0.1", "203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("203.0.113.9", "1.1.1.1", "203.0.113.9"),  # not our proxy: not believed
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy_of_ours(peer, forwarded, client):
    assert client_address(NEAR, peer, {"x-forwarded-for": forwarded}) == client


@pytest.mark.parametrize(
    ("peer", "says", "secret", "counted"),
    [
        ("127.0.0.1", "203.0.113.9", "", "127.0.0.1"),
        ("::ffff:127.0.0.1", "203.0.113.9", "", "127.0.0.1"),
        ("::1", "203.0.113.9", "", "::1"),
        ("127.0.0.1", "", "", ""),  # says nothing: it is the address that is counted anyway
        ("127.0.0.1", "203.0.113.9", "gunung merapi 2930", ""),  # proved
        ("10.0.0.1", "203.0.113.9", "", ""),  # a machine of its own
        ("203.0.113.9", "1.1.1.1", "", ""),  # not believed at all
    ],
)
def test_a_peer_on_this_machine_that_says_an_address_without_a_proof_is_known(peer, says, secret, counted):
    settings = Settings(auth="login", proxy_addresses="127.0.0.1,::1,10.0.0.1", proxy_secret=secret)
    headers = {"x-forwarded-for": says} | ({"x-riwayat-proxy-secret": secret} if secret else {})
    assert counted_addresses(settings, peer, headers) == (client_address(settings, peer, headers), counted)


@pytest.mark.parametrize(
    ("peer", "scheme", "says", "tls"),
    [
        ("203.0.113.9", "https", "", True),
        ("203.0.113.9", "http", "https", False),
        ("10.0.0.1", "http", "https", True),
        ("10.0.0.1", "http", "HTTPS", True),
        ("10.0.0.1", "http", "http", False),
        ("10.0.0.1", "http", "https, http", False),
        ("10.0.0.1", "http", "", False),
    ],
)
def test_encryption_is_the_sockets_or_what_the_trusted_proxy_says(peer, scheme, says, tls):
    assert came_by_tls(NEAR, peer, {"x-forwarded-proto": says}, scheme) is tls


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "::ffff:10.0.0.1", "riwayat.example.org", "localhost.evil"])
def test_without_sign_in_a_site_must_not_listen_where_others_reach_it(host):
    with pytest.raises(ConfigurationError, match="no sign-in"):
        refuse_open_door(Settings(auth="none"), ["127.0.0.1", host])
    for auth in ("login", "proxy"):
        refuse_open_door(Settings(auth=auth), [host])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST", "riwayat.localhost", "::ffff:127.0.0.1"]
)
def test_without_sign_in_a_site_may_listen_on_its_own_machine(host):
    refuse_open_door(Settings(auth="none"), [host])
