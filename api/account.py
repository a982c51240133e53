"""The page of one's own account: keys, password, sessions. Forms of plain pages; what is sent here is never logged."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from access.identity import Identity
from access.keys import keys_of, new_key, revoke_key
from access.logins import Logins
from access.store import AccessStore
from api.looks import chosen_language, look, page_answer
from api.pages import ACCOUNT
from api.sessions import Sessions, asking_address, form_token, is_own_form
from config import Settings
from errors import InvalidRequest, NotFound, RiwayatError, TooManyAttempts, WrongPassword
from i18n import gettext as _
from i18n import translate_error
from layouts.account import ENDS_DAYS, AccountContext, KeyForm, Said, account_page

_DAY_MS = 86_400_000


@dataclass(frozen=True)
class AccountDesk:
    """What the routes of the account need; ``logins`` and ``sessions`` where the site keeps passwords (AUTH=login)."""

    settings: Settings
    access: AccessStore
    identify: Callable[[], Identity]
    logins: Logins | None = None
    sessions: Sessions | None = None

    def page(self, said: Said | None = None, status: int = HTTPStatus.OK) -> AnyResponse:
        """The page, after what was done."""
        identity = self.identify()
        context = AccountContext(
            user=identity.user,
            admin=identity.admin,
            csrf=form_token(),
            timezone=self.settings.timezone,
            now_ms=_now_ms(),
            password=self.logins is not None,
            sign_out_url=self.settings.proxy_sign_out_url if self.settings.auth == "proxy" else "",
        )
        return page_answer(account_page(look(self.settings), context, keys_of(self.access, identity.user), said), status)

    def refused(self, error: RiwayatError, field: str, filled: KeyForm | None = None) -> AnyResponse:
        """The page, with what was wrong where it was."""
        said = Said(errors={field: translate_error(error)}, filled=filled or KeyForm())
        status = HTTPStatus.BAD_REQUEST if isinstance(error, WrongPassword) else error.http_status
        return self.page(said, status)


def account_blueprint(desk: AccountDesk) -> Blueprint:
    """``/account`` and its forms."""
    prefix = desk.settings.url_prefix
    blueprint = Blueprint("account", __name__, url_prefix=prefix.rstrip("/") or None)

    @blueprint.before_request
    def only_where_people_are_told_apart() -> AnyResponse | None:
        if desk.settings.auth == "none":
            raise NotFound
        if request.method == "POST" and not is_own_form():
            return desk.page(Said(_too_old()), HTTPStatus.FORBIDDEN)
        return None

    @blueprint.get(f"/{ACCOUNT}")
    def show_account() -> AnyResponse:
        if (chosen := chosen_language(desk.settings, f"{prefix}{ACCOUNT}")) is not None:
            return chosen
        said = {"revoked": _("The key is revoked."), "everywhere": _("All other sessions have ended.")}
        said["stale"] = _too_old()
        said["password"] = _("The password is changed; all other sessions have ended.")
        return desk.page(Said(said.get(request.args.get("done", ""), "")))

    @blueprint.post(f"/{ACCOUNT}/keys")
    def make_key() -> AnyResponse:
        given = KeyForm(request.form.get("label", ""), request.form.getlist("scope"), _days(request.form.get("days", "")))
        identity, now_ms = desk.identify(), _now_ms()
        expires_ms = now_ms + given.days * _DAY_MS if given.days else None
        try:
            text, _key = new_key(
                desk.access, identity.user, label=given.label, scopes=given.scopes, expires_ms=expires_ms, now_ms=now_ms
            )
        except InvalidRequest as error:
            return desk.refused(error, error.field or "label", given)
        return desk.page(Said(key=text))

    @blueprint.post(f"/{ACCOUNT}/keys/<key_id>/revoke")
    def revoke(key_id: str) -> AnyResponse:
        revoke_key(desk.access, key_id, _now_ms(), owner=desk.identify().user)
        return _done(desk, "revoked")

    if desk.logins is not None and desk.sessions is not None:
        _add_password_forms(blueprint, desk, desk.logins, desk.sessions)
    return blueprint


def _add_password_forms(blueprint: Blueprint, desk: AccountDesk, logins: Logins, sessions: Sessions) -> None:
    @blueprint.post(f"/{ACCOUNT}/password")
    def change_password() -> AnyResponse:
        current, new = request.form.get("current", ""), request.form.get("new", "")
        if new != request.form.get("again", ""):
            return desk.refused(InvalidRequest("These two are not the same."), "again")
        try:
            account = logins.change_password(desk.identify().user, current, new, asking_address(desk.settings, request))
        except InvalidRequest as error:
            return desk.refused(error, error.field or "new")
        except WrongPassword:
            return desk.refused(WrongPassword("This is not your password."), "current")
        except TooManyAttempts as error:
            return desk.refused(error, "current")
        sessions.begin(account)  # this browser's own session is a new one, too
        return _done(desk, "password")

    @blueprint.post(f"/{ACCOUNT}/sessions")
    def end_other_sessions() -> AnyResponse:
        sessions.begin(desk.access.change_account(desk.identify().user, end_sessions=True))
        return _done(desk, "everywhere")


def _too_old() -> str:
    return _("This page was open for long, so nothing was changed. Please try again.")


def _done(desk: AccountDesk, what: str) -> AnyResponse:
    return redirect(f"{desk.settings.url_prefix}{ACCOUNT}?done={what}", HTTPStatus.SEE_OTHER)


def _days(text: str) -> int:
    """How long a key is for, of those that the form offers."""
    return int(text) if text.isdecimal() and int(text) in ENDS_DAYS else KeyForm.days


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
