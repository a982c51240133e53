"""Sessions of AUTH=login: Flask's signed cookie, looked after by Flask-Login,
and what it must meet at every request.

The cookie holds the account's name and its ``session`` (access/tables.py), when it began and was
last used, and an id of its own. A new password, disabling and *Sign out everywhere* change the
account's ``session``: all cookies of it are worthless at once. A sign-out ends its own id, so that
a copy of that cookie is worthless, too.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import Any, Final

from flask import Flask, Request, Response, request, session
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user  # type: ignore[import-untyped]

from access.account_table import Account
from access.addresses import came_by_tls, client_address, counted_addresses
from access.identity import Identity
from access.logins import Logins
from access.sessions import Session, forget_session, note_session, note_use, sessions_of
from access.store import AccessStore, AccountRights
from api.headers import is_file, lower_headers
from config import Settings
from errors import NotAuthenticated, NotFound

COOKIE: Final = "riwayat_session"
_HOUR_S: Final = 3600
_TOUCHED_EVERY_S: Final = 60  # so that not every answer sets the cookie anew


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """Somebody with a session that is alive, as Flask-Login wants it."""

    def __init__(self, account: Account, account_rights: AccountRights) -> None:
        self.account = account
        self.account_rights = account_rights

    def get_id(self) -> str:
        """What the cookie keeps; :meth:`Sessions._load` reads it."""
        return f"{self.account.session}:{self.account.name}"

    @property
    def identity(self) -> Identity:
        """Return the identity, with the rights of the moment at which it was loaded."""
        return Identity(self.account.name, self.account_rights.admin, "login", self.account_rights.rights)


class Sessions:
    """Who is signed in by the cookie of the request; ``now_s`` is the clock (since 1970)."""

    def __init__(self, settings: Settings, access: AccessStore, logins: Logins, now_s: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._access = access
        self._logins = logins
        self._now_s = now_s

    def install(self, server: Flask) -> None:
        """Put Flask-Login on a server."""
        manager = LoginManager(server)
        # telephones change their address all day; see the module's text instead
        manager.session_protection = None
        manager.user_loader(self._load)

    def identity(self) -> Identity:
        """Return who is signed in, with today's rights.

        Raises:
            NotAuthenticated: nobody, or the session has ended.
        """
        user = current_user._get_current_object()  # noqa: SLF001 - Flask-Login's way to the object behind its proxy
        if not isinstance(user, SignedIn):
            raise NotAuthenticated("Please sign in.")
        self._touch(user.account)
        return user.identity

    def reauthenticator(self) -> Callable[[], Identity]:
        """What asks :meth:`identity` when the request in hand is over;
        as long as it is asked, the session is in use.
        """
        user_id, kept = str(session.get("_user_id", "")), dict(session)

        def again() -> Identity:
            found = self._found(user_id, kept | {"seen": int(self._now_s())})
            if found is None:
                raise NotAuthenticated("Please sign in.")
            return found.identity

        return again

    def begin(self, account: Account, proved_s: int | None = None) -> None:
        """Sign somebody in whose password was right:
        a new session, of which nothing is left that was there before.

        ``proved_s`` is when the password was given, where that was not now.
        """
        session.clear()
        login_user(SignedIn(account, self._access.account_rights(account.name)))
        now_s = int(self._now_s())
        session.update(began=now_s, seen=now_s, sid=secrets.token_hex(16), proved=now_s if proved_s is None else proved_s)
        note_session(self._access, account, self._in_hand(), int((now_s - self._settings.session_hours * _HOUR_S) * 1000))

    def end(self) -> None:
        """Sign out: forget the session, and believe no copy of its cookie."""
        if "sid" in session:
            self._end(str(session["sid"]))
        logout_user()
        session.clear()

    def _end(self, sid: str) -> None:
        self._logins.end_session(sid, self._settings.session_hours * _HOUR_S)
        forget_session(self._access, sid)

    def listed(self) -> list[tuple[Session, bool]]:
        """The sessions of whoever is signed in, and which is that of the request in hand."""
        account = self._access.account(self.identity().user)
        now_s, settings = self._now_s(), self._settings
        oldest_ms = [int((now_s - hours * _HOUR_S) * 1000) for hours in (settings.session_hours, settings.session_idle_hours)]
        found = [] if account is None else sessions_of(self._access, account, *oldest_ms)
        return [(one, one.sid == session["sid"]) for one in found if not self._logins.is_ended(one.sid)]

    def end_one(self, wanted: str) -> None:
        """End one of the sessions of whoever is signed in, by what it is called on the page.

        Raises:
            NotFound: they have no such session.
        """
        found = next((one for one, _own in self.listed() if one.shown_id == wanted), None)
        if found is None:
            raise NotFound("There is no such session; it may have ended.")
        self._end(found.sid)
        self._access.audit.record("session_ended", {"user": self.identity().user, "address": found.address})

    def proved_s(self) -> int:
        """Return when whoever is signed in last gave the password, in seconds since 1970."""
        proved = session.get("proved")
        return proved if isinstance(proved, int) else 0

    def must_prove(self) -> bool:
        """Whether the password was given too long ago for what asks for it again."""
        minutes = self._settings.confirm_minutes
        return bool(minutes) and not 0 <= self._now_s() - self.proved_s() < minutes * 60

    def prove(self) -> None:
        """Note that the password was given now."""
        session["proved"] = int(self._now_s())

    def _load(self, user_id: str) -> SignedIn | None:
        return self._found(user_id, session)

    def _found(self, user_id: str, kept: Mapping[str, Any]) -> SignedIn | None:
        token, _, name = user_id.partition(":")
        if not self._is_alive(kept):
            return None
        found = self._access.account_rights(name)
        if found.account is None or found.disabled or not compare_digest(found.account.session.encode(), token.encode()):
            return None
        return SignedIn(found.account, found)

    def _is_alive(self, kept: Mapping[str, Any]) -> bool:
        """Return whether a session is not too old, not too long unused, and not signed out."""
        began_s, seen_s, sid = kept.get("began"), kept.get("seen"), kept.get("sid")
        if not isinstance(began_s, int) or not isinstance(seen_s, int) or not isinstance(sid, str):
            return False
        now_s = self._now_s()
        fresh = now_s - began_s < self._settings.session_hours * _HOUR_S
        used = now_s - seen_s < self._settings.session_idle_hours * _HOUR_S
        return fresh and used and not self._logins.is_ended(sid)

    def _in_hand(self) -> Session:
        """The session of the request in hand."""
        browser = " ".join(request.user_agent.string.split())
        address = request_address(self._settings, request)
        return Session(str(session["sid"]), session["began"] * 1000, session["seen"] * 1000, address, browser)

    def _touch(self, account: Account) -> None:
        now_s = int(self._now_s())
        if now_s - session["seen"] >= _TOUCHED_EVERY_S:
            session["seen"] = now_s
            note_use(self._access, account, self._in_hand())


def configure_cookie(server: Flask, settings: Settings) -> None:
    """The manners of the session's cookie; without AUTH=login it holds what forms must send back,
    and nobody.
    """
    server.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_PATH=settings.url_prefix,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=int(settings.session_hours * _HOUR_S),
    )
    server.session_interface = SessionCookieInterface(settings)


class SessionCookieInterface(SecureCookieSessionInterface):
    """Flask's signed cookie: Secure where the request came by TLS, and none with files."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's argument
        """Whether the cookie of the answer in hand is for TLS only."""
        return wants_secure(self._settings, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie, but not with files, which browsers keep and all share."""
        if not is_file(request, self._settings.url_prefix):
            super().save_session(app, session, response)


def wants_secure(settings: Settings, asked: Request) -> bool:
    """Whether cookies of the answer to a request are for TLS only."""
    if settings.cookie_secure != "auto":
        return settings.cookie_secure == "always"
    return came_by_tls(settings, asked.remote_addr, lower_headers(asked), asked.scheme)


def request_address(settings: Settings, asked: Request) -> str:
    """The address that a request came from, past a trusted proxy."""
    return client_address(settings, asked.remote_addr, lower_headers(asked))


def counted_by(settings: Settings, asked: Request) -> tuple[str, str]:
    """Return :func:`access.addresses.counted_addresses` of the request."""
    return counted_addresses(settings, asked.remote_addr, lower_headers(asked))


# -- forms of our own pages ------------------------------------------------------------------------


def form_token() -> str:
    """What a form must send back: the visitor's own, and known to no page of another site."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def is_own_form() -> bool:
    """Whether the form that was sent is from a page that this visitor got from us."""
    known = session.get("csrf")
    return isinstance(known, str) and compare_digest(request.form.get("csrf", "").encode(), known.encode())
