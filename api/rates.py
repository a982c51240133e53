"""How many requests a minute are answered: of a user, of an embedded chart,
of an address that shows no identity.

They keep one client's fault, such as the loop of a script, from the others; zooming stays far
below. Each web process counts for itself, so that nothing else has to answer first: N processes
together may answer up to N times as many. Guesses at passwords (access/throttle.py) and jobs in the
queue (USER_JOBS) are counted for all processes together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, g, request
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity
from access.throttle import of_address
from api.authenticator import Authenticator
from api.concurrency import ConcurrencyLimit, limit_key
from api.headers import is_file
from api.sign_in.pages import LOGIN
from api.sign_in.session_cookie import counted_by
from config import Settings
from errors import Busy, RiwayatError, TooManyRequests
from i18n import format_duration

_NEVER: Final = frozenset({"healthz", "readyz", "metrics"})  # below the prefix
_SUBMIT: Final = frozenset(
    {"api.create_job", "api.retry", "api.create_report", "api.create_decision", "api.undo_decision", "api.change_limits"}
)
# what is answered within it takes no slot: a page asks for many things at once
_QUICK_S: Final = 1.0
# two numbers a key, and no double burst at the turn of a minute
_STRATEGY: Final = "sliding-window-counter"


@dataclass(frozen=True)
class Rate:
    """Whose requests are counted together, and how many a minute are answered; 0: any.

    ``peer``: who says the address of which they are, without a proof.
    All that it says are counted together as well.
    """

    key: str
    per_minute: int
    slot_key: str = ""  # whose slot it takes while it is answered; empty: none
    peer: str = ""

    @property
    def of_peer(self) -> int:
        """Return a little more than of one address, which so is stopped before the others are."""
        return self.per_minute * 5 // 4


_FREE: Final = Rate("", 0)


class Rates:
    """Counts the requests of a server before their right to anything is looked at."""

    def __init__(self, settings: Settings, authenticator: Authenticator) -> None:
        self._settings = settings
        self._authenticator = authenticator
        self._limit = ConcurrencyLimit(each=settings.web_threads, in_all=settings.all_threads, grace_s=_QUICK_S)

    def install(self, server: Flask, answer: Callable[[RiwayatError], Response]) -> None:
        """Check the rate before each request; ``answer`` makes the answer of an error."""
        limiter = Limiter(
            lambda: self._rate().key,
            app=server,
            application_limits=[
                ApplicationLimit(
                    lambda: f"{self._rate().per_minute} per minute", exempt_when=lambda: not self._rate().per_minute
                ),
                ApplicationLimit(
                    lambda: f"{self._rate().of_peer} per minute",
                    key_function=lambda: self._rate().peer,
                    exempt_when=lambda: not (self._rate().peer and self._rate().per_minute),
                ),
            ],
            storage_uri="memory://",
            strategy=_STRATEGY,
        )

        def refuse(_error: RateLimitExceeded) -> Response:
            reached = limiter.current_limit
            seconds = max(1, int(reached.reset_at - time.time()) + 1) if reached else 1
            return answer(
                TooManyRequests(
                    "Too many requests: the limit is {most} a minute. Wait {wait}, then try again.",
                    wait_s=seconds,
                    most=reached.limit.amount if reached else self._rate().per_minute,
                    wait=format_duration(seconds),
                )
            )

        server.register_error_handler(RateLimitExceeded, refuse)
        server.before_request(lambda: self._acquire(answer))
        server.teardown_request(lambda _error: g.pop("release_slot", _release_nothing)())

    def _acquire(self, answer: Callable[[RiwayatError], Response]) -> Response | None:
        """Take a slot, so that one user's requests never hold all threads."""
        if not self._rate().slot_key:
            return None
        try:
            g.release_slot = self._limit.acquire(self._rate().slot_key)
        except (Busy, TooManyRequests) as error:
            return answer(error)
        return None

    def _rate(self) -> Rate:
        """Return what the request in hand is counted by; found once a request."""
        if "rate" not in g:
            g.rate = self._found()
        found: Rate = g.rate
        return found

    def _found(self) -> Rate:
        below = request.path.removeprefix(self._settings.url_prefix)
        if below in _NEVER or is_file(request, self._settings.url_prefix):
            return _FREE
        if below == LOGIN and request.method == "POST":
            return self._of_address("login", self._settings.rate_login)
        try:
            return self._rate_of(self._authenticator())
        except (RiwayatError, SQLAlchemyError):  # the guard says what it is
            return self._of_address("nobody", self._settings.rate_address)

    def _rate_of(self, identity: Identity) -> Rate:
        if identity.via == "none":
            return _FREE  # whoever sits at this machine
        if identity.via == "embed":
            # all that look at it, wherever
            return Rate(identity.user, self._settings.rate_embed, limit_key(identity))
        if request.endpoint in _SUBMIT:
            return Rate(f"submit {identity.user}", self._settings.rate_submit, limit_key(identity))
        if identity.via == "ingest":
            return Rate(identity.user, self._settings.rate_ingest, limit_key(identity))
        if identity.via == "key":
            return Rate(f"key {identity.user}", self._settings.rate_api, limit_key(identity))
        return Rate(f"user {identity.user}", self._settings.rate_page, limit_key(identity))

    def _of_address(self, kind: str, per_minute: int) -> Rate:
        address, peer = counted_by(self._settings, request)
        # an address that is made up takes no slot of its own
        whose = of_address(peer or address).text
        return Rate(f"{kind} {of_address(address).text}", per_minute, f"nobody {whose}", f"{kind} by {peer}" if peer else "")


def _release_nothing() -> None:
    """Give nothing back, where no slot was taken."""
