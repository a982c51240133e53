"""Passwords as they are kept: argon2id with the parameters of RFC 9106 (second choice:
64 MiB, 3 passes, 4 lanes).

Nothing here is ever logged. A hash takes 64 MiB, so one process makes few at a time.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from errors import InvalidRequest

SHORTEST: Final = 10  # characters of a new password
LONGEST: Final = 1024  # characters: more is an attempt to keep the processor busy

_HASHER: Final = PasswordHasher()
_AT_A_TIME: Final = BoundedSemaphore(2)
# of a web process's threads: those that look at a password, and those that wait for it
_PLACES: Final = BoundedSemaphore(5)


def hash_password(password: str) -> str:
    """The hash of a password, with its parameters and a salt of its own."""
    with _AT_A_TIME:
        return _HASHER.hash(_normal(password))


@contextmanager
def verification_slot() -> Iterator[bool]:
    """A place among those whose passwords are looked at;
    False when all are taken, and no request should wait.

    So guesses from everywhere at once leave threads to those who are signed in.
    """
    has_slot = _PLACES.acquire(blocking=False)
    try:
        yield has_slot
    finally:
        if has_slot:
            _PLACES.release()


def verify_password(known: str | None, password: str) -> bool:
    """Return whether a password is the one of a hash.

    Without a hash (no such account, or one without a password) it takes the same time and is False.
    """
    with _AT_A_TIME:
        try:
            _HASHER.verify(known or _dummy(), _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return bool(known)


def prepare() -> None:
    """Make beforehand what is compared with where there is no hash,
    so that the first unknown name takes no longer, either.
    """
    with _AT_A_TIME:
        _dummy()


def needs_new_hash(known: str) -> bool:
    """Return whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(known)


def check_new_password(password: str, name: str) -> None:
    """Raises InvalidRequest (field ``new``) when no user should have this password:
    too short, too long, or the user's name.
    """
    if len(password) < SHORTEST:
        raise InvalidRequest("A password has at least {count} characters.", field="new", count=SHORTEST)
    if len(password) > LONGEST:
        raise InvalidRequest("A password has at most {count} characters.", field="new", count=LONGEST)
    if len(set(password)) < _LEAST_KINDS or password.casefold().strip("0123456789!. ") == name.casefold():
        raise InvalidRequest("This password is too easy to guess.", field="new")


_LEAST_KINDS: Final = 4  # different characters


def _normal(password: str) -> bytes:
    """The same bytes from every keyboard (NFC); what no encoding can say is replaced.
    Longer ones than LONGEST are cut.
    """
    return unicodedata.normalize("NFC", password[: LONGEST + 1]).encode("utf-8", "replace")


@lru_cache(maxsize=1)
def _dummy() -> str:
    return _HASHER.hash("nobody's password")
