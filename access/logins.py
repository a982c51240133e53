"""Names and passwords: who may begin a session, and which sessions have been signed out."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import diskcache
import structlog

from access.account_table import Account
from access.names import is_usable
from access.passwords import check_new_password, hash_password, needs_new_hash, prepare, verification_slot, verify_password
from access.store import AccessStore
from access.throttle import FIRST_WAIT_S, Attempts, ThrottleKey, of_address, of_browser, of_name, of_proxy, too_many
from config import Settings
from data.database.disk_cache import open_cache
from errors import LedgerUnavailable, NotFound, NotPermitted, TooManyAttempts, WrongPassword

CACHE_BYTES: Final = 64 * 2**20
_CACHE_TROUBLE: Final = (diskcache.Timeout, sqlite3.Error, OSError)
# in place of a browser's mark: one session can become another, so all of a name count together
_SIGNED_IN: Final = "signed-in"

log = structlog.get_logger(__name__)


def open_logins(settings: Settings, access: AccessStore, now_s: Callable[[], float] = time.time) -> Logins:
    """The sign-in of a site; counts lie in a folder closed to other accounts of the machine,
    and none is thrown out early.
    """
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
        """Return whether there is no user at all yet, so that no user can sign in."""
        return not self._access.has_accounts()

    def check(self, name: str, password: str, address: str, browser: str = "", peer: str = "") -> Account:
        """The account of a name and its password;
        a refusal is told in the audit log, with the name only if there is one such.

        The answer, and how long it takes, are the same whether there is such an account or not.
        ``browser`` is the mark of one in which this name has signed in before: then its own
        attempts count, and no other's. ``peer`` is who says the address, where anybody could
        (:func:`access.addresses.counted_addresses`).

        Raises:
            TooManyAttempts: of this name, from this address or of all at this moment;
                saying how long to wait.
            WrongPassword: no such account, or not its password.
            NotPermitted: the password is right, and the account disabled.
            LedgerUnavailable: attempts cannot be counted now, so none is made.
        """
        by_peer = (of_proxy(peer),) if peer else ()
        keys = (of_browser(browser, name),) if browser else (of_name(name), of_address(address), *by_peer)
        try:
            return self._checked(name, password, keys)
        except (WrongPassword, TooManyAttempts, NotPermitted) as error:
            # People type passwords there, so only a known name is told; but as often as an unknown
            # one, or the time that the entry takes would tell which is which.
            known = is_usable(name) and self._access.account(name) is not None
            # that costs nobody anything, so all of it is one entry
            waits = isinstance(error, TooManyAttempts)
            of = "waits" if waits else of_name(name).text
            self._access.audit.refused(error, {"user": name} if known else {}, action="login", of=of)
            raise

    def _checked(self, name: str, password: str, keys: Sequence[ThrottleKey]) -> Account:
        with verification_slot() as has_slot:
            if not has_slot:
                raise too_many(FIRST_WAIT_S)
            with _counted():
                self._attempts.begin(keys)
            known = self._access.password_hash(name) if is_usable(name) else None
            if not verify_password(known, password) or known is None:
                raise WrongPassword("Name or password is wrong.")
        with _counted():
            self._attempts.succeeded(keys)
        found = self._access.account(name)
        if found is None:
            raise WrongPassword("Name or password is wrong.")
        if found.disabled:
            raise NotPermitted("The account {name} is disabled. Ask your administrator.", name=name)
        if needs_new_hash(known):
            found = self._access.change_account(name, password_hash=hash_password(password))
        return found

    def prove(self, name: str, password: str, address: str) -> Account:
        """Check the password of a user who is signed in, as :meth:`check` does: attempts in all
        sessions of ``name`` count together, and no others.

        Others' guesses at the sign-in would keep an administrator from the
        page on which waits are lifted.
        """
        return self.check(name, password, address, _SIGNED_IN)

    def change_password(self, name: str, current: str, new: str, address: str) -> Account:
        """Give the account of the signed-in user another password; all its sessions end.

        Raises:
            InvalidRequest: the new one is too easy (field ``new``).
            WrongPassword, TooManyAttempts, NotPermitted, LedgerUnavailable: as :meth:`prove`.
        """
        check_new_password(new, name)
        self.prove(name, current, address)
        return self._access.change_account(name, password_hash=hash_password(new))

    def waits_s(self, name: str) -> int:
        """Return how long whoever signs in as ``name`` with a browser that is new to it must wait,
        for failures at the name.
        """
        with _counted():
            return self._attempts.left_s(of_name(name))

    def waiting_addresses(self) -> dict[str, int]:
        """Addresses (of IPv6 sites) from which no user may try now, and for how many seconds."""
        with _counted():
            return self._attempts.waiting("address-", of_address("").free) | self._attempts.waiting("proxy-", of_proxy("").free)

    def unlock(self, name: str) -> None:
        """Forget the failures at a name, also of browsers that it has used;
        the audit log has who did it.

        Raises:
            NotFound: there is no such user.
        """
        if not is_usable(name) or self._access.account(name) is None:
            raise NotFound("There is no user {name}.", name=name)
        with _counted():
            for prefix in (of_name(name).text, of_browser("", name).text):
                self._attempts.forget(prefix)
        self._access.audit.record("unlocked", {"user": name})

    def unlock_address(self, address: str) -> None:
        """Forget the failures from an address.

        Raises:
            NotFound: no user waits there.
        """
        known = self.waiting_addresses()
        keys = [key for key in (of_address(address), of_proxy(address)) if key.text.partition("-")[2] in known]
        if not keys:
            raise NotFound("No sign-in from the address {address} has to wait.", address=address)
        with _counted():
            for key in keys:
                self._attempts.forget(key.text)
        self._access.audit.record("unlocked", {"address": address})

    def end_session(self, sid: str, for_s: float) -> None:
        """Remember that a session was signed out, for as long as its cookie could return."""
        with _counted():
            self._cache.set(f"ended-{sid}", 1, expire=for_s)

    def is_ended(self, sid: str) -> bool:
        """Return whether a session was signed out."""
        with _counted():
            return f"ended-{sid}" in self._cache


@contextmanager
def _counted() -> Iterator[None]:
    """Refuse all sign-ins where attempts cannot be counted: a full disk must not open the door."""
    try:
        yield
    except _CACHE_TROUBLE as exc:
        log.error("the counts of sign-ins do not answer", error=str(exc))
        raise LedgerUnavailable from exc
