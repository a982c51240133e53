"""Users, groups, grants, keys, embedded charts and entries of the log as rows of
the administrators' grids; pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from access.account_table import Account
from access.audit.entries import Entry
from access.embeds.embed_table import Embed
from access.embeds.spec import last_text
from access.grant_table import GrantRow
from access.grants import Grant
from access.keys import ApiKey
from access.scopes import SCOPES
from data.request import parse_time
from data.time.epoch import DAY_MS, MINUTE_MS
from errors import InvalidRequest
from escaping import visible
from i18n import format_date, format_duration, format_number, format_range, format_time, is_midnight, local_time, ngettext
from i18n import gettext as _
from layouts.admin_grids import action_names
from layouts.form import resolution_names

_MOST_NAMES = 3  # that are written out in a cell


def user_row(account: Account, groups: Iterable[str], zone: str, waits_s: int = 0) -> dict[str, Any]:
    """A user; ``groups`` are the user's, ``waits_s`` how long they must wait before
    they may try to sign in again.
    """
    states = [_("Administrator")] if account.admin else []
    states += [_("Disabled")] if account.disabled else []
    states += [_("Must wait {duration} after wrong passwords").format(duration=format_duration(waits_s))] if waits_s else []
    return {
        "id": account.name,
        "name": account.name,
        "state": ", ".join(states),
        "admin": account.admin,
        "disabled": account.disabled,
        "waits": bool(waits_s),
        "groups": ", ".join(groups),
        **_time("password", account.password_ms, zone, _("none") if account.password_ms is None else ""),
        **_time("created", account.created_ms, zone),
    }


def group_row(group: str, members: Sequence[str]) -> dict[str, Any]:
    """A group and who is in it."""
    return {"id": group, "name": group, "count": len(members), "members": ", ".join(members), "names": list(members)}


def grant_row(row: GrantRow, zone: str) -> dict[str, Any]:
    """A grant in words."""
    grant = row.grant
    rights = {_("download"): grant.may_export, _("embed"): grant.may_embed, _("review"): grant.may_review}
    may = [word for word, allowed in rights.items() if allowed]
    return {
        "id": str(row.id),
        "subject": subject_words(row.kind, row.subject),
        "stations": ", ".join(map(visible, grant.stations)),
        "sensors": ", ".join(grant.sensors),
        "range": span_words(grant.from_ms, grant.to_ms, zone),
        "limits": limit_words(grant),
        "may": ", ".join(may) or _("view only"),
        "note": row.note,
        "created": format_date(row.created_ms, zone),
        "by": row.created_by,
    }


def key_row(key: ApiKey, now_ms: int, zone: str) -> dict[str, Any]:
    """A key for a program."""
    state = _("Revoked") if key.revoked_ms is not None else _("Valid") if key.works(now_ms) else _("Expired")
    return {
        "id": key.id,
        "owner": key.owner,
        "label": key.label,
        "state": state,
        "scopes": ", ".join(scope for scope in SCOPES if scope in key.scopes),
        "works": key.works(now_ms),
        **_time("used", key.used_ms, zone, _("never") if key.used_ms is None else ""),
        **_time("expires", key.expires_ms, zone, _("never") if key.expires_ms is None else ""),
        **_time("created", key.created_ms, zone),
    }


def embed_row(embed: Embed, now_ms: int, zone: str) -> dict[str, Any]:
    """A chart in another page."""
    state = embed.state(now_ms)
    spec = embed.spec
    span = (
        _("the last {span}").format(span=last_text(spec.last_ms))
        if spec.last_ms is not None
        else format_range(spec.start_ms or 0, spec.end_ms or 0, spec.timezone)
    )
    what = f"{some_names(spec.stations)} · {some_names(spec.sensors)}"
    return {
        "id": embed.id,
        "owner": embed.owner,
        "label": f"{embed.label} · {what}" if embed.label else what,
        "state": {
            "live": _("Live"),
            "expired": _("Expired"),
            "revoked": _("Revoked"),
            "unreadable": _("Cannot be read"),
        }[state],
        "origin": embed.origin,
        "range": span,
        "live": state == "live",
        **_time("expires", embed.expires_ms, zone, _("never") if embed.expires_ms is None else ""),
        **_time("created", embed.created_ms, zone),
    }


def entry_row(entry: Entry, zone: str) -> dict[str, Any]:
    """An entry of the audit log."""
    refused = entry.outcome == "refused"
    name = action_names().get(entry.action, entry.action)  # type: ignore[call-overload]
    return {
        "id": str(entry.number),
        "time": format_time(entry.at_ms // 1000 * 1000, zone),
        "actor": entry.actor or "–",
        "action": f"{name} · {_('refused')}" if refused and entry.action != "refused" else name,
        "refused": refused,
        "subject": entry_words(entry.subject, zone),
        "via": via_names().get(entry.via, entry.via) if entry.actor else "–",
        "address": entry.address,
    }


def entry_words(subject: Mapping[str, Any], zone: str) -> str:
    """Return what an entry was about, in one line."""
    rest = dict(subject)
    parts = [some_names(rest.pop(name)) for name in ("stations", "sensors") if rest.get(name)]
    since, until = rest.pop("from", None), rest.pop("to", None)
    if since or until:
        parts.append(span_words(_moment(since), _moment(until), zone))
    known = subject_names()
    named = (
        f"{known.get(name, name.replace('_', ' '))} {_value(name, value)}"
        for name, value in rest.items()
        if _is_told(name, value)
    )
    return " · ".join([*parts, *named])


def subject_names() -> dict[str, str]:
    """What the fields of an entry's subject are called."""
    return {
        "job": _("job"),
        "format": _("as"),
        "resolution": _("resolution"),
        "reason": _("reason"),
        "repeated": _("repeated"),
        "path": _("path"),
        "error": _("error"),
        "user": _("user"),
        "group": _("group"),
        "admin": _("administrator"),
        "disabled": _("disabled"),
        "sessions_ended": _("sessions ended"),
        "grant": _("grant"),
        "for": _("for"),
        "finest": _("finest"),
        "longest_ms": _("longest"),
        "export": _("download"),
        "embed": _("embed"),
        "review": _("review"),
        "note": _("note"),
        "key": _("key"),
        "owner": _("owner"),
        "label": _("name"),
        "scopes": _("scopes"),
        "origin": _("shown on"),
        "entries": _("entries"),
        "before": _("before"),
        "decision": _("decision"),
        "station": _("station"),
        "sensor": _("sensor"),
        "kind": _("kind"),
        "rule": _("rule"),
        "amount": _("amount"),
        "filled_from": _("filled from"),
        "by": _("made by"),
        "file": _("file"),
    }


