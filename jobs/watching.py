"""The process that watches folders: what loggers append to files or drop goes into the inbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from config import Settings
from data.catalogue import load_catalogue
from data.inbox.arrivals import Arrivals
from data.inbox.positions import Position, Positions
from data.inbox.posting import Posting
from data.inbox.rejected_items import RejectedItem, RejectedItems
from data.inbox.watched_folder import FileLook, FilePiece, FolderReader, WatchedFolder
from data.ingest.file_plan import ImportOptions
from data.ingest.profile import load_profile
from errors import ConfigurationError, Conflict, ImportRejected, UnknownSensor
from jobs.lone_process import alone_in
from jobs.receiving import open_spool, refuse_beside_source
from jobs.worker.wake import wake

_EVERY_S: Final = 1.0
_SHARE: Final = 0.1  # of the time may be spent in looking, where shares are slow
_REST_S: Final = 10.0
_ROWS_AT_ONCE: Final = 50_000

log = structlog.get_logger(__name__)


def watched_folders(settings: Settings) -> tuple[WatchedFolder, ...]:
    """Return the folders that RIWAYAT_WATCH names.

    Raises:
        ConfigurationError: an entry is not DIR:PROFILE[:STATION], or a profile is none.
    """
    refuse_beside_source(settings, "RIWAYAT_WATCH")
    entries = [entry.strip() for entry in settings.watch.split(";") if entry.strip()]
    return tuple(watched_folder(settings, *_parts(number, entry)) for number, entry in enumerate(entries, 1))


def watched_folder(
    settings: Settings, path: str, profile: str | None = None, station: str | None = None, timezone: str | None = None
) -> WatchedFolder:
    """Return a folder to watch, which need not be there yet, with a profile that can be read.

    Raises:
        ConfigurationError: the profile is none.
    """
    if profile:
        load_profile(profile)
    return WatchedFolder(
        Path(path).resolve(), ImportOptions(profile or None, station or None, timezone or None, settings.timezone)
    )


def _parts(number: int, entry: str) -> list[str]:
    parts = [part.strip() for part in entry.split(":")]
    if not 2 <= len(parts) <= 3 or not parts[0]:
        raise ConfigurationError(
            "RIWAYAT_WATCH, entry {number}: expected DIR:PROFILE or DIR:PROFILE:STATION, and a semicolon between entries.",
            number=number,
        )
    return parts


@dataclass
class _Seen:
    look: FileLook
    first_s: float
    since_s: float  # for how long it has not changed
    done: bool = False


class Watcher:
    """Looks at files of some folders, and puts what is new into the inbox before it goes on."""

    def __init__(self, settings: Settings, folders: Sequence[WatchedFolder], *, rest_s: float = _REST_S) -> None:
        """``rest_s``: after how long without a change a file is taken to be whole."""
        self._settings, self._rest_s = settings, rest_s
        self._posting = Posting(open_spool(settings), RejectedItems(settings.inbox_path), lambda: wake(settings))
        self._positions = Positions(settings.inbox_path / "watched.sqlite")
        catalogue = load_catalogue(settings.sensors)
        self._readers = [FolderReader(folder, catalogue, self._positions) for folder in folders]
        self._seen: dict[Path, _Seen] = {}
        self._said: set[str] = set()
        self._arrivals: list[Arrivals] = []
        self._rejected: list[RejectedItem] = []
        self._moved: dict[str, Position] = {}

    def run(self, stopping: threading.Event, *, once: bool = False) -> None:
        """Watch until ``stopping`` is set; ``once``: look once, taking every file to be whole.

        Raises:
            Conflict: another process watches for this folder of data.
        """
        inbox = self._settings.inbox_path
        another = Conflict(
            "Another process watches for {folder}; manage.py watch runs once for each folder of data, for all that it watches.",
            folder=inbox,
        )
        with alone_in(inbox, ".watch.lock", another):
            while not stopping.is_set():
                began_s = time.monotonic()
                self.look(stopping, at_rest=once)
                if once:
                    return
                stopping.wait(max(_EVERY_S, (time.monotonic() - began_s) / _SHARE))

    def look(self, stopping: threading.Event, *, at_rest: bool = False) -> None:
        """Look at all files once; returns when what is new is kept."""
        for reader in self._readers:
            try:
                for look in reader.files():
                    self._look_at(reader, look, stopping, at_rest=at_rest)
            except OSError as exc:
                self._say(f"{reader.folder.path}: {exc.strerror or exc}")
        self._flush(stopping)

    def _look_at(self, reader: FolderReader, look: FileLook, stopping: threading.Event, *, at_rest: bool) -> None:
        now_s = time.monotonic()
        seen = self._seen.get(look.path)
        if seen is None or seen.look != look:
            seen = self._seen[look.path] = _Seen(look, seen.first_s if seen else now_s, now_s)
        if seen.done or stopping.is_set():
            return
        try:
            seen.done = True
            for piece in reader.pieces(look, at_rest=at_rest or now_s - seen.since_s >= self._rest_s):
                if piece is None:
                    seen.done = False
                else:
                    self._take(piece, stopping)
        except (ImportRejected, UnknownSensor, ConfigurationError) as exc:
            if at_rest or now_s - seen.first_s >= self._rest_s:  # one that is just being made is not whole yet
                self._say(exc.message)
            else:
                seen.done = False
        except OSError as exc:
            seen.done = False
            self._say(f"{look.path}: {exc.strerror or exc}")

    def _take(self, piece: FilePiece, stopping: threading.Event) -> None:
        self._arrivals += piece.arrivals
        self._rejected += piece.rejected
        self._moved[piece.position.path] = piece.position
        if sum(map(len, self._arrivals)) >= _ROWS_AT_ONCE:
            self._flush(stopping)

    def _flush(self, stopping: threading.Event) -> None:
        """Keep what was read, and only then how far; a kill between the two reads the same again,
        which changes nothing.
        """
        if not self._moved:
            return
        if self._posting.post(self._arrivals, self._rejected, stopping):
            self._positions.save(self._moved.values())
            log.info("read", files=len(self._moved), observations=sum(map(len, self._arrivals)), rejected=len(self._rejected))
        self._arrivals, self._rejected, self._moved = [], [], {}

    def _say(self, sentence: str) -> None:
        """Say once what hinders a file."""
        if sentence not in self._said:
            self._said.add(sentence)
            log.error("left alone", why=sentence, advice="mend the file or the profile; manage.py import can bring it in, too")
