"""Which part of a request is drawn, and where its data is still to come."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import figures.job_window
from data.request import HistoryRequest
from data.time.months import month_start_ms, parse_month
from data.view.window import clip_window
from errors import NoData
from figures.job_window import pending_spans

START, END = month_start_ms(parse_month("2019-01")) + 1000, month_start_ms(parse_month("2020-01"))
REQUEST = HistoryRequest(("a",), ("temperature",), START, END)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, (START, END)),
        (START + 5, END - 5, (START + 5, END - 5)),
        (START - 9e11, START + 7, (START, START + 7)),
        (END + 1, END + 2, (START, END)),  # outside: the whole
        (START + 9, START + 3, (START, END)),  # reversed: the whole
        ("1", {"x": 1}, (START, END)),
        (float("nan"), END, (START, END)),
        (float("inf"), END, (START, END)),
        (True, END, (START, END)),
    ],
)
def test_a_window_lies_within_the_request_whatever_a_browser_says(start: Any, end: Any, expected: tuple[int, int]) -> None:
    assert clip_window(REQUEST, start, end) == expected


def test_missing_months_become_spans_that_do_not_touch(monkeypatch: pytest.MonkeyPatch) -> None:
    months = {parse_month(name) for name in ("2019-12", "2019-02", "2019-01", "2019-05")}
    monkeypatch.setattr(figures.job_window, "plan", lambda site, request: SimpleNamespace(missing_months=months))
    # raw rows need no rollup
    site = SimpleNamespace(tiles=None, catalogue=None, source=SimpleNamespace(id="own"))
    found = pending_spans(site, REQUEST)  # type: ignore[arg-type]
    assert found == (
        (START, month_start_ms(parse_month("2019-03"))),
        (month_start_ms(parse_month("2019-05")), month_start_ms(parse_month("2019-06"))),
        (month_start_ms(parse_month("2019-12")), END),
    )


def test_where_there_is_no_data_nothing_is_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(site: object, request: object) -> None:
        raise NoData

    monkeypatch.setattr(figures.job_window, "plan", refuse)
    assert pending_spans(None, REQUEST) == ()  # type: ignore[arg-type]


def test_a_month_of_which_only_the_row_at_the_very_end_is_wanted_is_missing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    months = {parse_month("2019-03")}
    monkeypatch.setattr(figures.job_window, "plan", lambda site, request: SimpleNamespace(missing_months=months))
    request = HistoryRequest(("a",), ("rainfall",), START, month_start_ms(parse_month("2019-03")))
    site = SimpleNamespace(tiles=None, catalogue=None, source=SimpleNamespace(id="own"))
    assert pending_spans(site, request) == ((request.end_ms - 1, request.end_ms),)  # type: ignore[arg-type]
