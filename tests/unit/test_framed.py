"""A figure as it leaves the site: what stands around it, and as one file."""

from __future__ import annotations

import re
from typing import Any

import pytest

from figures.framed import Caption, framed
from figures.standalone import standalone_html

CAPTION = Caption(
    "JFK & <LGA> · Air temperature", "1 – 2 Jul 2013 EDT · America/New_York", "Source: Riwayat, a.example · 1 Dec 2026"
)


def figure(**layout: Any) -> dict[str, Any]:
    plain = {
        "height": 300,
        "margin": {"l": 54, "r": 14, "t": 40, "b": 30},
        "meta": {"start": 0},
        "uirevision": "x",
        "annotations": [],
    }
    return {
        "data": [{"y": [1], "legendgroup": "JFK.t"}, {"y": [2], "legendgroup": "LGA.t"}, {"y": [3]}],
        "layout": plain | layout,
    }


def test_a_picture_is_white_says_what_it_is_and_the_plot_keeps_its_height():
    layout = framed(figure(), CAPTION, 800)["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "#ffffff"
    texts = [note["text"] for note in layout["annotations"]]
    assert texts == ["<b>JFK &amp; &lt;LGA&gt; · Air temperature</b>", CAPTION.range, CAPTION.source]
    assert layout["height"] - layout["margin"]["t"] - layout["margin"]["b"] == 300 - 40 - 30
    assert layout["width"] == 800
    assert "meta" not in layout
    assert "uirevision" not in layout


def test_a_long_title_has_more_lines_and_room_for_them():
    long = Caption("Station " * 30, "range", "source")
    short, tall = (framed(figure(), each, 400)["layout"] for each in (CAPTION, long))
    lines = tall["annotations"][0]["text"].count("<br>") + 1
    assert lines > 4
    assert tall["margin"]["t"] - short["margin"]["t"] == 20 * (lines - 1)


def test_a_legend_at_the_top_stands_beneath_the_caption_and_one_in_the_plot_stays():
    top = framed(figure(legend={"yref": "container", "y": 1}), CAPTION, 800)["layout"]
    above = top["margin"]["t"] - 40
    assert top["legend"]["y"] == pytest.approx(1 - above / top["height"])
    assert framed(figure(legend={"y": 0.5}), CAPTION, 800)["layout"]["legend"] == {"y": 0.5}


def test_what_the_page_hides_is_left_out():
    assert [trace["y"] for trace in framed(figure(), CAPTION, 800, ["JFK.t"])["data"]] == [[2], [3]]


def test_the_page_of_a_chart_asks_no_address_and_no_name_ends_its_script():
    made = framed(figure(), Caption("</script><b>x", "r", "s"), 800)
    made["data"][0]["name"] = "</script><script>alert(1)"
    page = standalone_html(made, "</title>", "id").decode()
    ours = re.sub(r"<script>.*?</script>", "", page, count=2, flags=re.DOTALL)  # without Plotly and its words
    assert "</script><script>alert" not in ours
    assert "<title>&lt;/title&gt;</title>" in page
    assert not re.search(r"""(?:src|href)\s*=|https?://""", ours)
    assert "default-src 'none'" in page
    assert 'lang="id"' in page
    assert '"locale":"id"' in page
