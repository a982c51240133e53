"""What an administrator changes on the page: each function does it, and says what was done or why not."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from dash.development.base_component import Component
from sqlalchemy.exc import SQLAlchemyError

from access.embeds import revoke as revoke_embed
from access.grants import Grant
from access.identity import Identity
from access.keys import revoke_key
from access.passwords import hash_password
from access.store import KINDS
from callbacks.admin_rows import subject_words
from callbacks.services import Services
from callbacks.start import refusal
from data.request import RESOLUTIONS, parse_time
from errors import InvalidRequest, LedgerUnavailable, NotFound, RiwayatError
from i18n import gettext as _
from layouts.admin import EMBED, EXPORT, new_password
from layouts.status import Notice, alert

_DAY_MS: Final = 86_400_000
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none looks like another
_PATTERNS: Final = re.compile(r"[,;\n]+")
_LONGEST_NOTE: Final = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class GrantForm:
    """What stands in the form of a new grant: all of it untrusted."""

    kind: Any = "everyone"
    subject: Any = ""
    stations: Any = ""
    sensors: Any = "*"
    start: Any = ""
    end: Any = ""
    longest: Any = ""
    finest: Any = "raw"
    may: Any = (EXPORT,)
    note: Any = ""

    def grant(self, zone: str) -> Grant:
        """The grant that is meant; times without an offset are of a zone.

        Raises:
            InvalidRequest: a field means nothing.
        """
        if self.finest not in RESOLUTIONS:
            raise InvalidRequest(
                "There is no resolution {resolution}; use one of {known}.",
                field="finest",
                resolution=str(self.finest)[:40],
                known=", ".join(RESOLUTIONS),
            )
        may = self.may if isinstance(self.may, list | tuple) else ()
        return Grant(
            stations=patterns(self.stations),
            sensors=patterns(self.sensors),
            from_ms=_time(self.start, zone, "from"),
            to_ms=_time(self.end, zone, "to"),
            longest_ms=_days_ms(self.longest),
            finest=self.finest,
            may_export=EXPORT in may,
            may_embed=EMBED in may,
        )


def patterns(text: Any) -> tuple[str, ...]:
    """The patterns of a field, with commas or lines between."""
    return tuple(part.strip() for part in _PATTERNS.split(str(text or "")) if part.strip())


def add_user(services: Services, identity: Identity, name: Any, *, admin: bool) -> Component:
    """A new user, with AUTH=login with a password that is told once."""

    def do() -> Component:
        wanted = str(name or "").strip()
        if services.settings.auth != "login":
            services.access.add_account(wanted, admin=admin)
            return _done(_("There is a user {name} now.").format(name=wanted))
        password = made_password()
        services.access.add_account(wanted, password_hash=hash_password(password), admin=admin)
        return new_password(_("There is a user {name} now, with this password:").format(name=wanted), password)

    return _as_admin(services, identity, do)


def join_group(services: Services, identity: Identity, group: Any, user: Any) -> Component:
    """Put a user into a group."""

    def do() -> Component:
        into, who = str(group or "").strip(), str(user or "").strip()
        if services.settings.auth == "login" and services.access.account(who) is None:
            raise NotFound("There is no user {name}.", name=who)
        services.access.join(into, who)
        return _done(_("{name} is in the group {group} now.").format(name=who, group=into))

    return _as_admin(services, identity, do)


def add_grant(services: Services, identity: Identity, form: GrantForm) -> Component:
    """A new grant."""

    def do() -> Component:
        if form.kind not in KINDS:
            raise InvalidRequest("The field {name} is not valid: {reason}.", field="kind", name="to", reason=repr(form.kind)[:40])
        subject = "" if form.kind == "everyone" else str(form.subject or "").strip()
        grant, note = form.grant(services.settings.timezone), str(form.note or "").strip()[:_LONGEST_NOTE]
        number = services.access.add_grant(form.kind, subject, grant, note=note, by=identity.user)
        whom = subject_words(form.kind, subject)
        return _done(
            _("Grant {number} is made: {stations} to {whom}.").format(
                number=number, stations=", ".join(grant.stations), whom=whom
            )
        )

    return _as_admin(services, identity, do)


def act(services: Services, identity: Identity, kind: Any, name: Any, target: Any) -> Component:
    """Press of a button of a row; what it means stands in CHANGES."""

    def do() -> Component:
        change = CHANGES.get((str(kind), str(name)))
        if change is None:
            raise NotFound
        return change(services, identity, str(target))

    return _as_admin(services, identity, do)


def made_password() -> str:
    """A password of 79 random bits that can be read aloud."""
    return "-".join("".join(secrets.choice(_LETTERS) for _each in range(4)) for _part in range(4))


def require_admin(identity: Identity) -> None:
    """Raises NotFound for others: to them the page does not exist, whatever they send to its callbacks."""
    if not identity.admin:
        raise NotFound


def _as_admin(services: Services, identity: Identity, do: Callable[[], Component]) -> Component:
    """What was done, or the notice that says why not.

    Raises:
        NotFound: the identity is no administrator's; then nothing was done.
    """
    require_admin(identity)
    try:
        return do()
    except RiwayatError as error:
        return _notice(refusal(error, services.settings.timezone))
    except SQLAlchemyError as error:
        log.warning("the database of accounts and grants does not answer a page", error=str(error))
        return _notice(refusal(LedgerUnavailable(), services.settings.timezone))


def _set_admin(services: Services, _identity: Identity, name: str) -> Component:
    services.access.change_account(name, admin=True)
    return _done(_("{name} is an administrator now.").format(name=name))


def _unset_admin(services: Services, _identity: Identity, name: str) -> Component:
    services.access.change_account(name, admin=False)
    return _done(_("{name} is no administrator any more.").format(name=name))


def _disable(services: Services, _identity: Identity, name: str) -> Component:
    services.access.change_account(name, disabled=True)
    return _done(_("{name} is refused everything from now on.").format(name=name))


def _enable(services: Services, _identity: Identity, name: str) -> Component:
    services.access.change_account(name, disabled=False)
    return _done(_("{name} may come in again.").format(name=name))


def _remove(services: Services, _identity: Identity, name: str) -> Component:
    services.access.remove_account(name)
    return _done(_("{name} is removed, with grants and groups; keys and embedded charts are revoked.").format(name=name))


def _reset_password(services: Services, _identity: Identity, name: str) -> Component:
    if services.settings.auth != "login":
        raise NotFound
    password = made_password()
    services.access.change_account(name, password_hash=hash_password(password))
    return new_password(_("{name} has a new password, and all sessions with the old one have ended:").format(name=name), password)


def _leave(services: Services, _identity: Identity, target: str) -> Component:
    group, _line, user = target.partition("\n")  # names hold no line break
    services.access.leave(group, user)
    return _done(_("{name} is no longer in the group {group}.").format(name=user, group=group))


def _remove_grant(services: Services, _identity: Identity, target: str) -> Component:
    services.access.remove_grant(int(target) if target.isdecimal() and len(target) < 19 else 0)
    return _done(_("Grant {number} is taken away.").format(number=target))


def _revoke_key(services: Services, _identity: Identity, target: str) -> Component:
    key = revoke_key(services.access, target, time.time_ns() // 1_000_000)
    return _done(_("The key “{label}” of {name} is revoked.").format(label=key.label, name=key.owner))


def _revoke_embed(services: Services, identity: Identity, target: str) -> Component:
    embed = revoke_embed(services.access, identity, target)
    return _done(_("The chart on {origin} is revoked.").format(origin=embed.origin))


CHANGES: Final[dict[tuple[str, str], Callable[[Services, Identity, str], Component]]] = {
    ("user", "admin"): _set_admin,
    ("user", "unadmin"): _unset_admin,
    ("user", "disable"): _disable,
    ("user", "enable"): _enable,
    ("user", "password"): _reset_password,
    ("user", "remove"): _remove,
    ("group", "leave"): _leave,
    ("grant", "remove"): _remove_grant,
    ("key", "revoke"): _revoke_key,
    ("embed", "revoke"): _revoke_embed,
}


def _done(sentence: str) -> Component:
    return _notice(Notice("info", sentence))


def _notice(notice: Notice) -> Component:
    shown = alert(notice)
    if shown is None:
        raise ValueError("a notice is shown")
    return shown


def _time(text: Any, zone: str, field: str) -> int | None:
    written = str(text or "").strip()
    return parse_time(written, zone, field=field) if written else None


def _days_ms(text: Any) -> int | None:
    written = str(text or "").strip().replace(",", ".")
    if not written:
        return None
    try:
        days = float(written)
    except ValueError:
        days = 0.0
    if not 0 < days < 1e6:
        raise InvalidRequest("{text} is no number of days.", field="longest", text=repr(written[:40]))
    return max(1, round(days * _DAY_MS))
