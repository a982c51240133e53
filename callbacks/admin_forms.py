"""The forms of the administrators' page: a new user, a member of a group, a new grant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from access.grant_table import KINDS
from access.grants import Grant
from access.identity import Identity
from access.passwords import hash_password
from callbacks.admin_change import Outcome, as_admin, done, made_password
from callbacks.admin_rows import subject_words
from data.request import parse_time, require_resolution
from data.time.epoch import DAY_MS
from errors import InvalidRequest, NotFound
from i18n import gettext as _
from jobs.services import Services
from layouts.admin import EMBED, EXPORT, REVIEW, new_password

_PATTERNS: Final = re.compile(r"[,;\n]+")
_LONGEST_NOTE: Final = 500


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
        require_resolution(self.finest, field="finest")
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
            may_review=REVIEW in may,
        )


def patterns(text: Any) -> tuple[str, ...]:
    """The patterns of a field, with commas or lines between."""
    return tuple(part.strip() for part in _PATTERNS.split(str(text or "")) if part.strip())


def add_user(services: Services, identity: Identity, name: Any, *, admin: bool) -> Outcome:
    """A new user, with AUTH=login with a password that is told once."""

    def do() -> Outcome:
        wanted = str(name or "").strip()
        if services.settings.auth != "login":
            services.access.add_account(wanted, admin=admin)
            return done(_("User {name} added.").format(name=wanted))
        password = made_password()
        services.access.add_account(wanted, password_hash=hash_password(password), admin=admin)
        return Outcome(True, new_password(_("User {name} added, with this password:").format(name=wanted), password))

    return as_admin(services, identity, do)


def join_group(services: Services, identity: Identity, group: Any, user: Any) -> Outcome:
    """Put a user into a group."""

    def do() -> Outcome:
        into, who = str(group or "").strip(), str(user or "").strip()
        if services.settings.auth == "login" and services.access.account(who) is None:
            raise NotFound("There is no user {name}.", name=who)
        services.access.join(into, who)
        return done(_("{name} is in the group {group} now.").format(name=who, group=into))

    return as_admin(services, identity, do)


def add_grant(services: Services, identity: Identity, form: GrantForm) -> Outcome:
    """A new grant."""

    def do() -> Outcome:
        if form.kind not in KINDS:
            raise InvalidRequest("The field {name} is not valid: {reason}.", field="kind", name="to", reason=repr(form.kind)[:40])
        subject = "" if form.kind == "everyone" else str(form.subject or "").strip()
        grant, note = form.grant(services.settings.timezone), str(form.note or "").strip()[:_LONGEST_NOTE]
        number = services.access.add_grant(form.kind, subject, grant, note=note, by=identity.user)
        whom = subject_words(form.kind, subject)
        return done(
            _("Grant {number} added: {stations} to {whom}.").format(number=number, stations=", ".join(grant.stations), whom=whom)
        )

    return as_admin(services, identity, do)


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
        raise InvalidRequest("{text} is not a number of days.", field="longest", text=repr(written[:40]))
    return max(1, round(days * DAY_MS))
