"""What every request passes: who is asking, in which language, and what the answer may do in a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import structlog
from flask import Flask, Response, g, jsonify, request
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from access.identity import Identity, identify
from access.store import AccessStore
from api.compression import cache_policy, page_path
from config import Settings
from errors import LedgerUnavailable, NotAuthenticated, NotPermitted, RiwayatError
from i18n import LANGUAGES, set_language, translate_error

LANGUAGE_COOKIE = "riwayat_language"
_YEAR_S = 31_536_000
_SLOW_S = 1.0
RETRY_AFTER_S = 5  # when a queue is full or a database is away

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Guard:
    """Settings, who may see what, how a refusal looks in a browser (title, sentence -> HTML), open paths below the prefix."""

    settings: Settings
    access: AccessStore
    refusal_page: Callable[[str, str], str]
    script_hashes: Callable[[], Collection[str]]
    open_paths: frozenset[str] = field(default_factory=lambda: frozenset({"healthz", "readyz", "metrics"}))

    def install(self, server: Flask) -> None:
        """Put the hooks before and after every request of the server."""
        server.before_request(self._before)
        server.after_request(self._after)
        server.register_error_handler(RiwayatError, self._error)
        for trouble in (OperationalError, InterfaceError, PoolTimeout):
            server.register_error_handler(trouble, self._unavailable)

    def _before(self) -> Response | None:
        g.began = time.monotonic()
        structlog.contextvars.clear_contextvars()  # the thread has answered other requests
        set_language(self.language())
        if request.path.removeprefix(self.settings.url_prefix) in self.open_paths:
            return None
        try:
            who_asks(self.settings, self.access)
        except (NotAuthenticated, NotPermitted) as error:
            return self._refuse(error)
        except SQLAlchemyError as error:
            log.warning("the database of accounts and grants does not answer", path=request.path, error=str(error))
            return self._refuse(LedgerUnavailable())
        return None

    def language(self) -> str:
        """The language of the request: the visitor's choice, else the browser's, else English."""
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or "en"

    def _refuse(self, error: RiwayatError) -> Response:
        if request.path.removeprefix(self.settings.url_prefix) in ("", "jobs", "jobs/") and request.method in ("GET", "HEAD"):
            page = self.refusal_page(translate_error(type(error)()), translate_error(error))
            return Response(page, error.http_status, content_type="text/html; charset=utf-8")
        return error_json(error)

    def _error(self, error: RiwayatError) -> Response:
        log.warning("request refused", path=request.path, code=error.code, error=error.message)
        return error_json(error)

    def _unavailable(self, error: Exception) -> Response:
        """A database that a route needs is away; a page's script asks again by itself."""
        log.warning("a database does not answer", path=request.path, error=str(error))
        return error_json(LedgerUnavailable())

    def _after(self, response: Response) -> Response:
        headers = response.headers
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Content-Security-Policy", self._policy() if response.mimetype == "text/html" else _FRAMES)
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

    def _policy(self) -> str:
        scripts = " ".join(f"'{value}'" if not value.startswith("'") else value for value in self.script_hashes())
        return (
            f"default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
            f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
            f"object-src 'none'; base-uri 'none'; form-action 'self'; {_FRAMES}"
        )


_FRAMES = "frame-ancestors 'self'"


def who_asks(settings: Settings, access: AccessStore) -> Identity:
    """The identity behind the request in hand, with today's rights; found once a request.

    Raises:
        NotAuthenticated, NotPermitted: as :func:`access.identity.identify`.
    """
    known: Identity | None = g.get("identity")
    if known is None:
        known = g.identity = identify(settings, access, request.remote_addr, dict(request.headers))
    return known


def error_json(error: RiwayatError) -> Response:
    """The one shape of errors."""
    body = jsonify(error={"code": error.code, "message": translate_error(error), "field": error.field})
    body.status_code = error.http_status
    if error.http_status in (429, 503):
        body.headers["Retry-After"] = str(RETRY_AFTER_S)
    return body


def http_error_json(error: HTTPException) -> Response:
    """The same shape for what Flask itself refuses."""
    body = jsonify(error={"code": (error.name or "error").lower().replace(" ", "_"), "message": error.description, "field": None})
    body.status_code = error.code or 500
    for name, value in error.get_headers():
        if name != "Content-Type":
            body.headers[name] = value  # Allow, Retry-After
    return body
