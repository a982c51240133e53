"""What a saved view shows: which ranges it may have, and that it is read as it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from access.saved.saved_selection import MOST_BYTES, SavedSelection, check_saved_name
from errors import InvalidRequest

SERIES: dict[str, Any] = {"stations": ("a", "b"), "sensors": ("t",)}
FIXED = {"start_ms": 1_000, "end_ms": 9_000}
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    "fields",
    [
        FIXED,
        FIXED | {"window": (2_000, 3_000), "view": "calendar", "options": {"show": "mean"}},
        {"last_ms": HOUR_MS},
        {"preset": "ytd"},
    ],
)
def test_a_selection_is_read_as_it_was_written(fields):
    shows = SavedSelection(**SERIES, **fields)
    assert SavedSelection.from_json(shows.to_json()) == shows


@pytest.mark.parametrize(
    "fields",
    [
        {},
        FIXED | {"last_ms": HOUR_MS},
        {"preset": "30d", "last_ms": HOUR_MS},
        {"start_ms": 1_000},
        {"start_ms": 1_000, "preset": "30d"},
        {"start_ms": 9_000, "end_ms": 1_000},
        {"last_ms": HOUR_MS - 1},
        {"preset": "8d"},
        FIXED | {"window": (2_000, 9_001)},
        FIXED | {"window": (3_000, 3_000)},
        {"preset": "30d", "window": (1, 2)},
        FIXED | {"resolution": "5min"},
        FIXED | {"timezone": "Mars"},
        FIXED | {"stations": ()},
        FIXED | {"view": "Wind rose"},
        FIXED | {"options": {"by": "season\u202e"}},
        FIXED | {"options": {"by": "s" * 2_001}},
        FIXED | {"options": {f"o{number}": "" for number in range(21)}},
        FIXED | {"stations": tuple(f"{number:0250}" for number in range(MOST_BYTES // 250))},
    ],
)
def test_what_no_page_could_show_is_refused(fields):
    with pytest.raises(InvalidRequest):
        SavedSelection(**(SERIES | fields))


@pytest.mark.parametrize("change", [{"preset": "2d"}, {"later": 1}, {"stations": "a"}, {"window": [1]}, {"options": {"by": 1}}])
def test_what_another_version_wrote_is_a_value_error(change):
    stored = json.loads(SavedSelection(**SERIES, preset="30d").to_json()) | change
    with pytest.raises(ValueError, match="."):
        SavedSelection.from_json(json.dumps(stored))


def test_a_range_until_now_holds_the_minute_that_has_begun():
    shows = SavedSelection(**SERIES, last_ms=HOUR_MS)
    assert shows.span(120_000) == (180_000 - HOUR_MS, 180_000)
    assert SavedSelection(**SERIES, preset="30d").span(120_000) is None


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\u202eb", "\x1b[31m", "x" * 121])
def test_a_name_is_one_line_that_can_be_printed(name):
    with pytest.raises(InvalidRequest):
        check_saved_name(name)
    assert check_saved_name(" July heat, NYC ") == "July heat, NYC"
