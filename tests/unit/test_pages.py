"""Where the sign-in leads back to: pages of this site, whatever the address says."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.sign_in.pages import is_page, login_address, way_back

ELSEWHERE = [
    "//evil.example",
    "//evil.example/jobs",
    "///evil.example/jobs",
    "/\\evil.example",
    "\\\\evil.example",
    "/jobs\\..\\..",
    "https://evil.example/",
    "https:/jobs",
    "https:jobs",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/jobs/../../evil",
    "/jobs\r\nSet-Cookie: a=b",
    "/jobs\t",
    "\t//evil.example",
    " //evil.example",
    "jobs",
    "evil.example",
    "@evil.example",
    "http://[",
    "/login",
    "/logout",
    "/api/jobs",
    "/_dash-layout",
    "/assets/page.js",
    "/admin/_dash-layout",
    "/admin//evil.example",
    "",
    "x" * 10_000,
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_a_way_back_that_is_no_page_of_the_site_is_the_history_page(wanted):
    assert way_back(wanted, "/") == "/"
    assert way_back(wanted, "/riwayat/") == "/riwayat/"


@pytest.mark.parametrize(
    "page", ["/", "/jobs", "/jobs/", "/account", "/admin", "/?job=jAb-3_x", "/?stations=a%20b%26c&from=2013-01-01"]
)
def test_a_page_of_the_site_is_gone_back_to_with_its_query(page):
    assert way_back(page, "/") == page
    below = "/riwayat" + page
    assert way_back(below, "/riwayat/") == below
    assert way_back(page, "/riwayat/") == "/riwayat/"


def test_the_address_of_the_sign_in_leads_back():
    assert login_address("/", "/", "job=j1&x=a%26b") == "/login?next=%2F%3Fjob%3Dj1%26x%3Da%2526b"
    assert login_address("/riwayat/", "/riwayat/", "") == "/riwayat/login"


@given(
    some.text(max_size=60) | some.from_regex(r"[/\\]{0,3}[a-z.:@%?#/\\]{0,30}", fullmatch=True),
    some.sampled_from(["/", "/riwayat/"]),
)
def test_wherever_it_leads_it_is_a_path_of_the_site(wanted, prefix):
    back = way_back(wanted, prefix)
    parts = urlsplit(back)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("", "", "")
    assert is_page(parts.path, prefix)
    assert back.startswith(prefix)
    assert not back.startswith(("//", "/\\"))
    assert back.isascii()
    assert back.isprintable()
