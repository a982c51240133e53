"""Object storage by its client (docs/decisions/0048). The only module that knows its client.

Credentials come from the environment, as every client of S3 takes them (``AWS_ACCESS_KEY_ID`` and
the like); no error and no log line holds them.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from data.database.circuit_breaker import CircuitBreaker
from errors import ConfigurationError, StorageUnavailable
from redaction import without_secrets

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Store

AT_ONCE: Final = 8  # requests: 8 tiles of a month of seconds, in pieces, are what a process holds
ABSENT: Final = "absent"  # in place of an entity tag: put only where there is nothing
_PIECE_BYTES: Final = 1 << 22
_WHY = re.compile(r" - (?:Server returned non-2xx status code: )?([^\n<]{1,120})")
_REFUSALS: Final = ("PermissionDeniedError", "UnauthenticatedError")
_UNMET: Final = ("AlreadyExistsError", "PreconditionError")
_CONTENDED: Final = "409 Conflict"  # of S3: another conditional put of the object is on its way

Answer = TypeVar("Answer")
Item = TypeVar("Item")
_made_in: set[int] = set()  # processes that have made a client


@dataclass(frozen=True)
class StoredObject:
    """An object as a listing tells it: name below the prefix, entity tag, bytes, and when it was
    written, s since 1970 by the storage's clock.
    """

    name: str
    tag: str
    bytes: int
    written_s: float


class ObjectStore:
    """Objects of ``s3://bucket/prefix``. Threads may share it; a process may not go on with what
    another has used: a forked one would wait for threads that it does not have.

    ``patient``: tries again for a minute, as a job may; else every request is made once.
    """

    def __init__(self, url: str, *, patient: bool = True) -> None:
        self.url = url
        self.patient = patient
        self.breaker = CircuitBreaker("objects of the tiles")
        self._lock = threading.Lock()
        self._client: S3Store | None = None
        self._pool: ThreadPoolExecutor | None = None

    def get(self, name: str) -> tuple[bytes, str] | None:
        """Return an object's bytes and its entity tag; None where there is none."""
        import obstore

        def ask(client: S3Store) -> tuple[bytes, str]:
            found = obstore.get(client, name)
            return found.bytes().to_bytes(), found.meta["e_tag"] or ""

        return self._ask(ask)

    def pieces(self, name: str) -> tuple[int, Iterator[bytes]] | None:
        """Return how many bytes an object has, and these by pieces; None where there is none."""
        import obstore

        found = self._ask(lambda client: obstore.get(client, name))
        if found is None:
            return None
        stream = iter(found.stream(min_chunk_size=_PIECE_BYTES))

        def read() -> Iterator[bytes]:
            while piece := self._ask(lambda _: next(stream, None)):
                yield bytes(piece)

        return found.meta["size"], read()

    def put(self, name: str, data: bytes | Path, only_if: str | None = None) -> str | None:
        """Put an object and return its entity tag; None where a condition is not met: it is
        ``ABSENT``, or its entity tag is ``only_if``.

        Where no answer came (StorageUnavailable), it may have been put all the same.
        """
        import obstore

        mode = "overwrite" if only_if is None else "create" if only_if == ABSENT else {"e_tag": only_if}
        multipart = False if only_if is not None else None  # parts know no condition

        def ask(client: S3Store) -> str:
            return obstore.put(client, name, data, mode=mode, use_multipart=multipart)["e_tag"] or ""  # type: ignore[arg-type]

        return self._ask(ask)

    def listed(self, prefix: str, after: str | None = None) -> Iterator[StoredObject]:
        """Yield the objects below a prefix (a folder), by name; only those ``after`` one."""
        import obstore

        pages = iter(self._ask(lambda client: obstore.list(client, prefix, offset=after, chunk_size=1000)) or ())
        while page := self._ask(lambda _: next(pages, None)):
            for each in page:
                yield StoredObject(each["path"], each["e_tag"] or "", each["size"], each["last_modified"].timestamp())

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects; those that are not there are none."""
        import obstore

        if names:
            self._ask(lambda client: obstore.delete(client, list(names)))

    def each(self, work: Callable[[Item], Answer], items: Iterable[Item], timeout_s: float | None = None) -> list[Answer]:
        """Return what a function that asks the storage gives of each item, some at a time.

        Raises:
            StorageUnavailable: it takes longer than ``timeout_s``.
        """
        todo = list(items)
        if len(todo) < 2 and timeout_s is None:
            return [work(item) for item in todo]
        with self._lock:
            self._refuse_inherited()
            self._pool = self._pool or ThreadPoolExecutor(AT_ONCE, thread_name_prefix="objects")
        found = self._pool.map(work, todo, timeout=timeout_s)
        try:
            return list(found)
        except TimeoutError as exc:
            raise StorageUnavailable from exc

    def _ask(self, ask: Callable[[S3Store], Answer]) -> Answer | None:
        """Return an answer of the client; None where there is no such object, or a condition of a
        put is not met.

        Raises:
            StorageUnavailable: it gives none.
            ConfigurationError: the storage refuses us, or there is none.
        """
        from obstore.exceptions import BaseError

        answer: Answer | None = None
        try:
            answer = ask(self._store())
        except FileNotFoundError as exc:
            if "NoSuchBucket" in str(exc):
                raise self._wrong("there is no such bucket") from exc
        except BaseError as exc:
            kind, why = type(exc).__name__, _why(exc)
            if kind in _REFUSALS:
                raise self._wrong(why) from exc
            if kind not in _UNMET and _CONTENDED not in why:
                self.breaker.record_failure(why)
                raise StorageUnavailable("The object storage does not answer ({why}). Try again in a moment.", why=why) from exc
        self.breaker.record_success()
        return answer

    def _wrong(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            "The bucket {url} of RIWAYAT_TILE_DIR cannot be used: {why}. Look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,"
            " AWS_REGION and AWS_ENDPOINT_URL.",
            url=self.url,
            why=why,
        )

    def _store(self) -> S3Store:
        if (client := self._client) is not None:
            return client
        with self._lock:
            self._refuse_inherited()
            client = self._client = self._client or self._make()
        return client

    @staticmethod
    def _refuse_inherited() -> None:
        """Raise where a process above this one has asked object storage: that would hang here."""
        if _made_in - {os.getpid()}:
            raise RuntimeError("An object storage was asked before a fork; its client does not survive one.")

    def _make(self) -> S3Store:
        from obstore.store import S3Store

        parts = urlsplit(self.url)
        options: ClientConfig = {"allow_http": True, "connect_timeout": "2s", "timeout": "60s" if self.patient else "20s"}
        retries: RetryConfig = {"max_retries": 6 if self.patient else 0, "retry_timeout": timedelta(seconds=60)}
        _made_in.add(os.getpid())
        try:
            return S3Store(parts.netloc, prefix=parts.path.strip("/") or None, client_options=options, retry_config=retries)
        except Exception as exc:
            raise self._wrong(_why(exc)) from exc


def conditions_hold(objects: ObjectStore, name: str) -> bool:
    """Return whether a storage keeps to conditions of a put, tried with an object of that name;
    without them two workers would overwrite each other's index.
    """
    objects.delete([name])
    try:
        first = objects.put(name, b"1", ABSENT)
        taken = objects.put(name, b"2", ABSENT)
        second = objects.put(name, b"2", first) if first else None
        late = objects.put(name, b"3", first) if first else None
        return first is not None and taken is None and second is not None and late is None
    finally:
        with suppress(StorageUnavailable):
            objects.delete([name])


def write_pieces(pieces: Iterable[bytes], path: Path) -> None:
    """Write a file of what :meth:`ObjectStore.pieces` gives."""
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def _why(error: BaseException) -> str:
    """Return in a few words what an error of the client says, without address and secrets."""
    found = _WHY.search(str(error))
    return without_secrets(found[1] if found else type(error).__name__).strip(" :")
