"""The process that stores what has arrived: one a folder of data."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from data.catalogue import load_catalogue
from data.database.engine import make_engine
from data.inbox.spool import Spool
from data.inbox.storing import Storekeeper
from errors import ConfigurationError, Conflict
from jobs.lone_process import alone_in
from jobs.worker.wake import WakeSocket

_LOOK_S: Final = 2.0  # senders wake it; this is for what was sent while it did not run
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0  # while the database does not take anything

log = structlog.get_logger(__name__)


def open_spool(settings: Settings) -> Spool:
    """Return the spool of a site."""
    return Spool(settings.inbox_path, settings.inbox_rows)


def refuse_beside_source(settings: Settings, what: str) -> None:
    """Refuse to take observations into a table that is not shown.

    Raises:
        ConfigurationError: RIWAYAT_SOURCE is set.
    """
    if settings.source is not None:
        raise ConfigurationError(
            "{what} takes observations into Riwayat's own table, which is not shown while RIWAYAT_SOURCE maps another. Leave one"
            " of them out.",
            what=what,
        )


class Receiver:
    """Stores deliveries as they come."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._spool = open_spool(settings)
        engine = make_engine(settings.history_url, application_name="riwayat receive")
        self._storekeeper = Storekeeper(engine, load_catalogue(settings.sensors), self._spool)

    def run(self, stopping: threading.Event, *, stop_when_empty: bool = False) -> None:
        """Store until ``stopping`` is set, which is looked at every two seconds and between
        transactions.

        Raises:
            Conflict: another process stores what arrives in this folder.
        """
        pause_s = _FIRST_PAUSE_S
        inbox = self._settings.inbox_path
        another = Conflict(
            "Another process stores what arrives in {folder}; manage.py receive runs once for each folder of data.", folder=inbox
        )
        with alone_in(inbox, ".lock", another), self._wakes() as wakes:
            while not stopping.is_set():
                try:
                    stored = self._storekeeper.store()
                    pause_s = _FIRST_PAUSE_S
                except SQLAlchemyError as exc:
                    log.error("what arrived cannot be stored; trying again", seconds=pause_s, error=str(exc))
                    stopping.wait(pause_s)
                    pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
                    continue
                if stored.deliveries:
                    log.info("stored", deliveries=stored.deliveries, observations=stored.rows, new=stored.new)
                elif stop_when_empty:
                    return
                else:
                    select.select([wakes], [], [], _LOOK_S)
                    wakes.drain()

    @contextmanager
    def _wakes(self) -> Iterator[WakeSocket]:
        wakes = WakeSocket(self._settings, f"receive-{os.getpid()}")
        try:
            yield wakes
        finally:
            wakes.close()
