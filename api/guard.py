"""What every request passes: who is asking, in which language, and what the answer may do in a browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import structlog
from flask import Flask, Response, g, jsonify, redirect, request
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from access.audit import Actor, act_as
from api.asking import Asking
from api.compression import cache_policy, page_path
from api.embed import EMBED_ENDPOINTS, EMBED_PATHS
from api.headers import BrowserRules
from api.looks import LANGUAGE_COOKIE
from api.operations import refuse_other_sites
from api.pages import ACCOUNT, LOGIN, LOGOUT, is_page, login_address
from api.rates import Rates
from api.sessions import asking_address
from config import Settings
from data.engine import lacks_tables
from errors import LedgerUnavailable, NotAuthenticated, NotPermitted, RiwayatError
from i18n import LANGUAGES, set_language, translate_error

_YEAR_S = 31_536_000
_SLOW_S = 1.0
OPEN_PATHS = frozenset({"healthz", "readyz", "metrics"}) | EMBED_PATHS
SIGN_IN_FILES = frozenset(f"assets/{name}" for name in ("tokens.css", "riwayat.css", "account.css", "logo.svg"))
SIGN_IN_PATHS = SIGN_IN_FILES | {LOGIN, "bootstrap.css"}
_SAFE = ("GET", "HEAD", "OPTIONS")
BODY_BYTES: Final = 4 << 20  # of any request: what a page sends of itself, and forms; the API allows less
RETRY_AFTER_S = 5  # when a queue is full or a database is away

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Guard:
    """Settings, who asks, how a refusal looks in a browser (title, sentence -> HTML), what answers may do in one."""

    settings: Settings
    asks: Asking
    refusal_page: Callable[[str, str], str]
    rules: BrowserRules

    def install(self, server: Flask) -> None:
        """Put the hooks before and after every request of the server, in this order."""
        server.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
        server.before_request(self._begin)
        Rates(self.settings, self.asks).install(server, self._refuse)
        server.before_request(self._before)
        server.after_request(self._after)
        server.register_error_handler(RiwayatError, self._error)
        for trouble in (OperationalError, InterfaceError, PoolTimeout):
            server.register_error_handler(trouble, self._unavailable)

    def _begin(self) -> None:
        g.began = time.monotonic()
        structlog.contextvars.clear_contextvars()  # the thread has answered other requests
        set_language(self.language())
        act_as(Actor("", "none", asking_address(self.settings, request)))
        if (request.content_length or 0) > BODY_BYTES:
            raise RequestEntityTooLarge  # also where nothing would read it

    def _before(self) -> Response | None:
        try:
            self._refuse_other_sites()
            if not self._is_open():
                identity = self.asks()
                act_as(Actor(identity.user, identity.via, asking_address(self.settings, request)))
                if identity.via == "embed" and request.endpoint not in EMBED_ENDPOINTS:
                    raise NotPermitted("The link of an embedded chart opens nothing else.")
        except (NotAuthenticated, NotPermitted) as error:
            return self._refuse(error)
        except SQLAlchemyError as error:
            log.error("the database of accounts and grants does not answer", path=request.path, error=str(error))
            return self._refuse(away(error))
        return None

    def _is_open(self) -> bool:
        """Whether the path needs nobody to be known."""
        below = request.path.removeprefix(self.settings.url_prefix)
        return below in OPEN_PATHS or (self.settings.auth == "login" and below in SIGN_IN_PATHS)

    def _refuse_other_sites(self) -> None:
        """What changes something, and says who asks by a cookie or by where it comes from, is sent by our own pages only.

        A key or a token is sent by no browser of itself, so a program that has one may send it from anywhere.
        """
        if request.method not in _SAFE and not self.asks.is_bearer():
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
            return _when_again(Response(page, error.http_status, content_type="text/html; charset=utf-8"), error)
        return error_json(error, self.settings.timezone)

    def _error(self, error: RiwayatError) -> Response:
        log.warning("request refused", path=request.path, code=error.code, error=error.message)
        self._note_refusal(error)
        return error_json(type(error)() if self._is_our_fault(error) else error)

    def _is_our_fault(self, error: RiwayatError) -> bool:
        """Whether an error may name hosts and paths, and whoever asks only looks at a page of another site."""
        try:
            return error.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR and self.asks().via == "embed"
        except (RiwayatError, SQLAlchemyError):
            return False

    def _note_refusal(self, error: RiwayatError) -> None:
        """For the audit log: what is forbidden, and what may only look as if it did not exist."""
        self.asks.access.audit.note(error, method=request.method, path=request.path)

    def _unavailable(self, error: Exception) -> Response:
        """A database that a route needs is away; a page's script asks again by itself."""
        log.warning("a database does not answer", path=request.path, error=str(error))
        return error_json(away(error))

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


def away(error: Exception) -> LedgerUnavailable:
    """What is said of a database that does not answer, or that nobody has brought up to date."""
    if lacks_tables(error):
        return LedgerUnavailable("The database of this site is older than the program; whoever runs it calls manage.py migrate.")
    return LedgerUnavailable()


def _led(address: str, status: int) -> Response:
    answer = redirect(address, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer  # type: ignore[return-value]  # Flask's own class, as werkzeug types it


def error_json(error: RiwayatError, timezone: str | None = None) -> Response:
    """The one shape of errors; times in their sentences are shown in ``timezone``."""
    body = jsonify(error={"code": error.code, "message": translate_error(error, timezone), "field": error.field})
    body.status_code = error.http_status
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        body.headers["WWW-Authenticate"] = "Bearer"  # no browser asks for a password by this
    return _when_again(body, error)


def _when_again(answer: Response, error: RiwayatError) -> Response:
    """Say when to ask again, where that may help."""
    if error.http_status in (429, 503):
        answer.headers["Retry-After"] = str(getattr(error, "wait_s", RETRY_AFTER_S))
    return answer


def http_error_json(error: HTTPException) -> Response:
    """The same shape for what Flask itself refuses."""
    body = jsonify(error={"code": (error.name or "error").lower().replace(" ", "_"), "message": error.description, "field": None})
    body.status_code = error.code or 500
    for name, value in error.get_headers():
        if name != "Content-Type":
            body.headers[name] = value  # Allow, Retry-After
    return body
