"""Names of others are shown, not obeyed: on terminals, pages, in logs."""

from __future__ import annotations

import json

import pytest

from errors import UnknownStation
from escaping import show_names, visible
from figures.words import verbatim
from i18n import translate_error
from tests.processes import ROOT


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("JFK", "JFK"),
        ("Šiauliai · 雨 · 🌧️", "Šiauliai · 雨 · 🌧️"),
        ("👩\u200d🔬", "👩\u200d🔬"),  # what joins the parts of a picture obeys nobody
        ("red\x1b[31m", "red\\u001b[31m"),
        ("old\x9b31mterminal", "old\\u009b31mterminal"),
        ("two\nlines", "two\\u000alines"),
        ("two\u2028lines", "two\\u2028lines"),
        ("evil\u202egnp", "evil\\u202egnp"),
        ("\u2066isolated\u2069", "\\u2066isolated\\u2069"),
        ("half\ud800", "half\\ud800"),
    ],
)
def test_what_a_terminal_or_a_page_would_obey_is_written_out(name: str, shown: str) -> None:
    assert visible(name) == shown
    assert visible(shown) == shown


def test_json_stays_the_same_data() -> None:
    names = {"station": "a\x9b\u202eb\x7f", "label": "ü"}
    assert json.loads(visible(json.dumps(names, ensure_ascii=False, indent=1), keep="\n")) == names


def test_an_error_shows_the_name_that_it_is_about() -> None:
    error = UnknownStation("There is no station {name}.", name="x\x1b]0;y\x07\u202e")
    assert error.message == translate_error(error) == "There is no station x\\u001b]0;y\\u0007\\u202e."


def test_a_line_of_a_log_on_a_terminal_is_one_line_and_a_traceback_keeps_its_lines() -> None:
    event = {"event": "no\nlevel=error", "station": ["a\x1b[2J"], "rows": 3, "exception": "one\ntwo\x1b"}
    assert show_names(None, "info", event) == {
        "event": "no\\u000alevel=error",
        "station": "['a\\x1b[2J']",
        "rows": 3,
        "exception": "one\ntwo\\u001b",
    }


@pytest.mark.parametrize("name", ["<b>x</b>", "A &amp; B", "%{y} x", "%{customdata:,.1f}", "{y}", "a\u202eb"])
def test_plotly_takes_nothing_of_a_name_for_its_own_language(name: str) -> None:
    shown = verbatim(name)
    assert "%{" not in shown
    assert "<" not in shown
    assert "\u202e" not in shown


def test_commands_print_what_is_written_out() -> None:
    others = [path for path in (ROOT / "commands").glob("*.py") if path.name != "printing.py"]
    # commands/printing.py: say
    assert [path.name for path in others if "typer.echo(" in path.read_text()] == []
