"""How many requests a minute are answered: of a user, of an embedded chart, of an address that shows no identity.

They keep one client's fault, such as the loop of a script, from the others; zooming stays far below. Each web process counts
for itself, so that nothing else has to answer first: N processes together may answer up to N times as many. Guesses at
passwords (access/throttle.py) and jobs in the queue (USER_JOBS) are counted for all processes together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, g, request
from flask_limiter import Limiter, RateLimitExceeded
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity
from access.throttle import of_address
from api.asking import Asking
from api.compression import is_file
from api.pages import LOGIN
from api.sessions import asking_address
from config import Settings
from errors import RiwayatError, TooManyRequests
from i18n import format_duration

_NEVER: Final = frozenset({"healthz", "readyz", "metrics"})  # below the prefix
_SUBMIT: Final = frozenset({"api.create_job", "api.retry"})
_STRATEGY: Final = "sliding-window-counter"  # two numbers a key, and no double burst at the turn of a minute


@dataclass(frozen=True)
class Rate:
    """Whose requests are counted together, and how many a minute are answered; 0: any."""

    key: str
    per_minute: int


_FREE: Final = Rate("", 0)


class Rates:
    """Counts the requests of a server before their right to anything is looked at."""

    def __init__(self, settings: Settings, asks: Asking) -> None:
        self._settings = settings
        self._asks = asks

    def install(self, server: Flask, answer: Callable[[RiwayatError], Response]) -> None:
        """Put the hook before the requests of the server; ``answer`` makes the answer of an error."""
        limiter = Limiter(
            lambda: self._rate().key,
            app=server,
            application_limits=[lambda: f"{self._rate().per_minute} per minute"],
            application_limits_exempt_when=lambda: not self._rate().per_minute,
            storage_uri="memory://",
            strategy=_STRATEGY,
        )

        def refuse(_error: RateLimitExceeded) -> Response:
            reached = limiter.current_limit
            seconds = max(1, int(reached.reset_at - time.time()) + 1) if reached else 1
            return answer(
                TooManyRequests(
                    "Too many requests; at most {most} a minute are answered. Wait {wait}, then go on.",
                    wait_s=seconds,
                    most=self._rate().per_minute,
                    wait=format_duration(seconds),
                )
            )

        server.register_error_handler(RateLimitExceeded, refuse)

    def _rate(self) -> Rate:
        """What the request in hand is counted by; found once a request."""
        if "rate" not in g:
            g.rate = self._found()
        found: Rate = g.rate
        return found

    def _found(self) -> Rate:
        below = request.path.removeprefix(self._settings.url_prefix)
        if below in _NEVER or is_file(request, self._settings.url_prefix):
            return _FREE
        if below == LOGIN and request.method == "POST":
            return Rate(f"login {self._address()}", self._settings.rate_login)
        try:
            return self._of(self._asks())
        except (RiwayatError, SQLAlchemyError):  # the guard says what it is
            return Rate(f"nobody {self._address()}", self._settings.rate_address)

    def _of(self, identity: Identity) -> Rate:
        if identity.via == "none":
            return _FREE  # whoever sits at this machine
        if identity.via == "embed":
            return Rate(identity.user, self._settings.rate_embed)  # all that look at it, wherever
        if request.endpoint in _SUBMIT:
            return Rate(f"submit {identity.user}", self._settings.rate_submit)
        if identity.via == "key":
            return Rate(f"key {identity.user}", self._settings.rate_api)
        return Rate(f"user {identity.user}", self._settings.rate_page)

    def _address(self) -> str:
        return of_address(asking_address(self._settings, request)).key
