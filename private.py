"""Folders and files that are nobody else's: what is written there is believed later, so nobody else may have written it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import structlog

from errors import ConfigurationError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

log = structlog.get_logger(__name__)


def own_folder(folder: Path, *, ours: bool = True) -> None:
    """Make a folder of mode 0700; one of ours that others may enter is closed to them.

    Raises:
        ConfigurationError: it cannot be made or written; or it is another user's, or of all users as /tmp is. Where ``ours`` is
            false, a folder of others is left as it is (tiles of several hosts, whose users need not be the same).
    """
    found = _made(folder, "RIWAYAT_DATA_DIR" if ours else "RIWAYAT_TILE_DIR")
    if not _is_trusted(found.st_uid, folder.parent) or found.st_mode & stat.S_ISVTX:
        if ours:
            raise ConfigurationError(
                "The folder {folder} is another user's, or everybody's; Riwayat needs one of its own. Change its owner, or set"
                " RIWAYAT_DATA_DIR to another folder.",
                folder=folder,
            )
    elif found.st_mode & _OTHERS and found.st_uid == os.geteuid():
        folder.chmod(0o700)
        log.warning(
            "a folder was open to other users and is closed now", folder=str(folder), mode=oct(stat.S_IMODE(found.st_mode))
        )


def _made(folder: Path, setting: str) -> os.stat_result:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.stat()
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "it cannot be written")
    except OSError as exc:
        raise ConfigurationError(
            "The folder {folder} cannot be used: {why}. Let the user who runs Riwayat write there, or set {setting} to another"
            " folder.",
            folder=folder,
            why="a file is in its place" if isinstance(exc, FileExistsError) else exc.strerror,
            setting=setting,
        ) from exc
    return found


def check_secret_file(path: Path) -> None:
    """A file that holds a secret: close it to others who could read it, and refuse one that others could have written.

    Raises:
        ConfigurationError: it is no plain file, it is another user's, or others may write to it.
    """
    found = path.lstat()
    plain = stat.S_ISREG(found.st_mode)
    if not plain or not _is_trusted(found.st_uid, path.parent) or found.st_mode & _OTHERS_WRITE:
        raise ConfigurationError(
            "Other users could have written {path}, so it is not believed. Delete it: a new one is made, everybody signs in"
            " again, and links of embedded charts have to be made anew. Or set RIWAYAT_SECRET_KEY.",
            path=path,
        )
    if found.st_mode & _OTHERS:
        path.chmod(0o600)
        log.warning(
            "a secret was readable by other users and is closed now; delete it to have a new one",
            path=str(path),
            mode=oct(stat.S_IMODE(found.st_mode)),
        )


def _is_trusted(owner: int, folder: Path) -> bool:
    """Ours or root's; root itself works for whoever has the folder, too."""
    me = os.geteuid()
    return owner in (me, 0) or (me == 0 and owner == folder.stat().st_uid)
