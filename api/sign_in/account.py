"""The page of one's own account: keys, password, sessions. What is sent here is never logged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from access.identity import Identity
from access.keys import keys_of, new_key, revoke_key
from access.logins import Logins
from access.store import AccessStore
from api.sign_in.appearance import appearance, chosen_language, page_answer
from api.sign_in.pages import ACCOUNT
from api.sign_in.session_cookie import Sessions, form_token, is_own_form, request_address
from config import Settings
from data.time.epoch import DAY_MS, epoch_ms
from errors import InvalidRequest, NotFound, RiwayatError, TooManyAttempts, WrongPassword
from i18n import gettext as _
from i18n import translate_error
from layouts.account import ENDS_DAYS, AccountContext, FormOutcome, KeyForm, account_page

CONFIRMS = ("admin",)  # for which page the password is asked for again


@dataclass(frozen=True)
class AccountServices:
    """What the routes of the account need; ``logins`` and ``sessions`` where the
    site keeps passwords (AUTH=login).
    """

    settings: Settings
    access: AccessStore
    identify: Callable[[], Identity]
    logins: Logins | None = None
    sessions: Sessions | None = None

    def page(self, said: FormOutcome | None = None, status: int = HTTPStatus.OK) -> AnyResponse:
        """The page, after what was done."""
        identity = self.identify()
        context = AccountContext(
            user=identity.user,
            admin=identity.admin,
            csrf=form_token(),
            timezone=self.settings.timezone,
            now_ms=epoch_ms(),
            password=self.logins is not None,
            must_prove=self.must_prove(),
            confirms=request.args.get("confirm", "") in CONFIRMS,
            sign_out_url=self.settings.proxy_sign_out_url if self.settings.auth == "proxy" else "",
        )
        sessions = self.sessions.listed() if self.sessions is not None else []
        keys = keys_of(self.access, identity.user)
        return page_answer(account_page(appearance(self.settings), context, keys, sessions, said), status)

    def must_prove(self) -> bool:
        """Whether the password must be given again for what asks for it."""
        return self.sessions is not None and self.sessions.must_prove()

    def prove(self, password: str) -> None:
        """Check that whoever is signed in knows the password.

        Raises:
            WrongPassword, TooManyAttempts: they do not, or must wait.
        """
        if self.logins is None or self.sessions is None:
            return
        try:
            self.logins.prove(self.identify().user, password, request_address(self.settings, request))
        except WrongPassword as error:
            raise WrongPassword("This is not your password.") from error
        self.sessions.prove()

    def refused(self, error: RiwayatError, field: str, filled: KeyForm | None = None) -> AnyResponse:
        """The page, with what was wrong where it was."""
        said = FormOutcome(errors={field: translate_error(error)}, filled=filled or KeyForm())
        status = HTTPStatus.BAD_REQUEST if isinstance(error, WrongPassword) else error.http_status
        return self.page(said, status)


def account_blueprint(services: AccountServices) -> Blueprint:
    """``/account`` and its forms."""
    prefix = services.settings.url_prefix
    blueprint = Blueprint("account", __name__, url_prefix=prefix.rstrip("/") or None)

    @blueprint.before_request
    def only_where_people_are_told_apart() -> AnyResponse | None:
        if services.settings.auth == "none":
            raise NotFound
        if request.method == "POST" and not is_own_form():
            return services.page(FormOutcome(_too_old()), HTTPStatus.FORBIDDEN)
        return None

    @blueprint.get(f"/{ACCOUNT}")
    def show_account() -> AnyResponse:
        if (chosen := chosen_language(services.settings, f"{prefix}{ACCOUNT}")) is not None:
            return chosen
        said = {"revoked": _("The key is revoked."), "everywhere": _("All other sessions have ended.")}
        said["stale"], said["session"] = _too_old(), _("The session has ended.")
        said["password"] = _("The password is changed; all other sessions have ended.")
        return services.page(FormOutcome(said.get(request.args.get("done", ""), "")))

    _add_key_forms(blueprint, services)
    if services.logins is not None and services.sessions is not None:
        _add_password_forms(blueprint, services, services.logins, services.sessions)
    return blueprint


def _add_key_forms(blueprint: Blueprint, services: AccountServices) -> None:
    @blueprint.post(f"/{ACCOUNT}/keys")
    def make_key() -> AnyResponse:
        addresses = request.form.get("addresses", "")
        days = _days(request.form.get("days", ""))
        given = KeyForm(request.form.get("label", ""), request.form.getlist("scope"), days, addresses)
        try:
            return services.page(FormOutcome(key=_made_key(services, given, request.form.get("proof", ""))))
        except InvalidRequest as error:
            return services.refused(error, error.field or "label", given)
        except (WrongPassword, TooManyAttempts) as error:
            return services.refused(error, "proof", given)

    @blueprint.post(f"/{ACCOUNT}/keys/<key_id>/revoke")
    def revoke(key_id: str) -> AnyResponse:
        revoke_key(services.access, key_id, epoch_ms(), owner=services.identify().user)
        return _done(services, "revoked")


def _add_password_forms(blueprint: Blueprint, services: AccountServices, logins: Logins, sessions: Sessions) -> None:
    @blueprint.post(f"/{ACCOUNT}/password")
    def change_password() -> AnyResponse:
        current, new = request.form.get("current", ""), request.form.get("new", "")
        if new != request.form.get("again", ""):
            return services.refused(InvalidRequest("The passwords do not match."), "again")
        try:
            account = logins.change_password(services.identify().user, current, new, request_address(services.settings, request))
        except InvalidRequest as error:
            return services.refused(error, error.field or "new")
        except WrongPassword:
            return services.refused(WrongPassword("This is not your password."), "current")
        except TooManyAttempts as error:
            return services.refused(error, "current")
        sessions.begin(account)  # this browser's own session is a new one, too
        return _done(services, "password")

    @blueprint.post(f"/{ACCOUNT}/sessions")
    def end_other_sessions() -> AnyResponse:
        sessions.begin(services.access.change_account(services.identify().user, end_sessions=True), sessions.proved_s())
        return _done(services, "everywhere")

    @blueprint.post(f"/{ACCOUNT}/sessions/<shown_id>/end")
    def end_session(shown_id: str) -> AnyResponse:
        sessions.end_one(shown_id)
        return _done(services, "session")

    @blueprint.post(f"/{ACCOUNT}/confirm")
    def confirm() -> AnyResponse:
        try:
            services.prove(request.form.get("proof", ""))
        except (WrongPassword, TooManyAttempts) as error:
            return services.refused(error, "confirm")
        return redirect(f"{services.settings.url_prefix}admin", HTTPStatus.SEE_OTHER)


def _made_key(services: AccountServices, given: KeyForm, password: str) -> str:
    """The text of a new key; whoever gave their password long ago gives it again."""
    if services.must_prove():
        services.prove(password)
    now_ms = epoch_ms()
    text, _key = new_key(
        services.access,
        services.identify().user,
        label=given.label,
        scopes=given.scopes,
        expires_ms=now_ms + given.days * DAY_MS if given.days else None,
        now_ms=now_ms,
        addresses=[part for part in re.split(r"[,;\s]+", given.addresses) if part],
    )
    return text


def _too_old() -> str:
    return _("This page was open too long, so nothing was changed. Please try again.")


def _done(services: AccountServices, what: str) -> AnyResponse:
    return redirect(f"{services.settings.url_prefix}{ACCOUNT}?done={what}", HTTPStatus.SEE_OTHER)


def _days(text: str) -> int:
    """Parse how long a key is for, one of those that the form offers."""
    return int(text) if text.isdecimal() and int(text) in ENDS_DAYS else KeyForm.days
