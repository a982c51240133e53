"""Processes of which there is one for each folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import Conflict


@contextmanager
def alone_in(folder: Path, lock: str, refusal: Conflict) -> Iterator[None]:
    """Hold a lock of a folder, which is made; the system lets go of it when the process ends.

    Raises:
        Conflict: ``refusal``; another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        os.close(descriptor)
        raise refusal from exc
    try:
        yield
    finally:
        os.close(descriptor)
