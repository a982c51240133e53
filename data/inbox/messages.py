"""Messages of a broker become arrivals: each is a line of columns, read as a file's lines are."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from data.catalogue import Catalogue
from data.inbox.arrivals import Arrivals
from data.inbox.headed_lines import LineReader
from data.inbox.rejected_items import RejectedItem, rejected_item
from data.inbox.topic_mapping import PAYLOAD, RECEIVED, TopicMapping, TopicRule, plan_messages


@dataclass(frozen=True)
class TopicMessage:
    """``received``: ISO 8601 in UTC; ``kept``: the broker had it from before we subscribed."""

    topic: str
    payload: bytes
    received: str
    kept: bool = False


@dataclass
class _Lines:
    rule: TopicRule
    names: tuple[str, ...]
    rows: list[list[str]]


class MessageReader:
    """Reads messages by a mapping, which stands in the file ``path``."""

    def __init__(self, mapping: TopicMapping, path: Path, catalogue: Catalogue, timezone: str) -> None:
        self._mapping, self._path, self._catalogue, self._timezone = mapping, path, catalogue, timezone

    def read(self, messages: Sequence[TopicMessage]) -> tuple[list[Arrivals], list[RejectedItem]]:
        """Return what messages hold, and those that cannot be read. What the broker had kept is no
        observation where the time is that of coming.
        """
        arrivals: list[Arrivals] = []
        rejected: list[RejectedItem] = []
        alike: defaultdict[tuple[int, tuple[str, ...]], list[list[str]]] = defaultdict(list)
        for message in messages:
            for at, rule in enumerate(self._mapping.topics):
                levels = rule.levels(message.topic)
                if levels is None or (message.kept and not rule.is_dated):
                    continue
                try:
                    for cells in _items(rule, message.payload):
                        row = {RECEIVED: message.received, **levels, **cells}
                        alike[at, tuple(row)].append(list(row.values()))
                except ValueError as exc:
                    why = f"{message.topic}: {exc}."
                    rejected.append(rejected_item(message.topic, self._reading(rule), b"", message.payload, why))
        for (at, names), rows in alike.items():
            self._read_alike(_Lines(self._mapping.topics[at], names, rows), arrivals, rejected)
        return arrivals, rejected

    def _read_alike(self, lines: _Lines, arrivals: list[Arrivals], rejected: list[RejectedItem]) -> None:
        rule = lines.rule
        plan = partial(plan_messages, rule, catalogue=self._catalogue, timezone=self._timezone)
        header, *rows = (_csv_line(cells) for cells in (lines.names, *lines.rows))
        read = LineReader(plan, rule.topic).read(header, rows, 1)
        arrivals += read.arrivals
        rejected += [
            rejected_item(rule.topic, self._reading(rule), each.header, each.lines, each.why.message) for each in read.unread
        ]

    def _reading(self, rule: TopicRule) -> str:
        return json.dumps({"mapping": str(self._path), "topic": rule.topic})


def _items(rule: TopicRule, payload: bytes) -> Iterator[Mapping[str, str]]:
    """Yield the columns of each item of a payload.

    Raises:
        ValueError: saying what was expected.
    """
    text = payload.decode()
    if rule.payload == "plain":
        yield {PAYLOAD: text.strip()}
        return
    try:
        found = json.loads(text)
    except RecursionError as exc:
        raise ValueError("the payload is nested too deeply") from exc
    items = found if isinstance(found, list) else [found]
    for item in items:
        if not isinstance(item, dict):
            raise ValueError("expected an object of JSON, or a list of objects")
    for item in items:
        yield dict(_flat(item))


def _flat(item: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the keys of an object, those of objects within it as ``outer.inner``."""
    for key, value in item.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", "" if value is None else str(value)


def _csv_line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([" ".join(cell.split()) for cell in cells])
    return text.getvalue().encode(errors="replace")
