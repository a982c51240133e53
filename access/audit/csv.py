"""The audit log as CSV, a piece at a time. No cell can become a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from access.audit.entries import Entry
from data.time.months import iso_utc
from escaping import safe_text

COLUMNS: Final = ("number", "time", "actor", "via", "address", "action", "outcome", "subject")
_ROWS: Final = 500  # of one piece


def csv_pieces(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The file in UTF-8, header first; times are ISO 8601 in UTC, the subject is JSON."""
    yield _lines([COLUMNS])
    left = iter(entries)
    while some := [_cells(entry) for entry in islice(left, _ROWS)]:
        yield _lines(some)


def _cells(entry: Entry) -> tuple[str, ...]:
    subject = json.dumps(entry.subject, ensure_ascii=False)
    texts = (entry.actor, entry.via, entry.address, entry.action, entry.outcome, subject)
    return (str(entry.number), iso_utc(entry.at_ms), *map(safe_text, texts))


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")
