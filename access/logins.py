"""Names and passwords: who may begin a session, and which sessions have been signed out."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import diskcache
import structlog

from access.names import is_usable
from access.passwords import check_new_password, hash_password, needs_new_hash, place_to_verify, prepare, verify_password
from access.store import AccessStore, Account
from access.throttle import FIRST_WAIT_S, Attempts, Subject, of_address, of_browser, of_name, too_many
from config import Settings
from data.plaincache import open_cache
from errors import LedgerUnavailable, NotPermitted, TooManyAttempts, WrongPassword

CACHE_BYTES: Final = 64 * 2**20
_CACHE_TROUBLE: Final = (diskcache.Timeout, sqlite3.Error, OSError)

log = structlog.get_logger(__name__)


def open_logins(settings: Settings, access: AccessStore, now_s: Callable[[], float] = time.time) -> Logins:
    """The sign-in of a site; counts lie in a folder that nobody else may enter, and nothing of it is thrown out early."""
    prepare()
    cache = open_cache(settings.data_dir / "logins", size_limit=CACHE_BYTES, eviction_policy="none", timeout=5)
    return Logins(access, cache, now_s)


class Logins:
    """Checks passwords, slowly for whoever guesses. ``now_s`` is the clock (seconds since 1970)."""

    def __init__(self, access: AccessStore, cache: diskcache.Cache, now_s: Callable[[], float] = time.time) -> None:
        self._access = access
        self._cache = cache
        self._attempts = Attempts(cache, now_s)

    def is_empty(self) -> bool:
        """Whether there is no user at all yet, so that nobody can sign in."""
        return not self._access.has_accounts()

    def check(self, name: str, password: str, address: str, browser: str = "") -> Account:
        """The account of a name and its password; a refusal is told in the audit log, with the name only if there is one such.

        The answer, and how long it takes, are the same whether there is such an account or not. ``browser`` is the mark of
        one in which this name has signed in before: then its own attempts count, and nobody else's.

        Raises:
            TooManyAttempts: of this name, from this address or of all at this moment; saying how long to wait.
            WrongPassword: no such account, or not its password.
            NotPermitted: the password is right, and the account disabled.
            LedgerUnavailable: attempts cannot be counted now, so none is made.
        """
        try:
            return self._checked(name, password, (of_browser(browser),) if browser else (of_name(name), of_address(address)))
        except (WrongPassword, TooManyAttempts, NotPermitted) as error:
            # People type passwords there, so only a known name is told; but as often as an unknown one, or the time that the
            # entry takes would tell which is which.
            known = is_usable(name) and self._access.account(name) is not None
            waits = isinstance(error, TooManyAttempts)  # that costs nobody anything, so all of it is one entry
            of = "waits" if waits else of_name(name).key
            self._access.audit.refused(error, {"user": name} if known else {}, action="login", of=of)
            raise

    def _checked(self, name: str, password: str, subjects: Sequence[Subject]) -> Account:
        with place_to_verify() as has_place:
            if not has_place:
                raise too_many(FIRST_WAIT_S)
            with _counted():
                self._attempts.begin(subjects)
            known = self._access.password_hash(name) if is_usable(name) else None
            if not verify_password(known, password) or known is None:
                raise WrongPassword("Name or password is wrong.")
        with _counted():
            self._attempts.succeeded(subjects)
        found = self._access.account(name)
        if found is None:
            raise WrongPassword("Name or password is wrong.")
        if found.disabled:
            raise NotPermitted("The account {name} is disabled; ask whoever runs this site.", name=name)
        if needs_new_hash(known):
            found = self._access.change_account(name, password_hash=hash_password(password))
        return found

    def change_password(self, name: str, current: str, new: str, address: str) -> Account:
        """Give an account another password; all its sessions end.

        Raises:
            InvalidRequest: the new one is too easy (field ``new``).
            WrongPassword, TooManyAttempts, NotPermitted, LedgerUnavailable: as :meth:`check`.
        """
        check_new_password(new, name)
        self.check(name, current, address)
        return self._access.change_account(name, password_hash=hash_password(new))

    def end_session(self, sid: str, for_s: float) -> None:
        """Remember that a session was signed out, for as long as its cookie could be shown again."""
        with _counted():
            self._cache.set(f"ended-{sid}", 1, expire=for_s)

    def is_ended(self, sid: str) -> bool:
        """Whether a session was signed out."""
        with _counted():
            return f"ended-{sid}" in self._cache


@contextmanager
def _counted() -> Iterator[None]:
    """Without the counts nothing is answered: a full disk must not open the door."""
    try:
        yield
    except _CACHE_TROUBLE as exc:
        log.error("the counts of sign-ins do not answer", error=str(exc))
        raise LedgerUnavailable from exc
