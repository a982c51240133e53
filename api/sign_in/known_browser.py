"""Browsers in which somebody has signed in before:
guesses of others at their name do not make them wait.

A signed cookie, kept when the session ends, names no right and opens nothing. It only says whose
attempts of this browser are counted apart
(https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies).
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from flask import request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from api.sign_in.session_cookie import wants_secure
from config import Settings

COOKIE: Final = "riwayat_known"
KEPT_S: Final = 180 * 86_400
_MOST_NAMES: Final = 8  # of an office's computer


class KnownBrowser:
    """Reads and writes the cookie of the request in hand."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signer = URLSafeTimedSerializer(settings.signing_secret(), salt="riwayat known browser")

    def mark(self, name: str) -> str:
        """What this browser is called in the counts of a name that has signed in here before;
        empty: it has not.
        """
        return self._marks().get(_digest(name), "")

    def remember(self, answer: Response, name: str) -> None:
        """Know this browser when the name signs in the next time."""
        marks = self._marks()
        mark = marks.pop(_digest(name), "") or secrets.token_hex(16)
        marks = {**dict(list(marks.items())[1 - _MOST_NAMES :]), _digest(name): mark}
        answer.set_cookie(
            COOKIE,
            self._signer.dumps(marks),
            max_age=KEPT_S,
            path=f"{self._settings.url_prefix}login",
            httponly=True,
            samesite="Lax",
            secure=wants_secure(self._settings, request),
        )

    def _marks(self) -> dict[str, str]:
        try:
            found = self._signer.loads(request.cookies.get(COOKIE, ""), max_age=KEPT_S)
        except BadData:
            return {}
        return {str(name): str(mark) for name, mark in found.items()} if isinstance(found, dict) else {}


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=12).hexdigest()
