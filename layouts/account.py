"""The page of one's own account: keys for programs, password, other sessions. Plain HTML like the sign-in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from access.keys import ApiKey
from access.passwords import SHORTEST
from access.scopes import DEFAULT_SCOPES, SCOPES
from i18n import format_date
from i18n import gettext as _
from layouts.header import theme_names
from layouts.plain import Look, render

ENDS_DAYS: Final = (30, 90, 365, 0)  # 0: never
FIELDS: Final = ("label", "scopes", "current", "new", "again")


@dataclass(frozen=True)
class KeyForm:
    """What was filled into the form of a new key."""

    label: str = ""
    scopes: Collection[str] = DEFAULT_SCOPES
    days: int = 90


@dataclass(frozen=True)
class AccountContext:
    """Who looks at it, what they may do there, and the site's zone. ``password``: the site keeps passwords (AUTH=login)."""

    user: str
    admin: bool
    csrf: str
    timezone: str
    now_ms: int
    password: bool
    sign_out_url: str = ""


@dataclass(frozen=True)
class Said:
    """What came of the form that was sent: a sentence, a new key's text, what was wrong by field, what had been filled in."""

    sentence: str = ""
    key: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    filled: KeyForm = KeyForm()


def account_page(look: Look, context: AccountContext, keys: Sequence[ApiKey], said: Said | None = None) -> str:
    """The page as HTML text."""
    said = said or Said()
    names = theme_names()
    return render(
        "account.html",
        look,
        title=_("Account"),
        user=context.user,
        admin=context.admin,
        words=_("Administrator of this site") if context.admin else _("Signed in to this site"),
        csrf=context.csrf,
        sign_out=context.password,
        sign_out_url=context.sign_out_url,
        theme_names="|".join(names.values()),
        theme_name=names[look.theme_choice],
        said=said.sentence,
        key=said.key,
        errors={name: said.errors.get(name, "") for name in FIELDS},
        filled=said.filled,
        keys=[_shown(key, context) for key in sorted(keys, key=lambda key: not key.works(context.now_ms))],
        scopes=[(scope, name) for scope, name in scope_names().items() if context.admin or scope != "admin"],
        ends=[(days, _end_name(days)) for days in ENDS_DAYS],
        shortest=SHORTEST,
    )


def scope_names() -> dict[str, str]:
    """What a key may, in words, by scope."""
    names = {
        "read": _("see jobs, figures and statistics"),
        "load": _("start and stop loads"),
        "export": _("fetch rows as files"),
        "embed": _("make charts for other pages"),
        "admin": _("what only administrators may"),
    }
    return {scope: names[scope] for scope in SCOPES}


def _end_name(days: int) -> str:
    return _("{count} days").format(count=days) if days else _("never")


def _shown(key: ApiKey, context: AccountContext) -> dict[str, Any]:
    def date(time_ms: int) -> str:
        return format_date(time_ms, context.timezone)

    times = [_("made {date}").format(date=date(key.created_ms))]
    times.append(_("last used {date}").format(date=date(key.used_ms)) if key.used_ms else _("never used"))
    if key.works(context.now_ms):
        times.append(_("ends {date}").format(date=date(key.expires_ms)) if key.expires_ms else _("does not end"))
    names = scope_names()
    return {
        "id": key.id,
        "label": key.label,
        "scopes": ", ".join(names[scope] for scope in SCOPES if scope in key.scopes),
        "times": " · ".join(times),
        "over": not key.works(context.now_ms),
        "state": _("revoked") if key.revoked_ms is not None else _("expired"),
        "revoke_name": _("Revoke {label}").format(label=key.label),
    }
