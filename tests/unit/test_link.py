"""The query of the address is untrusted text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks import link
from callbacks.link import Link, parse_link
from tests.processes import ROOT


def test_a_job():
    assert parse_link("?job=abc") == Link(job="abc")


@pytest.mark.parametrize(
    "query",
    [
        "?station=a&station=b&sensor=temperature&from=2019-01-01&to=2019-02-01",
        "?station=a,b&sensor=temperature&start=2019-01-01&end=2019-02-01",
        "?stations=a&station=b&station=a&sensors=temperature&from=2019-01-01&to=2019-02-01",
    ],
)
def test_a_form(query):
    link = parse_link(query)
    assert set(link.stations) == {"a", "b"}
    assert (link.sensors, link.start, link.end) == (("temperature",), "2019-01-01", "2019-02-01")
    assert link.fills_form


def test_a_comma_may_belong_to_a_station():
    assert parse_link("?station=Bogor,%20west", known={"Bogor, west"}).stations == ("Bogor, west",)


def test_names_are_any_text():
    assert parse_link("?station=caf%C3%A9%2F1%26%3D").stations == ("café/1&=",)


@pytest.mark.parametrize("query", [None, "", "?", "?station=", "?=&&", "?station=" + "&station=".join("x" * 999)])
def test_nothing_useful_is_nothing(query):
    assert parse_link(query) == Link()


@given(st.text(max_size=200))
def test_no_text_breaks_it(text):
    assert isinstance(parse_link("?" + text), Link)


def test_the_page_and_the_server_take_the_same_names_of_an_address_for_options() -> None:
    script = (ROOT / "assets" / "workbench.js").read_text(encoding="utf-8")
    names = re.search(r"NO_OPTION = new Set\(\s*\[([^\]]+)\]", script)
    assert names
    assert set(re.findall(r'"(\w+)"', names[1])) == link._KNOWN
