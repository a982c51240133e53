"""The page of one's own account: keys, password, other sessions. Plain HTML as the sign-in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from access.keys import ApiKey
from access.passwords import SHORTEST
from access.scopes import DEFAULT_SCOPES, SCOPES
from access.sessions import Session
from i18n import format_date, format_time
from i18n import gettext as _
from layouts.header import theme_names
from layouts.plain import Appearance, render

ENDS_DAYS: Final = (30, 90, 365, 0)  # 0: never
FIELDS: Final = ("label", "scopes", "addresses", "proof", "confirm", "current", "new", "again")


# What browsers say of themselves names the ones that they descend from, too:
# the first that fits counts.
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class KeyForm:
    """What was filled into the form of a new key."""

    label: str = ""
    scopes: Collection[str] = DEFAULT_SCOPES
    days: int = 90
    addresses: str = ""


@dataclass(frozen=True)
class AccountContext:
    """Who looks at it, what they may do there, and the site's zone.
    ``password``: the site keeps passwords (AUTH=login).

    ``must_prove``: the password was given long ago, so that it is asked for with a new key.
    ``confirms``: it is asked for now.
    """

    user: str
    admin: bool
    csrf: str
    timezone: str
    now_ms: int
    password: bool
    must_prove: bool = False
    confirms: bool = False
    sign_out_url: str = ""


@dataclass(frozen=True)
class FormOutcome:
    """What came of the form that was sent: a sentence, a new key's text, what was wrong by field,
    what had been filled in.
    """

    sentence: str = ""
    key: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    filled: KeyForm = KeyForm()


def account_page(
    appearance: Appearance,
    context: AccountContext,
    keys: Sequence[ApiKey],
    sessions: Sequence[tuple[Session, bool]],
    said: FormOutcome | None = None,
) -> str:
    """The page as HTML text."""
    said = said or FormOutcome()
    names = theme_names()
    return render(
        "account.html",
        appearance,
        title=_("Account"),
        user=context.user,
        admin=context.admin,
        words=_("Administrator of this site") if context.admin else _("Signed in to this site"),
        csrf=context.csrf,
        sign_out=context.password,
        sign_out_url=context.sign_out_url,
        theme_names="|".join(names.values()),
        theme_name=names[appearance.theme_choice],
        said=said.sentence,
        key=said.key,
        errors={name: said.errors.get(name, "") for name in FIELDS},
        filled=said.filled,
        keys=[_key_values(key, context) for key in sorted(keys, key=lambda key: not key.works(context.now_ms))],
        scopes=[(scope, name) for scope, name in scope_names().items() if context.admin or scope != "admin"],
        ends=[(days, _end_name(days)) for days in ENDS_DAYS],
        shortest=SHORTEST,
        must_prove=context.must_prove,
        confirms=context.confirms or bool(said.errors.get("confirm")),
        sessions=[_session(one, own, context) for one, own in sessions],
    )


def scope_names() -> dict[str, str]:
    """What a key may, in words, by scope."""
    names = {
        "read": _("see jobs, figures and statistics"),
        "load": _("start and stop loads"),
        "export": _("download rows"),
        "embed": _("embed charts in other pages"),
        "review": _("flag and correct readings"),
        "admin": _("administer the site"),
    }
    return {scope: names[scope] for scope in SCOPES}


def _end_name(days: int) -> str:
    return _("{count} days").format(count=days) if days else _("never")


def browser_words(text: str) -> str:
    """A browser and its system as people know them, of what it says of itself."""
    browser = next((name for mark, name in _BROWSERS if mark in text), "")
    system = next((name for mark, name in _SYSTEMS if mark in text), "")
    return (
        _("{browser} on {system}").format(browser=browser, system=system) if browser and system else browser or text[:40] or "?"
    )


def _session(session: Session, own: bool, context: AccountContext) -> dict[str, Any]:
    def time_words(time_ms: int) -> str:
        return format_time(time_ms, context.timezone)

    times = [_("begun {time}").format(time=time_words(session.began_ms)), session.address]
    times.insert(1, _("last used {time}").format(time=time_words(session.seen_ms)))
    name = browser_words(session.browser)
    return {
        "id": session.shown_id,
        "own": own,
        "name": name,
        "times": " · ".join(times),
        "end_name": _("End the session of {browser}, {address}").format(browser=name, address=session.address),
    }


def _key_values(key: ApiKey, context: AccountContext) -> dict[str, Any]:
    def date(time_ms: int) -> str:
        return format_date(time_ms, context.timezone)

    times = [_("created {date}").format(date=date(key.created_ms))]
    times.append(_("last used {date}").format(date=date(key.used_ms)) if key.used_ms else _("never used"))
    if key.works(context.now_ms):
        times.append(_("ends {date}").format(date=date(key.expires_ms)) if key.expires_ms else _("does not end"))
    times += [_("from {addresses} only").format(addresses=", ".join(key.addresses))] if key.addresses else []
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
