"""The shelf of a site whose tiles are in object storage (docs/decisions/0048): what one host wrote,
another one sends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import structlog

from data.export.shelf import FETCH_S, WORKBOOK_FILE, Shelf
from data.tiles.index import replace_file
from data.tiles.object_store import ObjectStore, StoredObject
from errors import StorageUnavailable

KEPT: Final = "kept"

_log = structlog.get_logger(__name__)


class ObjectShelf(Shelf):
    """The kept files in object storage, ``kept/TAG.KIND``, with copies of those that this host made
    or sends. Ages are told from the newest file, so no clock of ours counts.
    """

    def __init__(self, objects: ObjectStore, tiles: Path, ttl_s: float, budget_bytes: int) -> None:
        super().__init__(tiles, ttl_s, budget_bytes)
        self._objects = objects

    def find(self, tag: str, kind: str = WORKBOOK_FILE) -> Path | None:
        """The file of a tag, fetched if this host has no copy; None as :meth:`Shelf.find`.

        Raises:
            StorageUnavailable: the storage does not answer.
        """
        here = super().find(tag, kind)
        if here is not None:
            return here
        if not self._objects.patient and not self._objects.breaker.allow_probe():
            raise StorageUnavailable
        found, path = self._objects.pieces(f"{KEPT}/{tag}.{kind}"), self.path(tag, kind)
        if found is None:
            return None
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(path, found[1])
        path.chmod(0o600)
        return path

    def find_of_job(self, job: str, kind: str) -> Path | None:
        """The file whose tag begins with a job's id and a hyphen; raises as :meth:`find`."""
        here = super().find_of_job(job, kind)
        if here is not None:
            return here
        for each in self._objects.listed(KEPT, after=f"{KEPT}/{job}-"):
            name = Path(each.name)
            if not name.name.startswith(f"{job}-"):
                return None
            if name.suffix == f".{kind}":
                return self.find(name.stem, kind)
        return None

    def put(self, draft: Path, tag: str, kind: str = WORKBOOK_FILE) -> Path:
        """Show a finished draft to all hosts; raises as :meth:`find`."""
        self._objects.put(f"{KEPT}/{tag}.{kind}", draft)
        return super().put(draft, tag, kind)

    def prune(self, keep: str = "") -> int:
        """Remove from the storage what :meth:`Shelf.prune` would of a folder, then copies here;
        bytes removed of the storage.
        """
        super().prune(keep)
        try:
            return self._remove(self._unkept(keep))
        except StorageUnavailable as exc:  # must stop nobody's job
            _log.warning("kept files not removed", reason=exc.message)
            return 0

    def _unkept(self, keep: str) -> list[StoredObject]:
        found = sorted(self._objects.listed(KEPT), key=lambda each: each.written_s)
        now_s, left = max((each.written_s for each in found), default=0.0), sum(each.bytes for each in found)
        gone = []
        for each in found:
            age_s = now_s - each.written_s
            too_many = left > self._budget_bytes and age_s > FETCH_S
            if Path(each.name).stem != keep and (age_s > self._ttl_s or too_many):
                gone.append(each)
                left -= each.bytes
        return gone

    def clear(self) -> int:
        """Remove all files from the storage and from this host; bytes removed of the storage."""
        super().clear()
        return self._remove(list(self._objects.listed(KEPT)))

    def _remove(self, files: list[StoredObject]) -> int:
        self._objects.delete([each.name for each in files])
        return sum(each.bytes for each in files)
