"""Folders and files of nobody else's: what is written there is believed later."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

import structlog

from errors import ConfigurationError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

log = structlog.get_logger(__name__)


def own_folder(folder: Path, *, ours: bool = True) -> None:
    """Make a folder of mode 0700; one of ours that others may enter is closed to them.

    Raises:
        ConfigurationError: it cannot be made or written; or it is another user's, or of all users
            as /tmp is. Where ``ours`` is false, a folder of others is left as it is (tiles of
            several hosts, whose users need not be the same).
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
    """The file of the signing secret: closed to others who could read it,
    refused when others could have written it.

    Raises:
        ConfigurationError: it is no plain file, it is another user's, or others may write to it.
    """
    _check_file(
        path,
        path.lstat(),
        "Other users could have written {path}, so it is not believed. Delete it: a new one is made, everybody signs in"
        " again, and links of embedded charts have to be made anew. Or set RIWAYAT_SECRET_KEY.",
        "a secret was readable by other users and is closed now; delete it to have a new one",
    )


def check_private_file(path: Path) -> None:
    """A file of settings or a database, if it is there: as :func:`check_secret_file`.
    A link is followed.

    What is no plain file is left to whoever opens it.

    Raises:
        ConfigurationError: it is another user's, or others may write to it.
    """
    with suppress(OSError):  # what SQLite keeps beside a database comes and goes
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return
        _check_file(
            path,
            found,
            "Other users could have written {path}, so it is not believed. See what it holds, then make it the file of the user"
            " who runs Riwayat, for nobody else: chown and chmod 600.",
            "a file was readable by other users and is closed now; passwords in it may be known to them",
        )


def _check_file(path: Path, found: os.stat_result, refusal: str, closed: str) -> None:
    plain = stat.S_ISREG(found.st_mode)
    if not plain or not _is_trusted(found.st_uid, path.parent) or found.st_mode & _OTHERS_WRITE:
        raise ConfigurationError(refusal, path=path)
    # root's, which root lets Riwayat's group read
    group_reads = found.st_uid == 0 and found.st_gid != 0
    left = 0o640 if group_reads else 0o600
    # root's own is root's to close
    if found.st_mode & _OTHERS & ~left and os.geteuid() in (found.st_uid, 0):
        path.chmod(found.st_mode & left)
        _warn(closed, path=str(path), mode=oct(stat.S_IMODE(found.st_mode)))


def _warn(event: str, **told: str) -> None:
    """To the log; before it is set up, which the settings do, to standard error:
    standard output may be for programs.
    """
    if structlog.is_configured():
        log.warning(event, **told)
    else:
        sys.stderr.write(f"Warning: {event}: {', '.join(f'{name}={value}' for name, value in told.items())}\n")


def _is_trusted(owner: int, folder: Path) -> bool:
    """Ours or root's; root itself works for whoever has the folder, too."""
    me = os.geteuid()
    return owner in (me, 0) or (me == 0 and owner == folder.stat().st_uid)
