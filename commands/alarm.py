"""``alarms …``: rules that look at new readings, and mails when one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from access.names import LOCAL_USER, is_reserved
from commands.opening import opened_access, opened_site, quiet_settings
from commands.printing import AsJson, say, say_json, show, some

if TYPE_CHECKING:
    from access.store import AccessStore
    from analysis.alarms import AlarmCondition
    from config import Settings

_alarms = typer.Typer(no_args_is_help=True, help="Rules that look at new readings, and mails when one holds.")
_MINUTE_MS = 60_000


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_alarms, name="alarms")


@_alarms.command()
def add(
    name: Annotated[str, typer.Argument(help="What mails call it.")],
    station: Annotated[list[str], typer.Option(help="A station, or a pattern such as 'AWS*'; may be repeated.")],
    sensor: Annotated[str, typer.Option(help="A sensor of the catalogue, or a formula.")],
    to: Annotated[list[str], typer.Option(help="A mail address; may be repeated.")],
    above: Annotated[float | None, typer.Option(help="Readings above this, in the sensor's unit.")] = None,
    below: Annotated[float | None, typer.Option(help="Readings below this.")] = None,
    change: Annotated[float | None, typer.Option(help="Readings that differ by more than this --within a time.")] = None,
    within: Annotated[float, typer.Option(help="Minutes of --change.")] = 60,
    silent: Annotated[float | None, typer.Option(help="No reading for so many minutes.")] = None,
    flagged: Annotated[bool, typer.Option("--flagged", help="Readings out of range, or that the source calls bad.")] = False,
    lasting: Annotated[float, typer.Option("--for", help="Minutes for which it must hold.")] = 0,
    hysteresis: Annotated[float, typer.Option(help="How far a value must come back.")] = 0,
    quiet: Annotated[str | None, typer.Option(help="When mails are held back, such as 22:00-06:00.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Of the quiet hours and of mails; default: the site's.")] = None,
    language: Annotated[str, typer.Option(help="Of mails: en or id.")] = "en",
    whose: Annotated[str, typer.Option("--as", help="With whose rights; needed with sign-in.")] = LOCAL_USER,
) -> None:
    """Look at new readings from now on, and send mails when the alarm fires and when it is over."""
    from access.alarm_rules.alarm_rule import AlarmWishes, add_alarm
    from access.identity import owner_identity
    from access.store import open_access
    from data.time.epoch import epoch_ms
    from i18n import LANGUAGES
    from reports.alarm_evaluation import require_alarm

    if language not in LANGUAGES:
        raise typer.BadParameter(f"there are {' and '.join(LANGUAGES)}", param_hint="--language")
    condition = _condition({"above": above, "below": below, "change": change}, silent, flagged, within, lasting, hysteresis)
    settings = quiet_settings()
    wishes = AlarmWishes(name, tuple(station), sensor, condition, tuple(to), quiet, timezone or settings.timezone, language)
    with opened_site(settings) as (site, ledger):
        store = open_access(settings, engine=ledger.engine)
        owner = _owner(settings, store, whose)
        require_alarm(site, owner_identity(settings, store, owner), wishes, epoch_ms())
        made = add_alarm(store, owner, wishes)
    say(made.id)


@_alarms.command("list")
def list_alarms(as_json: AsJson = False) -> None:
    """Show alarms, at which stations each fires, and what keeps it from being looked at."""
    from access.alarm_rules.alarm_rule import all_alarms
    from reports.told_alarms import told_alarm

    with opened_access() as (_settings, store):
        rows = [told_alarm(store.engine, each) for each in all_alarms(store.engine)]
    if as_json:
        say_json(rows)
    else:
        show([_shown(row) for row in rows], False, "There is no alarm.")


@_alarms.command()
def remove(alarm: Annotated[str, typer.Argument(help="The id that list shows.")]) -> None:
    """Remove an alarm with its history; mails that were not sent yet are not sent."""
    from access.alarm_rules.alarm_rule import remove_alarm

    with opened_access() as (_settings, store):
        remove_alarm(store, alarm)
    say(f"Removed {alarm}.", err=True)


@_alarms.command()
def test(alarm: Annotated[str, typer.Argument(help="The id that list shows.")]) -> None:
    """Send a test mail to the addresses of an alarm."""
    from access.alarm_rules.alarm_rule import find_alarm
    from reports.alarm_mails import send_test

    with opened_access() as (settings, store):
        found = find_alarm(store.engine, alarm)
        send_test(settings, found)
    say(f"Sent to {', '.join(found.wishes.recipients)}.", err=True)


@_alarms.command()
def acknowledge(
    alarm: Annotated[str, typer.Argument(help="The id that list shows.")],
    station: Annotated[str, typer.Argument(help="Where it fires.")],
    whose: Annotated[str, typer.Option("--as", help="Who has seen it.")] = LOCAL_USER,
) -> None:
    """Say that somebody has seen that an alarm fires."""
    from access.alarm_rules.alarm_rule import find_alarm
    from access.alarm_rules.alarm_states import acknowledge as acknowledge_alarm

    with opened_access() as (_settings, store):
        acknowledge_alarm(store, find_alarm(store.engine, alarm), station, whose)


@_alarms.command()
def evaluate(quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing.")] = False) -> None:
    """Look at new readings now, and send the mails that are due; the worker calls this by
    itself.
    """
    from access.store import open_access
    from data.time.epoch import epoch_ms
    from reports.alarm_evaluation import AlarmEvaluator
    from reports.alarm_mails import send_alarms

    settings = quiet_settings()
    with opened_site(settings) as (site, ledger):
        access = open_access(settings, engine=ledger.engine)
        changes = AlarmEvaluator(site, access).run(epoch_ms())
        sent = send_alarms(site, access, epoch_ms)
    if not quiet:
        say(f"{some(changes, 'change')}, {some(sent, 'mail')} sent.", err=True)


def _condition(
    limits: dict[str, float | None], silent: float | None, flagged: bool, within: float, lasting: float, hysteresis: float
) -> AlarmCondition:
    """Return the condition that the options say, of which there must be one."""
    from analysis.alarms import AlarmCondition

    given: list[tuple[str, float]] = [(kind, limit) for kind, limit in limits.items() if limit is not None]
    given += [("silent", 0.0)] if silent is not None else []
    given += [("flagged", 0.0)] if flagged else []
    if len(given) != 1:
        raise typer.BadParameter("say when it alarms: one of --above, --below, --change, --silent and --flagged")
    ((kind, limit),) = given
    minutes = silent if silent is not None else within if kind == "change" else 0
    return AlarmCondition(kind, limit, round(minutes * _MINUTE_MS), round(lasting * _MINUTE_MS), hysteresis)  # type: ignore[arg-type]


def _owner(settings: Settings, store: AccessStore, whose: str) -> str:
    """With whose rights an alarm looks; where people sign in, not with those of whoever sits at
    the machine.
    """
    if settings.auth == "none":
        return whose
    found = store.account_rights(whose)
    is_known = found.account is not None or (settings.auth == "proxy" and (found.admin or bool(found.rights.grants)))
    if is_reserved(whose) or not is_known:
        raise typer.BadParameter(f"there is no user {whose!r} to whom anything is granted", param_hint="--as")
    return whose


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the table of a told alarm."""
    states = [f"{each['station']} {each['status']} since {each['since']}" for each in row["states"]]
    names = ("id", "name", "owner", "sensor", "when")
    return {**{name: row[name] for name in names}, "states": "; ".join(states), "trouble": "; ".join(row["trouble"])}
