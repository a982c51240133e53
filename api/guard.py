"""What every request passes: who asks, in which language, what answers may do in a browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import structlog
from flask import Flask, Request, Response, g, redirect, request
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import RequestEntityTooLarge

from access.addresses import is_allowed_host, is_trusted_proxy
from access.audit.log import Actor, act_as
from access.identity import Identity
from api.authenticator import Authenticator
from api.embed_paths import EMBED_ENDPOINTS, EMBED_PATHS
from api.error_answers import error_json, say_when_again
from api.headers import BrowserRules, cache_policy, lower_headers, page_path
from api.rates import Rates
from api.sign_in.appearance import LANGUAGE_COOKIE
from api.sign_in.pages import ACCOUNT, LOGIN, LOGOUT, is_page, login_address
from api.sign_in.session_cookie import request_address
from config import Settings
from data.database.engine import lacks_tables
from errors import CrossSite, LedgerUnavailable, NotAuthenticated, NotFound, NotPermitted, RiwayatError, UnknownHost
from i18n import LANGUAGES, set_language, translate_error

_YEAR_S = 31_536_000
_SLOW_S = 1.0
HEALTH_PATHS = frozenset({"healthz", "readyz", "metrics"})
OPEN_PATHS = HEALTH_PATHS | EMBED_PATHS
SIGN_IN_FILES = frozenset(f"assets/{name}" for name in ("tokens.css", "riwayat.css", "account.css", "logo.svg"))
SIGN_IN_PATHS = SIGN_IN_FILES | {LOGIN, "bootstrap.css"}
_SAFE = ("GET", "HEAD", "OPTIONS")
# of any request: what a page sends of itself, and forms; the API allows less
BODY_BYTES: Final = 4 << 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Guard:
    """Settings, who asks, how a refusal looks in a browser (title, sentence -> HTML),
    what answers may do in one, and the answer of a path that leads nowhere.
    """

    settings: Settings
    authenticator: Authenticator
    refusal_page: Callable[[str, str], str]
    rules: BrowserRules
    missing: Callable[[], Response]

    def install(self, server: Flask) -> None:
        """Put the hooks before and after every request of the server, in this order."""
        server.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
        server.before_request(self._begin)
        Rates(self.settings, self.authenticator).install(server, self._refuse)
        server.before_request(self._before)
        server.after_request(self._after)
        server.register_error_handler(RiwayatError, self._error)
        for trouble in (OperationalError, InterfaceError, PoolTimeout):
            server.register_error_handler(trouble, self._unavailable)

    def _begin(self) -> None:
        g.began = time.monotonic()
        structlog.contextvars.clear_contextvars()  # the thread has answered other requests
        set_language(self.language())
        act_as(Actor("", "none", request_address(self.settings, request)))
        if (request.content_length or 0) > BODY_BYTES:
            raise RequestEntityTooLarge  # also where nothing would read it

    def _before(self) -> Response | None:
        try:
            self._refuse_other_names()
            self._refuse_other_sites()
            if not self._is_open():
                identity = self.authenticator()
                act_as(Actor(identity.user, identity.via, request_address(self.settings, request)))
                if identity.via == "embed" and request.endpoint not in EMBED_ENDPOINTS:
                    raise NotPermitted("The link of an embedded chart gives access to that chart only.")
                if self._is_hidden(identity):
                    self._note_refusal(NotFound())
                    return self.missing()
        except (NotAuthenticated, NotPermitted, UnknownHost) as error:
            return self._refuse(error)
        except SQLAlchemyError as error:
            log.error("the database of accounts and grants does not answer", path=request.path, error=str(error))
            return self._refuse(database_error(error))
        return None

    def _refuse_other_names(self) -> None:
        """A page elsewhere may point a name of its own here; health is asked for by address."""
        below = request.path.removeprefix(self.settings.url_prefix)
        names = [request.headers.get("Host", "")]
        if is_trusted_proxy(self.settings, request.remote_addr, headers := lower_headers(request)):
            names += [name.strip() for name in headers.get("x-forwarded-host", "").split(",") if name.strip()]
        if below not in HEALTH_PATHS and not all(is_allowed_host(self.settings, name) for name in names):
            raise UnknownHost

    def _is_open(self) -> bool:
        """Return whether the path is open to all, signed in or not."""
        below = request.path.removeprefix(self.settings.url_prefix)
        return below in OPEN_PATHS or (self.settings.auth == "login" and below in SIGN_IN_PATHS)

    def _is_hidden(self, identity: Identity) -> bool:
        """Return whether the administrators' page, its callbacks and its files are asked for by
        others, for whom they do not exist.
        """
        prefix = self.settings.url_prefix
        below = request.path.removeprefix(prefix).partition("/")[0]
        return request.path.startswith(prefix) and below == "admin" and not identity.admin

    def _refuse_other_sites(self) -> None:
        """Refuse a change by cookie or address that does not come from our own pages.

        A key or a token is sent by no browser of itself,
        so a program that has one may send it from anywhere.
        """
        if request.method not in _SAFE and not self.authenticator.is_bearer():
            refuse_other_sites(request)

    def language(self) -> str:
        """The language of the request: the visitor's choice, else the browser's, else English."""
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or "en"

    def _refuse(self, error: RiwayatError) -> Response:
        self._note_refusal(error)
        prefix = self.settings.url_prefix
        looks = is_page(request.path, prefix) and request.method in ("GET", "HEAD")
        if self.settings.auth == "login" and isinstance(error, NotAuthenticated):
            if looks:
                return _led(login_address(prefix, request.path, request.query_string.decode("ascii", "replace")), 302)
            forms = (f"{prefix}{ACCOUNT}/", f"{prefix}{LOGOUT}")
            if request.method == "POST" and request.path.startswith(forms):  # our own, in a browser
                return _led(login_address(prefix, f"{prefix}{ACCOUNT}"), 303)
        if looks:
            page = self.refusal_page(translate_error(type(error)()), translate_error(error))
            return say_when_again(Response(page, error.http_status, content_type="text/html; charset=utf-8"), error)
        return error_json(error, self.settings.timezone)

    def _error(self, error: RiwayatError) -> Response:
        log.warning("request refused", path=request.path, code=error.code, error=error.message)
        self._note_refusal(error)
        return error_json(type(error)() if self._is_our_fault(error) else error)

    def _is_our_fault(self, error: RiwayatError) -> bool:
        """Return whether an error may name hosts and paths, and the asker only looks at a page."""
        try:
            return error.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR and self.authenticator().via == "embed"
        except (RiwayatError, SQLAlchemyError):
            return False

    def _note_refusal(self, error: RiwayatError) -> None:
        """Note in the audit log what is forbidden,
        and what may only look as if it did not exist.
        """
        self.authenticator.access.audit.note(error, method=request.method, path=request.path)

    def _unavailable(self, error: Exception) -> Response:
        """A database that a route needs is away; a page's script asks again by itself."""
        log.warning("a database does not answer", path=request.path, error=str(error))
        return error_json(database_error(error))

    def _after(self, response: Response) -> Response:
        headers = response.headers
        self.rules.apply(response)
        if (
            page_path(request.path, self.settings.url_prefix).startswith("assets/")
            and "m" in request.args
            and response.status_code == 200
        ):
            response.cache_control.max_age = _YEAR_S
            response.cache_control.no_cache = None
            response.cache_control.immutable = True
        elif "Cache-Control" not in headers:
            headers["Cache-Control"] = cache_policy(self.settings.url_prefix)
        took = time.monotonic() - g.get("began", time.monotonic())
        if took > _SLOW_S:
            log.warning("slow request", path=request.path, seconds=round(took, 3), status=response.status_code)
        return response


def refuse_other_sites(asked: Request) -> None:
    """Refuse what a browser sends on behalf of another site's page;
    programs send neither of these headers.

    Raises:
        CrossSite: Sec-Fetch-Site says so, or, from a browser that does not know it,
            Origin is not this site.
    """
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise CrossSite
        return
    origin = asked.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc not in (asked.host, asked.headers.get("X-Forwarded-Host")):
        raise CrossSite


def database_error(error: Exception) -> LedgerUnavailable:
    """What is said of a database that does not answer, or that nobody has brought up to date."""
    if lacks_tables(error):
        return LedgerUnavailable("The database is not up to date with the program. An administrator must run manage.py migrate.")
    return LedgerUnavailable()


def _led(address: str, status: int) -> Response:
    answer = redirect(address, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer  # type: ignore[return-value]  # Flask's own class, as werkzeug types it
