"""Whether the site can do its work: databases, cache, disk, a living worker for each queue."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import diskcache
import structlog
from sqlalchemy.exc import SQLAlchemyError

from access.store import open_access
from data.site import Site
from errors import RiwayatError
from jobs.ledger.ledger import Ledger
from jobs.policy import QUEUES

_PROBE = "readiness"
_PROBE_S = 60
# a month of a sensor at one-second steps is 45 MB, and databases want to write as well
LEAST_FREE_BYTES: Final = 200_000_000
_TRUE_S: Final = 1.0  # how long an answer is good for those who ask after it

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Readiness:
    """Asks each part whether it answers."""

    site: Site
    ledger: Ledger
    cache: diskcache.Cache
    least_free_bytes: int = LEAST_FREE_BYTES

    def checks(self) -> Mapping[str, bool]:
        """What was asked, and whether it is well;
        ``worker QUEUE``: somebody alive runs the jobs of that queue.
        """
        served: set[str] = set()
        return {
            "jobs": _answers("jobs", lambda: served.update(self._served())),
            "observations": _answers("observations", self.site.inventory.stations),
            "cache": _answers("cache", self._write_cache),
            "disk": _answers("disk", self._check_disk),
            **{f"worker {queue}": queue in served for queue in QUEUES},
        }

    def _served(self) -> set[str]:
        """Queues that somebody alive serves; asks for the tables of who may see what as well."""
        open_access(self.site.settings, engine=self.ledger.engine).has_accounts()
        return {queue for worker in self.ledger.workers() for queue in worker.queues}

    def _write_cache(self) -> None:
        self.cache.set(_PROBE, True, expire=_PROBE_S)

    def _check_disk(self) -> None:
        """Raises OSError where less is free, of tiles or of data, than a load needs,
        or where no file more has room.
        """
        settings = self.site.settings
        for path in {settings.tiles_path, settings.data_dir}:
            found = os.statvfs(path)
            if found.f_bavail * found.f_frsize < self.least_free_bytes or (found.f_files and not found.f_favail):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


class SharedReadiness:
    """The checks for whoever asks: made once a second at the most, because anybody may ask,
    as often as they like.
    """

    def __init__(self, readiness: Readiness, clock: Callable[[], float] = time.monotonic) -> None:
        self._readiness = readiness
        self._clock = clock
        self._lock = threading.Lock()
        self._found: Mapping[str, bool] = {}
        self._until_s = float("-inf")

    def checks(self) -> Mapping[str, bool]:
        """Return what :meth:`Readiness.checks` does, a second old at most."""
        with self._lock:
            if self._clock() >= self._until_s:
                self._found = self._readiness.checks()
                self._until_s = self._clock() + _TRUE_S
            return self._found


def _answers(name: str, check: Callable[[], object]) -> bool:
    try:
        check()
    except (SQLAlchemyError, RiwayatError, diskcache.Timeout, sqlite3.Error, OSError) as exc:
        log.warning("not ready", check=name, error=str(exc).splitlines()[0])
        return False
    return True
