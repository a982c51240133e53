"""``grants …``: what somebody may see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.opening import opened_access
from commands.printing import AsJson, say, show, shown_time
from config import Settings
from data.request import parse_time
from data.time.epoch import DAY_MS, HOUR_MS
from data.time.months import iso_utc_or_none
from data.time.resolution import RESOLUTION_LIST, RESOLUTIONS
from errors import InvalidRequest, RiwayatError

if TYPE_CHECKING:
    from access.grant_table import GrantRow, SubjectKind
    from access.store import AccessStore

_LONGEST_BY = 255  # characters that the table holds
_LENGTH = re.compile(r"([1-9][0-9]{0,6})([hd])")
_TO_EVERYONE = "everyone"

grants = typer.Typer(no_args_is_help=True, help="What is granted to users, groups and everyone; nothing else may be seen.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(grants, name="grants")


@grants.command()
def add(
    subject: Annotated[str, typer.Argument(metavar="TO", help="everyone (who is signed in), user:NAME or group:NAME.")],
    stations: Annotated[list[str], typer.Option(help="Pattern of stations, such as 'aws-*'; may be repeated.")],
    sensors: Annotated[list[str] | None, typer.Option(help="Pattern of sensors; may be repeated. Default: all.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="From when on; default: from the beginning.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Until when (not included); default: without an end.")] = None,
    longest: Annotated[str | None, typer.Option(help="Longest range of one request: 24h, 366d. Default: any.")] = None,
    finest: Annotated[str, typer.Option(help=f"Finest resolution: {RESOLUTION_LIST}.")] = "raw",
    export: Annotated[bool, typer.Option("--export/--no-export", help="Whether rows may be downloaded.")] = True,
    embed: Annotated[bool, typer.Option("--embed/--no-embed", help="Whether charts may be put into other pages.")] = False,
    review: Annotated[
        bool, typer.Option("--review/--no-review", help="Whether readings may be decided about: flagged, corrected.")
    ] = False,
    note: Annotated[str, typer.Option(help="Why, for whoever reads the list.")] = "",
    as_json: AsJson = False,
) -> None:
    """Grant something. Each grant only adds: what one gives no other takes away.

    Times without an offset are those of the site's time zone.
    """
    from access.audit.log import acting
    from access.grants import Grant

    if finest not in RESOLUTIONS:
        raise typer.BadParameter(f"There is no resolution {finest}; use one of {', '.join(RESOLUTIONS)}.")
    kind, name = _subject(subject)
    with opened_access() as (settings, access):
        grant = Grant(
            stations=tuple(stations),
            sensors=tuple(sensors or ["*"]),
            from_ms=_time(start, settings),
            to_ms=_time(end, settings),
            longest_ms=_length(longest),
            finest=finest,
            may_export=export,
            may_embed=embed,
            may_review=review,
        )
        number = access.add_grant(kind, name, grant, note=note, by=f"command line ({acting().name})"[:_LONGEST_BY])
        made = next(row for row in access.grants() if row.id == number)
        _warn_of_nothing(settings, stations)
    if as_json:
        show([_grant_json(made)], as_json)
    say(f"Grant {number} is made.", err=True)


@grants.command("list")
def list_grants(
    of: Annotated[
        str | None, typer.Option("--for", help="Only what is granted to this user, by name, group or as everyone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """All grants, oldest first."""
    with opened_access() as (_, access):
        found = [row for row in access.grants() if of is None or _is_about(access, row, of)]
    header = ("grant", "to", "stations", "sensors", "from", "until", "longest", "finest", "export", "embed", "review", "note")
    show([_grant_json(row) for row in found], as_json, "Nothing is granted, so nobody but administrators sees anything.", header)


@grants.command()
def remove(
    numbers: Annotated[list[int], typer.Argument(metavar="GRANT…", help="Numbers of grants, as the list gives them.")],
) -> None:
    """Take grants away; at once, also for what is loaded already."""
    with opened_access() as (_, access):
        for number in numbers:
            access.remove_grant(number)
    say(f"Taken away: {', '.join(map(str, numbers))}.", err=True)


def _subject(text: str) -> tuple[SubjectKind, str]:
    if text == _TO_EVERYONE:
        return "everyone", ""
    kind, colon, name = text.partition(":")
    if colon and kind in ("user", "group"):
        return kind, name  # type: ignore[return-value]
    raise typer.BadParameter(f"{text!r} is nobody; write everyone, user:NAME or group:NAME.")


def _time(text: str | None, settings: Settings) -> int | None:
    try:
        return None if text is None else parse_time(text, settings.timezone, field="time")
    except InvalidRequest as exc:
        raise typer.BadParameter(exc.message) from exc


def _length(text: str | None) -> int | None:
    if text is None:
        return None
    match = _LENGTH.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no length; write it like 24h or 366d.")
    return int(match[1]) * {"h": HOUR_MS, "d": DAY_MS}[match[2]]


def _warn_of_nothing(settings: Settings, patterns: list[str]) -> None:
    """Say which patterns fit no station of today: a typing error would not be noticed otherwise."""
    from access.grants import Grant
    from data.site import open_site

    try:
        names = [station.name for station in open_site(settings).inventory.stations()]
    except RiwayatError:
        return
    for pattern in patterns:
        if not any(Grant((pattern,)).names(name) for name in names):
            say(f"Warning: no station fits {pattern!r} yet.", err=True)


def _is_about(access: AccessStore, row: GrantRow, user: str) -> bool:
    if row.kind == "group":
        return user in access.groups().get(row.subject, ())
    return row.kind == "everyone" or row.subject == user


def _grant_json(row: GrantRow) -> dict[str, Any]:
    grant = row.grant
    return {
        "grant": row.id,
        "to": row.kind if row.kind == "everyone" else f"{row.kind}:{row.subject}",
        "stations": list(grant.stations),
        "sensors": list(grant.sensors),
        "from": iso_utc_or_none(grant.from_ms),
        "until": iso_utc_or_none(grant.to_ms),
        "longest": _length_text(grant.longest_ms),
        "finest": grant.finest,
        "export": grant.may_export,
        "embed": grant.may_embed,
        "review": grant.may_review,
        "note": row.note,
        "created": shown_time(row.created_ms),
        "created_by": row.created_by,
    }


def _length_text(length_ms: int | None) -> str | None:
    if length_ms is None:
        return None
    days, rest = divmod(length_ms, DAY_MS)
    return f"{days}d" if not rest else f"{length_ms / HOUR_MS:g}h"
