"""One worker of a host at a time reads a station's month."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.tiles import paths


@contextmanager
def month_locked(root: Path, source: str, station: str, month: int) -> Iterator[None]:
    """Lock a station's month against the host's other workers that would read it."""
    folder = root / paths.station_folder(source, station)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as file:
        # One byte of one file a month. Locks of the open file description,
        # so that threads exclude each other too.
        span = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, month, 1, 0)
        fcntl.fcntl(file, fcntl.F_OFD_SETLKW, span)
        yield
