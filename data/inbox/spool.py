"""The folder in which observations wait until they are stored: an Arrow file for each delivery.

Any number of processes put files in; one takes them out. A file is flushed to the disk before
:meth:`Spool.put` returns, so what was accepted outlives a killed process and a power cut.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import structlog

from data.inbox.arrivals import Arrivals, arrivals_of
from errors import DiskFull, InboxFull, RiwayatError, disk_errors

_ENDING: Final = ".arrow"
_DRAFT: Final = ".draft"
_DAMAGED: Final = "damaged"
_DRAFT_S: Final = 3600.0  # a draft older than this is of a process that was killed

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Delivery:
    """A file that waits; ``rows``, how many observations it has."""

    path: Path
    rows: int

    @property
    def since_s(self) -> float:
        """Return when it was put there, s since 1970."""
        return int(self.path.name.split("-")[0]) / 1e6


class Spool:
    """Deliveries in a folder, in the order in which they came; at most about ``most_rows``."""

    def __init__(self, folder: Path, most_rows: int) -> None:
        self.folder, self._most_rows = folder, most_rows

    def put(self, arrivals: Arrivals) -> None:
        """Keep a delivery; returns when it is on the disk.

        Raises:
            InboxFull: too many observations wait already; nothing is kept.
            DiskFull, RiwayatError: the folder cannot be written; nothing is kept.
        """
        full = DiskFull("The disk is full, so what arrived cannot be kept in {path}. Make room.", path=self.folder)
        with disk_errors(full, lambda why: RiwayatError("{path} cannot be written: {why}.", path=self.folder, why=why)):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            waiting = self.rows_waiting()
            if waiting and waiting + len(arrivals) > self._most_rows:
                raise InboxFull
            self._write(arrivals)

    def waiting(self) -> list[Delivery]:
        """Return the deliveries that wait, the oldest first."""
        with suppress(FileNotFoundError):
            names = sorted(entry.name for entry in os.scandir(self.folder) if entry.name.endswith(_ENDING))
            return [Delivery(self.folder / name, _rows_in(name)) for name in names]
        return []

    def rows_waiting(self) -> int:
        """Return how many observations wait; told by the names of files."""
        return sum(each.rows for each in self.waiting())

    def oldest_s(self) -> float | None:
        """Return since when the oldest delivery waits, s since 1970; None where none does."""
        found = self.waiting()
        return found[0].since_s if found else None

    def take(self, most_rows: int) -> Iterator[tuple[Delivery, Arrivals]]:
        """Yield the oldest deliveries, one at least and then up to ``most_rows`` observations. They
        wait until :meth:`remove`. One that cannot be read is set aside, and logged.
        """
        taken = 0
        for delivery in self.waiting():
            if taken and taken + delivery.rows > most_rows:
                return
            try:
                with pa.OSFile(str(delivery.path)) as file, pa.ipc.open_file(file) as reader:
                    found = arrivals_of(reader.read_all())
            except (pa.ArrowInvalid, IndexError, TypeError, ValueError) as exc:
                self.set_aside(delivery, str(exc))
                continue
            taken += delivery.rows
            yield delivery, found

    def remove(self, deliveries: Sequence[Delivery]) -> None:
        """Remove what has been stored, and what killed processes left of deliveries nobody was told
        of.
        """
        for delivery in deliveries:
            delivery.path.unlink(missing_ok=True)
        for draft in self.folder.glob(f"*{_DRAFT}"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > _DRAFT_S:
                    draft.unlink()

    def set_aside(self, delivery: Delivery, why: str) -> None:
        """Keep a delivery that cannot be stored in a folder of its own; it no longer waits."""
        aside = self.folder / _DAMAGED
        aside.mkdir(exist_ok=True, mode=0o700)
        delivery.path.rename(aside / delivery.path.name)
        log.error("a delivery cannot be stored and was set aside", file=str(aside / delivery.path.name), why=why)

    def _write(self, arrivals: Arrivals) -> None:
        name = f"{time.time_ns() // 1000:016d}-{len(arrivals)}-{secrets.token_hex(4)}"
        draft = self.folder / f"{name}{_DRAFT}"
        table = arrivals.to_arrow()
        try:
            with draft.open("wb") as file:
                with pa.ipc.new_file(file, table.schema) as writer:
                    writer.write_table(table)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(draft.with_suffix(_ENDING))
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _rows_in(name: str) -> int:
    """Return how many observations a file's name says it has; 0 of a name that is not ours."""
    parts = name.split("-")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
