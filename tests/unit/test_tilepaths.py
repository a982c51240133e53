"""Whatever a station is called, its tiles lie in a folder of its own below the store,
and nowhere else.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.tiles.paths import folder_name, prepare, quoted, series_folders, station_folder
from data.tiles.series import SeriesKey
from figures.words import file_name

HOSTILE = [
    "..",
    ".",
    "../../etc/passwd",
    "..\\..\\x",
    "/etc/passwd",
    "a/../../b",
    "a\0b",
    "",
    "%2e%2e%2f",
    "%",
    "~",
    "\u2024\u2024/",  # one dot leader: looks like ".."
    "\uff0e\uff0e\uff0f",  # full-width "../"
    "\u2215etc",  # division slash
    "\u0430ws",  # a Cyrillic а
    "aws\u202egnp",  # written from right to left
    "x" * 255,
    "☂" * 255,
    "\ud800",
    "CON",
    "a\nb",
]
NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=255), st.text(st.sampled_from("./\\~%\0 a☂"), max_size=255))


@given(NAMES)
def test_a_name_is_one_folder_below_the_store(name):
    folder = quoted(name)
    assert Path(folder).parts == (folder,)
    assert not folder.startswith(".")
    assert folder.isascii()
    assert folder.isprintable()
    assert len(folder.encode()) <= 255
    root = Path("/store")
    assert (root / station_folder("own", name)).resolve().parent == root / "own"


@given(NAMES, NAMES)
@example("%2e%2e", "..")
@example("x" * 300, quoted("x" * 300))
@example("\uff0e", ".")
@example("\u0430ws", "aws")
def test_two_names_are_two_folders(one, other):
    assert (quoted(one) == quoted(other)) == (one == other)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_folder_tells_whose_it_is_and_nothing_lies_outside(tmp_path, name):
    key = SeriesKey("own", name, "temperature")
    store = tmp_path / "store"
    prepare(store / folder_name(key), key)
    assert [found for found, _path in series_folders(store)] == [key]
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert json.loads((store / folder_name(key) / "name").read_text()) == list(key)


@given(NAMES)
def test_the_name_of_an_exported_file_is_plain_whatever_the_station_is_called(name):
    assert re.fullmatch(r"[A-Za-z0-9_-]+", file_name([name], ["temperature"], 0, 86_400_000, "UTC"))
