"""What arrived by itself and could not be taken: kept to be seen, mended and replayed."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_ITEMS: Final = 10_000
MOST_BYTES: Final = 20_000_000
_COLUMNS: Final = "id, source, reading, header, lines, why, since_s"


@dataclass(frozen=True)
class RejectedItem:
    """``source``: the file or topic it came from; ``reading``: how it is read, as text;
    ``lines``: what came, behind ``header``; ``why``: an English sentence; ``since_s``: since 1970.
    """

    id: str
    source: str
    reading: str
    header: bytes
    lines: bytes
    why: str
    since_s: float


def rejected_item(source: str, reading: str, header: bytes, lines: bytes, why: str) -> RejectedItem:
    """Make an item; the same lines of the same source have the same id."""
    digest = hashlib.sha256(b"\0".join([source.encode(), reading.encode(), header, lines])).hexdigest()[:16]
    return RejectedItem(digest, source, reading, header, lines, why, time.time())


class RejectedItems:
    """At most ``most_items`` and ``most_bytes``: beyond them the oldest are dropped."""

    def __init__(self, folder: Path, most_items: int = MOST_ITEMS, most_bytes: int = MOST_BYTES) -> None:
        self._path, self._most_items, self._most_bytes = folder / "rejected.sqlite", most_items, most_bytes

    def add(self, items: Iterable[RejectedItem]) -> int:
        """Keep items, each once; returns how many old ones were dropped for them."""
        some = [[getattr(item, name) for name in _COLUMNS.split(", ")] for item in items]
        if not some:
            return 0
        with self._connection() as connection:
            connection.executemany("insert or ignore into item values (?, ?, ?, ?, ?, ?, ?)", some)
            sizes = connection.execute("select id, length(header) + length(lines) from item order by since_s desc, id").fetchall()
            taken, dropped = 0, []
            for number, (name, size) in enumerate(sizes, 1):
                taken += size
                if number > self._most_items or (taken > self._most_bytes and number > 1):
                    dropped.append((name,))
            connection.executemany("delete from item where id = ?", dropped)
        return len(dropped)

    def newest(self, limit: int) -> Sequence[RejectedItem]:
        """Return the items that came last, the newest first."""
        return self._select("order by since_s desc, id limit ?", limit)

    def find(self, item_id: str) -> RejectedItem | None:
        """Return an item; None where there is none of that id."""
        return next(iter(self._select("where id = ?", item_id)), None)

    def count(self) -> int:
        """Return how many there are."""
        if not self._path.exists():
            return 0
        with self._connection() as connection:
            return int(connection.execute("select count(*) from item").fetchone()[0])

    def remove(self, item_id: str) -> bool:
        """Remove an item; returns whether it was there."""
        if not self._path.exists():
            return False
        with self._connection() as connection:
            return connection.execute("delete from item where id = ?", (item_id,)).rowcount > 0

    def _select(self, which: str, value: str | int) -> Sequence[RejectedItem]:
        if not self._path.exists():
            return []
        with self._connection() as connection:
            rows = connection.execute(f"select {_COLUMNS} from item {which}", (value,)).fetchall()  # noqa: S608 - ours # nosec B608
        return [RejectedItem(*row) for row in rows]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(self._path, timeout=10)) as connection:
            connection.execute(
                "create table if not exists item"
                " (id text primary key, source text, reading text, header blob, lines blob, why text, since_s real)"
            )
            with connection:
                yield connection
