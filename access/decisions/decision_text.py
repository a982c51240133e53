"""Decisions as TOML and as CSV, for people to read and for another site to import
(access/decisions/decision_reading.py). Times are in UTC; a span has both its ends.

A number is written with as few digits as give it again. No cell of CSV can become a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from access.decisions.made_decision import MadeDecision
from data.time.months import iso_utc, iso_utc_or_none
from escaping import safe_text, toml_string

COLUMNS: Final = (
    *("number", "station", "sensor", "kind", "from", "to", "rule", "amount", "filled_station", "filled_sensor"),
    *("reason", "made_by", "made", "undone_by", "undone"),
)
TIMES: Final = frozenset({"from", "to", "made", "undone"})
NUMBERS: Final = frozenset({"number", "amount"})
TABLE: Final = "decision"
_OF_PIECE: Final = 500  # decisions of one piece

_HEAD: Final = (
    "# Decisions of people about readings, in the order in which they count. Times are in UTC; both ends are included.\n"
)


def decisions_toml(found: Iterable[MadeDecision]) -> str:
    """Return decisions as tables ``[[decision]]``, a line a field; what is absent has none."""
    return "".join(toml_pieces(found))


def decisions_csv(found: Iterable[MadeDecision]) -> str:
    """Return decisions as CSV with a header, a row a decision; what is absent is empty."""
    return "".join(csv_pieces(found))


def toml_pieces(found: Iterable[MadeDecision]) -> Iterator[str]:
    """Yield :func:`decisions_toml` a piece at a time, the head first."""
    yield _HEAD
    left = iter(found)
    while some := "".join(f"\n{_table(_fields(one))}" for one in islice(left, _OF_PIECE)):
        yield some


def csv_pieces(found: Iterable[MadeDecision]) -> Iterator[str]:
    """Yield :func:`decisions_csv` a piece at a time, the header first."""
    yield _lines([COLUMNS])
    left = iter(found)
    while some := [_row(_fields(one)) for one in islice(left, _OF_PIECE)]:
        yield _lines(some)


def _lines(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _row(fields: Mapping[str, str]) -> list[str]:
    return [_cell(name, fields.get(name)) for name in COLUMNS]


def _fields(made: MadeDecision) -> Mapping[str, str]:
    """Return what a decision says by the names of COLUMNS, as texts, without what is absent."""
    one = made.decision
    filled_station, filled_sensor = one.filled_from or (None, None)
    found = {
        "number": str(one.number),
        "from": iso_utc(one.start_ms),
        "to": iso_utc(one.end_ms),
        "amount": None if one.amount is None else repr(one.amount),
        "filled_station": filled_station,
        "filled_sensor": filled_sensor,
        "made": iso_utc(made.made_ms),
        "undone": iso_utc_or_none(made.undone_ms),
        **{name: getattr(one, name) for name in ("station", "sensor", "kind", "rule")},
        **{name: getattr(made, name) for name in ("made_by", "undone_by")},
        "reason": made.reason or None,
    }
    return {name: found[name] for name in COLUMNS if found[name] is not None}


def _table(fields: Mapping[str, str]) -> str:
    plain = TIMES | NUMBERS
    lines = (f"{name} = {text if name in plain else toml_string(text)}\n" for name, text in fields.items())
    return f"[[{TABLE}]]\n{''.join(lines)}"


def _cell(name: str, text: str | None) -> str:
    if text is None:
        return ""
    return text if name in TIMES | NUMBERS else safe_text(text)
