"""The one place that reads keys, tokens, sessions and a proxy's headers of a request."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from flask import g, request

from access.embeds.embed_token import identity_of_token
from access.identity import Identity, identify, present_identity
from access.ingest_keys import find_ingest_key
from access.keys import PREFIX, find_key
from access.logins import Logins
from access.store import AccessStore
from api.sign_in.session_cookie import Sessions, request_address
from config import Settings
from errors import InvalidKey

_BEARER: Final = "bearer "
_KEY_HEADER: Final = "X-API-Key"  # for gateways that can set no Authorization
_TOKEN_DOTS: Final = 2  # of the token of an embedded chart; a key has none


@dataclass(frozen=True)
class Authenticator:
    """Returns, when called, the identity behind the current request, with today's rights;
    it is found once a request.

    A key or a token in ``Authorization: Bearer …``, or in ``X-API-Key``, counts on the API's paths
    only, where it comes before any cookie; a page never takes one.
    """

    settings: Settings
    access: AccessStore
    sessions: Sessions | None = None  # AUTH=login
    now_s: Callable[[], float] = time.time
    logins: Logins | None = None  # AUTH=login

    def __call__(self) -> Identity:
        """Return the identity behind the current request.

        Raises:
            NotAuthenticated, NotPermitted: as :func:`access.identity.identify`
                and :func:`access.keys.find_key`.
            SQLAlchemyError: the database does not answer.
        """
        known: Identity | None = g.get("identity")
        if known is None:
            known = g.identity = self._found()
        return known

    def reauthenticator(self) -> Callable[[], Identity]:
        """Return a function that finds the identity again after the request is over,
        as streams need it, with the rights of then.

        By the request's key, token or session; whom a proxy has named is asked by name, with the
        groups that it named last. What is returned raises as a call of this does, and needs no
        request.
        """
        if self.is_bearer():
            token, address = self._token(), request_address(self.settings, request)
            return lambda: self._of_token(token, address)
        if self.sessions is not None:
            return self.sessions.reauthenticator()
        user = self().user
        return lambda: present_identity(self.settings, self.access, user)

    def must_prove(self) -> bool:
        """Return whether the user must give the password again before a guarded change."""
        return self.sessions is not None and self.sessions.must_prove()

    def is_bearer(self) -> bool:
        """Return whether the request carries a key or a token."""
        given = request.headers.get("Authorization", "").lower().startswith(_BEARER) or _KEY_HEADER in request.headers
        below = request.path.removeprefix(self.settings.url_prefix)
        return given and below.startswith("api/")

    @cached_property
    def _secret(self) -> str:
        """The signing secret, read from the disk once, as that of cookies is."""
        return self.settings.signing_secret()

    def _found(self) -> Identity:
        if self.is_bearer() and (sender := find_ingest_key(self.settings, self._token())):
            return sender  # a gateway is on another machine, whatever RIWAYAT_AUTH says of people
        if self.settings.auth == "none":
            # Only from this machine, whatever else the request says;
            # a key may still narrow what it is for.
            here = identify(self.settings, self.access, request.remote_addr, dict(request.headers))
            return self._of_bearer() if self.is_bearer() else here
        if self.is_bearer():
            return self._of_bearer()
        if self.sessions is not None:
            return self.sessions.identity()
        return identify(self.settings, self.access, request.remote_addr, dict(request.headers))

    def _token(self) -> str:
        given = request.headers.get("Authorization", "")
        if given.lower().startswith(_BEARER):
            return given[len(_BEARER) :].strip()
        return request.headers[_KEY_HEADER].strip()

    def _of_bearer(self) -> Identity:
        return self._of_token(self._token(), request_address(self.settings, request))

    def _of_token(self, token: str, address: str) -> Identity:
        now_ms = int(self.now_s() * 1000)
        if token.startswith(PREFIX):
            return find_key(self.settings, self.access, token, now_ms, address)
        if token.count(".") < _TOKEN_DOTS:
            raise InvalidKey("This is not a key of this site.")
        return identity_of_token(self.access, self._secret, token, now_ms)
