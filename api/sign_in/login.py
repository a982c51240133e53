"""Signing in and out (AUTH=login): forms of plain pages. What is sent here is never logged."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Blueprint, Response, redirect, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from access.audit.log import Actor, AuditLog
from access.logins import Logins
from api.sign_in.appearance import appearance, chosen_language, page_answer
from api.sign_in.known_browser import KnownBrowser
from api.sign_in.pages import ACCOUNT, LOGIN, LOGOUT, login_address, way_back
from api.sign_in.session_cookie import Sessions, counted_by, form_token, is_own_form
from config import Settings
from errors import LedgerUnavailable, NotAuthenticated, NotPermitted, RiwayatError, TooManyAttempts, WrongPassword
from i18n import gettext as _
from i18n import translate_error
from layouts.login import login_page

_LONGEST_NAME = 255

log = structlog.get_logger(__name__)


def login_blueprint(settings: Settings, audit: AuditLog, logins: Logins, sessions: Sessions) -> Blueprint:
    """``/login`` and ``/logout``."""
    prefix = settings.url_prefix
    known = KnownBrowser(settings)
    blueprint = Blueprint("login", __name__, url_prefix=prefix.rstrip("/") or None)

    @blueprint.get(f"/{LOGIN}")
    def show_login() -> AnyResponse:
        back = way_back(request.args.get("next", ""), prefix)
        if (chosen := chosen_language(settings, login_address(prefix, *back.partition("?")[::2]))) is not None:
            return chosen
        try:
            sessions.identity()
        except (NotAuthenticated, LedgerUnavailable, SQLAlchemyError):
            # the form may find the database back
            return page_answer(_page(settings, back, error=_hint(logins), signed_out="out" in request.args))
        return redirect(back, HTTPStatus.SEE_OTHER)

    @blueprint.post(f"/{LOGIN}")
    def login() -> AnyResponse:
        back = way_back(request.form.get("next", ""), prefix)
        name = request.form.get("name", "").strip()[:_LONGEST_NAME]
        if not is_own_form():
            sentence = _("This page was open too long, or the browser blocks cookies. Please try again.")
            return page_answer(_page(settings, back, name, sentence), HTTPStatus.BAD_REQUEST)
        address, peer = counted_by(settings, request)
        try:
            account = logins.check(name, request.form.get("password", ""), address, known.mark(name), peer)
            sessions.begin(account)
        except (WrongPassword, TooManyAttempts, NotPermitted) as error:
            # not the name: people type passwords there
            log.warning("sign-in refused", code=error.code, address=address)
            return _refused(settings, back, name, error)
        except (LedgerUnavailable, SQLAlchemyError) as error:
            log.error("nobody can sign in: a database does not answer", error=str(error))
            return _refused(settings, back, name, LedgerUnavailable())
        log.info("signed in", user=account.name, address=address)
        audit.record("login", {}, actor=Actor(account.name, "login", address))
        answer = redirect(back, HTTPStatus.SEE_OTHER)
        known.remember(answer, account.name)
        return answer

    _register_logout(blueprint, sessions, audit, prefix)
    return blueprint


def _register_logout(blueprint: Blueprint, sessions: Sessions, audit: AuditLog, prefix: str) -> None:
    @blueprint.post(f"/{LOGOUT}")
    def logout() -> AnyResponse:
        if not is_own_form():
            return redirect(f"{prefix}{ACCOUNT}?done=stale", HTTPStatus.SEE_OTHER)
        audit.record("logout", {})
        sessions.end()
        return redirect(f"{prefix}{LOGIN}?out", HTTPStatus.SEE_OTHER)


def _hint(logins: Logins) -> str:
    """What whoever has just set the site up needs to know."""
    try:
        return (
            _("There is no user yet; create one with: {command}").format(command="manage.py users add NAME")
            if logins.is_empty()
            else ""
        )
    except SQLAlchemyError:
        return ""


def _page(settings: Settings, back: str, name: str = "", error: str = "", *, signed_out: bool = False) -> str:
    return login_page(appearance(settings), csrf=form_token(), way_back=back, name=name, error=error, signed_out=signed_out)


def _refused(settings: Settings, back: str, name: str, error: RiwayatError) -> Response:
    answer = page_answer(_page(settings, back, name, translate_error(error)), error.http_status)
    if isinstance(error, TooManyAttempts):
        answer.headers["Retry-After"] = str(error.wait_s)
    return answer
