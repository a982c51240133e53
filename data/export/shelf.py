"""Files that jobs wrote for a user, kept for a while beside the tiles, where all hosts see them:
workbooks, NetCDF files, pictures, reports, and answers of analyses.

``TILE_DIR/.workbooks/TAG.KIND``: of rows (``xlsx``, ``nc``) TAG is their ETag, so equal
rows are one file, and other rows another one; of an answer (``answer``) it is a digest of the
question and the rows; of a picture (``png``, ``svg``, ``pdf``) it is one of the figure that it is
drawn of, which lies beside it (``figure``); of a report (``html``, ``pdf``, ``xlsx``) the job's id
comes before it. Drafts are folders; no name of a series' folder begins with a dot
(data/tiles/paths.py).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

FOLDER: Final = ".workbooks"
DRAFT_LIFE_S: Final = 3600.0  # a draft that nobody has written to for so long has lost its writer

FETCH_S: Final = 600.0

WORKBOOK_FILE: Final = "xlsx"
ANSWER_FILE: Final = "answer"
FIGURE_FILE: Final = "figure"

_KINDS: Final = (WORKBOOK_FILE, "nc", ANSWER_FILE, FIGURE_FILE, "png", "svg", "pdf", "html")
_DRAFT: Final = ".draft"
_INSIDE: Final = "file"

_log = structlog.get_logger(__name__)


class Shelf:
    """The files of a store of tiles. ``ttl_s``: how long one is kept;
    ``budget_bytes``: how much all of them may take. ``kind`` is what a file's name ends in.
    """

    def __init__(self, tiles: Path, ttl_s: float, budget_bytes: int) -> None:
        self._folder = tiles / FOLDER
        self._ttl_s = ttl_s
        self._budget_bytes = budget_bytes

    def path(self, tag: str, kind: str = WORKBOOK_FILE) -> Path:
        """Return the path of the file of a tag, once it is written."""
        return self._folder / f"{tag}.{kind}"

    def find(self, tag: str, kind: str = WORKBOOK_FILE) -> Path | None:
        """The file of a tag; None when it is not written yet, or it is no longer kept."""
        path = self.path(tag, kind)
        try:
            age_s = time.time() - path.stat().st_mtime
        except (FileNotFoundError, NotADirectoryError):
            return None
        return path if age_s <= self._ttl_s else None

    def find_of_job(self, job: str, kind: str) -> Path | None:
        """The file whose tag begins with a job's id and a hyphen; None as :meth:`find`."""
        tags = sorted(path.stem for path in self._folder.glob(f"{job}-*.{kind}"))
        return next((found for tag in tags if (found := self.find(tag, kind)) is not None), None)

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """The path of a file to be written, alone in a folder that is gone afterwards;
        only this user may enter it.

        :meth:`remove_draft` with the same name removes what a process
        left that was killed meanwhile.
        """
        folder = self._draft_folder(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        try:
            yield folder / _INSIDE
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def remove_draft(self, name: str) -> None:
        """Remove what is left of a draft, if anything is."""
        shutil.rmtree(self._draft_folder(name), ignore_errors=True)

    def put(self, draft: Path, tag: str, kind: str = WORKBOOK_FILE) -> Path:
        """Show a finished draft to all; only this user may read the file (mode 0600)."""
        draft.chmod(0o600)
        return draft.replace(self.path(tag, kind))

    def prune(self, keep: str = "") -> int:
        """Remove what is too old, then the oldest until the rest fits the budget; bytes removed.

        Never the tag ``keep``; nor, for the budget's sake, what is so new that somebody may be
        about to fetch it. Drafts that lost their writers go as well.
        """
        self._sweep()
        found = self._found()
        total, removed = sum(size for _, size, _ in found), 0
        for written, size, path in sorted(found):
            age_s = time.time() - written
            too_many = total - removed > self._budget_bytes and age_s > FETCH_S
            if path.stem != keep and (age_s > self._ttl_s or too_many):
                removed += size * _removed(path)
        if removed:
            _log.info("kept files removed", bytes=removed)
        return removed

    def clear(self) -> int:
        """Remove all files; bytes removed. What is being written now is not touched."""
        return sum(size * _removed(path) for _, size, path in self._found())

    def _found(self) -> list[tuple[float, int, Path]]:
        """When each was written (s since 1970), its bytes and its path."""
        found = []
        for path in (path for kind in _KINDS for path in self._folder.glob(f"*.{kind}")):
            with suppress(FileNotFoundError):  # somebody else was first
                found.append((path.stat().st_mtime, path.stat().st_size, path))
        return found

    def _draft_folder(self, name: str) -> Path:
        return self._folder / f"{name}{_DRAFT}"

    def _sweep(self) -> None:
        for folder in self._folder.glob(f"*{_DRAFT}"):
            with suppress(FileNotFoundError):  # it has just been finished
                written = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
                if time.time() - written > DRAFT_LIFE_S:
                    shutil.rmtree(folder, ignore_errors=True)


def _removed(path: Path) -> bool:
    """Remove a file; False where that is not possible, which must stop nobody's job."""
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        _log.warning("kept file not removed", path=str(path), reason=exc.strerror)
        return False
    return True
