"""The buttons of an administrator's rows: which there are, what each changes, and what is said
when it is done, or why not.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dash import html
from dash.development.base_component import Component
from sqlalchemy.exc import SQLAlchemyError

from access.embeds.embed_token import revoke as revoke_embed
from access.identity import Identity
from access.keys import revoke_key
from access.passwords import hash_password
from callbacks.submit import refused
from data.time.epoch import epoch_ms
from errors import ConfirmPassword, NotFound, RiwayatError
from i18n import gettext as _
from i18n import translate_error
from jobs.services import Services
from layouts.admin import Action, new_password
from layouts.notices import Notice, alert

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none looks like another


@dataclass(frozen=True)
class Outcome:
    """Whether a change was made, and what the page says of it: a notice, or a new password."""

    ok: bool
    said: Component | None


@dataclass(frozen=True)
class Press:
    """The button of a row that was pressed: what to do (CHANGES) with ``target``;
    ``member`` is one of a group. Untrusted.
    """

    kind: str
    name: str
    target: str
    member: str = ""

    @classmethod
    def of(cls, button: Mapping[str, Any]) -> Press:
        """The press of a button with an id of layouts/admin.py."""
        return cls(*(str(button.get(part, "")) for part in ("kind", "name", "target", "member")))


Change = Callable[[Services, Identity, Press], Outcome]


def act(services: Services, identity: Identity, press: Press) -> Outcome:
    """Do what a button of a row means (CHANGES)."""

    def do() -> Outcome:
        change = CHANGES.get((press.kind, press.name))
        if change is None:
            raise NotFound
        return change(services, identity, press)

    return as_admin(services, identity, do)


def made_password() -> str:
    """A password of 79 random bits that can be read aloud."""
    return "-".join("".join(secrets.choice(_LETTERS) for _each in range(4)) for _part in range(4))


def require_admin(identity: Identity) -> None:
    """Raise NotFound for others: to them the page and its callbacks do not exist."""
    if not identity.admin:
        raise NotFound


def as_admin(services: Services, identity: Identity, do: Callable[[], Outcome]) -> Outcome:
    """Make a change, or say why not.

    Raises:
        NotFound: the identity is no administrator's; then nothing was done.
    """
    require_admin(identity)
    if services.must_prove():
        return Outcome(False, _password_prompt(services))
    try:
        return do()
    except (RiwayatError, SQLAlchemyError) as error:
        return Outcome(False, alert(refused(services, error)))


def _password_prompt(services: Services) -> Component:
    """What is shown in place of a change by who gave the password too long ago."""
    words = translate_error(ConfirmPassword("You signed in a while ago. Enter your password again, then repeat the change."))
    where = f"{services.settings.url_prefix}account?confirm=admin"
    led = html.A(_("Enter the password"), href=where, className="btn btn-sm action")
    return html.Div([html.P(words), led], className="notice notice-warning", role="alert")


def _user_actions(row: dict[str, Any], passwords: bool) -> list[Action]:
    name = row["name"]
    sure = _("Confirm: remove the role of {name}")
    return [
        Action("unadmin", _("Remove administrator role"), name, sure.format(name=name))
        if row["admin"]
        else Action("admin", _("Make an administrator"), name, _("Confirm: make administrator")),
        Action("enable", _("Enable"), name) if row["disabled"] else Action("disable", _("Disable"), name, _("Confirm: disable")),
        *([Action("unlock", _("Allow sign-in now"), name)] if row["waits"] else []),
        *([Action("password", _("New password"), name, _("Confirm: end all sessions"))] if passwords else []),
        Action("remove", _("Remove"), name, _("Confirm: remove")),
    ]


def _group_actions(row: dict[str, Any], _passwords: bool) -> list[Action]:
    return [
        Action(
            "leave",
            _("Remove {name}").format(name=name),
            row["name"],
            _("Confirm: remove {name}").format(name=name),
            member=name,
        )
        for name in row["names"]
    ]


def _grant_actions(row: dict[str, Any], _passwords: bool) -> list[Action]:
    return [Action("remove", _("Remove the grant"), row["id"], _("Confirm: remove the grant"))]


def _key_actions(row: dict[str, Any], _passwords: bool) -> list[Action]:
    return [Action("revoke", _("Revoke the key"), row["id"], _("Confirm: revoke"))] if row["works"] else []


def _embed_actions(row: dict[str, Any], _passwords: bool) -> list[Action]:
    return [Action("revoke", _("Revoke the chart"), row["id"], _("Confirm: revoke"))] if row["live"] else []


ACTIONS_OF: Final[dict[str, Callable[[dict[str, Any], bool], list[Action]]]] = {
    "user": _user_actions,
    "group": _group_actions,
    "grant": _grant_actions,
    "key": _key_actions,
    "embed": _embed_actions,
}


def _unlock(services: Services, _identity: Identity, press: Press) -> Outcome:
    if services.logins is None:
        raise NotFound
    services.logins.unlock(press.target)
    return done(_("{name} can sign in again now.").format(name=press.target))


def _account(sentence: Callable[[], str], *, admin: bool | None = None, disabled: bool | None = None) -> Change:
    """A change of an account, and the sentence that says that it is done."""

    def change(services: Services, _identity: Identity, press: Press) -> Outcome:
        services.access.change_account(press.target, admin=admin, disabled=disabled)
        return done(sentence().format(name=press.target))

    return change


def _remove(services: Services, _identity: Identity, press: Press) -> Outcome:
    services.access.remove_account(press.target)
    return done(_("{name} is removed, with grants and groups; keys and embedded charts are revoked.").format(name=press.target))


def _reset_password(services: Services, _identity: Identity, press: Press) -> Outcome:
    if services.settings.auth != "login":
        raise NotFound
    password = made_password()
    services.access.change_account(press.target, password_hash=hash_password(password))
    return Outcome(
        True,
        new_password(
            _("{name} has a new password, and all sessions with the old one have ended:").format(name=press.target), password
        ),
    )


def _leave(services: Services, _identity: Identity, press: Press) -> Outcome:
    services.access.leave(press.target, press.member)
    return done(_("{name} is no longer in the group {group}.").format(name=press.member, group=press.target))


def _remove_grant(services: Services, _identity: Identity, press: Press) -> Outcome:
    services.access.remove_grant(int(press.target) if press.target.isdecimal() and len(press.target) < 19 else 0)
    return done(_("Grant {number} removed.").format(number=press.target))


def _revoke_key(services: Services, _identity: Identity, press: Press) -> Outcome:
    key = revoke_key(services.access, press.target, epoch_ms())
    return done(_("The key “{label}” of {name} is revoked.").format(label=key.label, name=key.owner))


def _revoke_embed(services: Services, identity: Identity, press: Press) -> Outcome:
    embed = revoke_embed(services.access, identity, press.target)
    return done(_("The chart on {origin} is revoked.").format(origin=embed.origin))


CHANGES: Final[dict[tuple[str, str], Change]] = {
    ("user", "admin"): _account(lambda: _("{name} is an administrator now."), admin=True),
    ("user", "unadmin"): _account(lambda: _("{name} is no longer an administrator."), admin=False),
    ("user", "disable"): _account(lambda: _("{name} is disabled."), disabled=True),
    ("user", "enable"): _account(lambda: _("{name} is enabled."), disabled=False),
    ("user", "unlock"): _unlock,
    ("user", "password"): _reset_password,
    ("user", "remove"): _remove,
    ("group", "leave"): _leave,
    ("grant", "remove"): _remove_grant,
    ("key", "revoke"): _revoke_key,
    ("embed", "revoke"): _revoke_embed,
}


def done(sentence: str) -> Outcome:
    """The outcome of a change that was made, as a sentence."""
    return Outcome(True, alert(Notice("info", sentence)))