def via_names() -> dict[str, str]:
    """How somebody was known, in words."""
    return {
        "none": _("this machine"),
        "login": _("sign-in"),
        "proxy": _("proxy"),
        "key": _("key"),
        "embed": _("embedded chart"),
        "command": _("command line"),
    }


def subject_words(kind: str, subject: str) -> str:
    """Return the words that say to whom a grant is."""
    if kind == "everyone":
        return _("Everyone")
    return _("Group {name}").format(name=subject) if kind == "group" else subject


def span_words(from_ms: int | None, to_ms: int | None, zone: str) -> str:
    """A range that may be open, in a zone."""
    if from_ms is not None and to_ms is not None:
        return format_range(from_ms, to_ms, zone)
    if from_ms is not None:
        return _("from {time}").format(time=_day_or_time(from_ms, from_ms, zone))
    return _("until {time}").format(time=_day_or_time(to_ms, to_ms - 1, zone)) if to_ms is not None else _("All")


def limit_words(grant: Grant) -> str:
    """The longest range and the finest resolution, where there is such a limit."""
    parts = []
    if grant.longest_ms is not None:
        parts.append(_("{count} days at most").format(count=_days(grant.longest_ms)))
    if grant.finest != "raw":
        parts.append(_("{resolution} or coarser").format(resolution=resolution_names()[grant.finest]))
    return ", ".join(parts) or _("none")


def some_names(names: Sequence[str]) -> str:
    """The names, or the first of many and how many more."""
    names = [visible(name) for name in names]
    if len(names) <= _MOST_NAMES + 1:
        return ", ".join(names)
    more = len(names) - _MOST_NAMES
    rest = ngettext("{count} more", "{count} more", more).format(count=format_number(more))
    return f"{', '.join(names[:_MOST_NAMES])}, {rest}"


def _is_told(name: str, value: Any) -> bool:
    return value not in ("", None) and (name, value) != ("finest", "raw")  # which is no limit


def _value(name: str, value: Any) -> str:
    if name == "longest_ms" and isinstance(value, int | float):
        return _("{count} days").format(count=_days(value))
    if name in ("finest", "resolution"):
        return resolution_names().get(value, str(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return some_names([str(each) for each in value]) if isinstance(value, list) else str(value)


def _days(length_ms: float) -> str:
    days = length_ms / DAY_MS
    return format_number(days, 0 if days.is_integer() else 2)


def _moment(text: Any) -> int | None:
    try:
        return parse_time(text, "UTC", field="time") if text else None
    except InvalidRequest:
        return None


def _day_or_time(time_ms: int, within_ms: int, zone: str) -> str:
    """A time; at midnight the day that ``within_ms`` is of."""
    return format_date(within_ms, zone) if is_midnight(local_time(time_ms, zone)) else format_time(time_ms, zone)


def _time(field: str, time_ms: int | None, zone: str, otherwise: str = "") -> dict[str, Any]:
    """A time in words and what it is sorted by."""
    words = otherwise if time_ms is None else format_time(time_ms // MINUTE_MS * MINUTE_MS, zone, zone=False)
    return {field: words, f"{field}_order": time_ms or 0}
