"""The caches of a site: texts, numbers and bytes only.
diskcache would unpickle what it finds, and a pickle is a program.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Any, Final, NoReturn

import diskcache
from diskcache.core import MODE_RAW

from private import own_folder

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_ENTER: Final = stat.S_IXGRP | stat.S_IXOTH
_KINDS: Final = (str, int, float, bytes)
_LARGEST_INT: Final = 2**63 - 1


class NotPlain(OSError):
    """An entry that we never write; a cache takes any OSError for an entry that is not there."""


class PlainDisk(diskcache.Disk):  # type: ignore[misc]  # it ships no types
    """Keeps plain values in the database itself: no pickles, and no files beside it."""

    def put(self, key: object) -> tuple[object, bool]:
        """A key as the database keeps it."""
        return _plain(key), True

    def get(self, key: object, raw: bool) -> object:
        """A key of the database; raises NotPlain for a pickled one."""
        if not raw:
            raise NotPlain("a pickled key")
        return key

    def store(self, value: object, read: bool, key: object = None) -> tuple[int, int, None, object]:  # noqa: ARG002
        """A value as the database keeps it: size, mode, no file, value."""
        return 0, MODE_RAW, None, _plain(value)

    def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> object:  # noqa: ARG002
        """A value of the database; raises NotPlain for a pickle, and for what lies in a file."""
        if mode != MODE_RAW or filename is not None:
            raise NotPlain("a pickle, or a file")
        return value

    def filename(self, key: object = None, value: object = None) -> NoReturn:  # noqa: ARG002
        """Refuse to name a file: values lie in the database alone."""
        raise NotPlain("no files")

    def remove(self, file_path: str) -> None:
        """Nothing: no file is ours, whatever an entry says."""


def open_cache(folder: Path, **settings: Any) -> diskcache.Cache:
    """A cache in a folder of mode 0700. What others could have written is thrown away first:
    a cache may be lost.

    Raises:
        ConfigurationError: the folder is another user's.
    """
    if folder.is_dir() and _others_could_write(folder):
        _throw_away(folder)
    own_folder(folder)
    return diskcache.Cache(str(folder), disk=PlainDisk, **settings)


def _others_could_write(folder: Path) -> bool:
    """Return whether a file of the folder can be from others.
    Modes of files count where others may enter: a umask can be 002.
    """
    own = folder.stat()
    if own.st_mode & _OTHERS_WRITE:
        return True
    wrong = _OTHERS_WRITE if own.st_mode & _OTHERS_ENTER else 0
    for path in folder.iterdir():
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue  # SQLite's journals come and go
        if found.st_uid != own.st_uid or stat.S_ISLNK(found.st_mode) or found.st_mode & wrong:
            return True
    return False


def _throw_away(folder: Path) -> None:
    """Under another name first, so that nobody opens half of it."""
    gone = folder.with_name(f".{folder.name}.{os.getpid()}.gone")
    folder.rename(gone)
    if gone.is_symlink():
        gone.unlink()
    else:
        shutil.rmtree(gone, ignore_errors=True)


def _plain(value: object) -> object:
    """Return a value as SQLite keeps it: bool is a number, and bytes are a blob."""
    if not isinstance(value, _KINDS) or (isinstance(value, int) and abs(value) > _LARGEST_INT):
        raise TypeError(f"a cache keeps text, numbers and bytes, no {type(value).__name__}")
    if isinstance(value, bytes):
        return sqlite3.Binary(value)
    return int(value) if isinstance(value, bool) else value
