"""``quality …``: flags of rules, their events, and decisions of people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from access.names import LOCAL_USER
from commands.analyse import analyse
from commands.loading import load, request_of_words
from commands.opening import opened_site, quiet_settings
from commands.printing import AsJson, say, say_json, show, write_new
from data.request import parse_time
from errors import ConfigurationError, InvalidRequest

if TYPE_CHECKING:
    from access.decisions.made_decision import MadeDecision
    from data.request import HistoryRequest
    from data.site import Site
    from jobs.decision_job import Decided, Reviewing

_quality = typer.Typer(no_args_is_help=True, help="Flags of quality rules, their events, and what people decided about readings.")
_Owner = Annotated[str, typer.Option("--as", help="The user who decides; default: that of a site without sign-in.")]
_Stations = Annotated[list[str], typer.Option("--station", help="Station; may be repeated.")]
_Sensors = Annotated[list[str], typer.Option("--sensor", help="Sensor; may be repeated.")]
_Start = Annotated[str, typer.Option("--from", help="First time: 2019-03-31, or 2019-03-31 14:30, or with an offset.")]
_End = Annotated[str, typer.Option("--to", help="End; it is no longer part of the range.")]
_Zone = Annotated[str | None, typer.Option(help="Zone of bare times; default: the stations' own, else the site's.")]
_File = Annotated[Path, typer.Argument(help="FILE.toml or FILE.csv.")]
_COLUMNS = (
    "number",
    "station",
    "sensor",
    "kind",
    "from",
    "to",
    "rule",
    "amount",
    "filled_from",
    "reason",
    "made_by",
    "undone_by",
)
_LIMIT_COLUMNS = ("name", "value", "origin", "catalogue", "made_by", "made")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_quality, name="quality")


@contextmanager
def _reviewing(owner: str) -> Iterator[Reviewing]:
    from access.identity import owner_identity
    from access.store import open_access
    from jobs.decision_job import Reviewing
    from jobs.worker.wake import make_wake

    settings = quiet_settings()
    with opened_site(settings) as (site, ledger):
        access = open_access(settings, engine=ledger.engine)
        identity = owner_identity(settings, access, owner)
        site = replace(site, decisions=access.decisions, limits=access.limits)  # which hear of what is changed here
        yield Reviewing(site, ledger, access, identity, make_wake(settings, ledger))


@_quality.command()
def run(station: _Stations, sensor: _Sensors, start: _Start, end: _End, timezone: _Zone = None, as_json: AsJson = False) -> None:
    """Load a history through the queue, and make the flags that it lacks.

    Those of rules, and what people decided. Prints how many readings were measured, and how many
    count with --flags none, hard and all.
    """
    settings = quiet_settings()
    with opened_site(settings) as (site, ledger):
        request = request_of_words(site, station, sensor, start, end, "raw", timezone)
        _, found = load(site, ledger, LOCAL_USER, request, lambda: _counted(site, request))
    if found is None:
        raise typer.Exit(1)
    show(found, as_json)


@_quality.command()
def events(
    station: _Stations,
    sensor: _Sensors,
    start: _Start,
    end: _End,
    option: Annotated[list[str] | None, typer.Option(help="severity=hard; else all events.")] = None,
    timezone: _Zone = None,
    out: Annotated[Path | None, typer.Option(help="Write FILE.csv (the table) or FILE.json (everything).")] = None,
    as_json: AsJson = False,
) -> None:
    """What the rules find in a history, as `analyse quality`."""
    analyse("quality", station, sensor, start, end, option, timezone, out=out, as_json=as_json)


@_quality.command("decide")
def make_decision(
    kind: Annotated[str, typer.Argument(help="right, wrong, suspect, offset, factor, shift, delete or fill.")],
    station: Annotated[str, typer.Option(help="Station.")],
    sensor: Annotated[str, typer.Option(help="Sensor; a measured one.")],
    start: Annotated[str, typer.Option("--from", help="First stamp that it is about: 2019-03-31 14:30, or with an offset.")],
    end: Annotated[str, typer.Option("--to", help="Last stamp that it is about; it is part of it.")],
    rule: Annotated[str | None, typer.Option(help="Of whose flags it decides; default: of all.")] = None,
    amount: Annotated[
        float | None, typer.Option(help="Added in the sensor's unit (offset), multiplied by (factor), or ms of a shift.")
    ] = None,
    fill_station: Annotated[str | None, typer.Option(help="Station of the series that fills in; default: the same.")] = None,
    fill_sensor: Annotated[str | None, typer.Option(help="Sensor of the series that fills in.")] = None,
    reason: Annotated[str, typer.Option(help="Why; a correction needs it.")] = "",
    timezone: _Zone = None,
    owner: _Owner = LOCAL_USER,
    as_json: AsJson = False,
) -> None:
    """Decide about readings of a series, and start the load that applies it.

    Nothing that was measured changes. docs/quality.md says what each kind is.
    """
    from data.decision import Decision

    filled_from = None if fill_sensor is None else (fill_station or station, fill_sensor)
    if fill_station is not None and fill_sensor is None:
        raise typer.BadParameter("needs --fill-sensor", param_hint="--fill-station")
    with _reviewing(owner) as reviewing:
        zone = timezone or reviewing.site.catalogue.zone_of([station], reviewing.site.settings.timezone)
        start_ms, end_ms = _time(start, zone, "--from"), _time(end, zone, "--to")
        draft = Decision(0, station, sensor, kind, start_ms, end_ms, rule, amount, filled_from)  # type: ignore[arg-type]
        _tell(reviewing.decide(draft, reason), "made", as_json)


@_quality.command("undo")
def undo_decision(
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER…", help="Numbers of decisions, as the list gives them.")],
    owner: _Owner = LOCAL_USER,
    as_json: AsJson = False,
) -> None:
    """Undo decisions, and start the loads that apply it."""
    with _reviewing(owner) as reviewing:
        for number in numbers:
            _tell(reviewing.undo(number), "undone", as_json)


@_quality.command("list")
def list_decisions(
    station: Annotated[list[str] | None, typer.Option(help="Only of this station; may be repeated.")] = None,
    sensor: Annotated[list[str] | None, typer.Option(help="Only of this sensor; may be repeated.")] = None,
    undone: Annotated[bool, typer.Option("--undone", help="Also those that are undone.")] = False,
    owner: _Owner = LOCAL_USER,
    as_json: AsJson = False,
) -> None:
    """Decisions, in the order in which they count."""
    from access.decisions.made_decision import decision_json

    found = _listed(owner, station, sensor, None if undone else False)
    show([decision_json(one) for one in found], as_json, "There is no decision.", _COLUMNS)


@_quality.command("export")
def export_decisions(
    file: _File,
    station: Annotated[list[str] | None, typer.Option(help="Only of this station; may be repeated.")] = None,
    sensor: Annotated[list[str] | None, typer.Option(help="Only of this sensor; may be repeated.")] = None,
    owner: _Owner = LOCAL_USER,
) -> None:
    """Write decisions to a new file, undone ones too, for another site or to keep."""
    from access.decisions.decision_text import decisions_csv, decisions_toml

    text = {".toml": decisions_toml, ".csv": decisions_csv}[_ending(file)]
    write_new(file, text(_listed(owner, station, sensor, None)))


@_quality.command("import")
def import_file(file: _File, owner: _Owner = LOCAL_USER, as_json: AsJson = False) -> None:
    """Keep the decisions of a file, with their authors and times.

    They come after those that are there, in their order. What is there already is left alone. Of a
    file with a wrong line nothing is kept.
    """
    from access.decisions.decision_import import import_decisions
    from access.decisions.decision_reading import read_csv, read_toml

    read = {".toml": read_toml, ".csv": read_csv}[_ending(file)]
    found = read(_text(file))
    with _reviewing(owner) as reviewing:
        done = import_decisions(reviewing.access, reviewing.site, reviewing.identity, found, file.name)
    if as_json:
        say_json(vars(done))
    say(f"Decisions: {done.made} new, {done.undone} undone, {done.known} known already.", err=True)
    if done.made or done.undone:
        say("They count as soon as their months are loaded again; `quality run` does it.", err=True)


@_quality.command()
def limits(
    sensor: Annotated[str, typer.Option(help="Sensor; a measured one.")],
    station: Annotated[str | None, typer.Option(help="Station; default: the sensor at all stations.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE as the catalogue has it, or NAME=off; may be repeated.")
    ] = None,
    reset: Annotated[list[str] | None, typer.Option(help="Name of a limit to give back; may be repeated.")] = None,
    owner: _Owner = LOCAL_USER,
    as_json: AsJson = False,
) -> None:
    """Limits of the rules for a series, and where each comes from; set them, or give them back.

    Flags by other limits are made by the load that is started, or by the next one.
    """
    from access.limits.limit_changes import LimitChange
    from access.limits.limit_list import limits_json, series_limits
    from jobs.limit_job import change_and_load

    given = dict(_limit(each) for each in change or ())
    with _reviewing(owner) as reviewing:
        if given or reset:
            done = change_and_load(reviewing, LimitChange(station, sensor, given, tuple(reset or ())))
            made = f"job {done.job.id} makes their flags" if done.job else "the next load of each month makes its flags"
            say(f"Limits are changed; {made}.", err=True)
        found = limits_json(series_limits(reviewing.access, reviewing.site, reviewing.identity, station, sensor))
    if as_json:
        say_json(found)
    else:
        rows = [one | {name: json.dumps(one[name]) for name in ("value", "catalogue")} for one in found["limits"]]
        show(rows, as_json=False, header=_LIMIT_COLUMNS)


def _limit(text: str) -> tuple[str, Any]:
    name, given, value = text.partition("=")
    if not given:
        raise typer.BadParameter("must be NAME=VALUE", param_hint="--set")
    try:
        return name.strip(), None if value.strip() == "off" else json.loads(value)
    except ValueError as exc:
        raise typer.BadParameter("the value must be a number or a list such as [[60, 8]]", param_hint="--set") from exc


def _counted(site: Site, request: HistoryRequest) -> list[dict[str, Any]]:
    """Return of each series of a request how many readings were measured, and how many count with
    each choice of flags.
    """
    from commands.history import summaries
    from data.flag_choice import FLAG_CHOICES

    found = {flags: summaries(replace(site, flags=flags), request) for flags in FLAG_CHOICES}
    return [
        {name: one[name] for name in ("station", "sensor", "rows")}
        | {flags: found[flags][place]["rows"] - found[flags][place]["flagged"] for flags in FLAG_CHOICES}
        for place, one in enumerate(found["none"])
    ]


def _listed(owner: str, stations: list[str] | None, sensors: list[str] | None, undone: bool | None) -> list[MadeDecision]:
    from access.decisions.decision_list import DecisionFilter, visible_decisions

    wanted = DecisionFilter(tuple(stations or ()), tuple(sensors or ()), undone=undone)
    with _reviewing(owner) as reviewing:
        return visible_decisions(reviewing.access, reviewing.identity.rights, wanted)


def _tell(decided: Decided, what: str, as_json: bool) -> None:
    from access.decisions.made_decision import decision_json

    job = decided.job and decided.job.id
    if as_json:
        say_json(decision_json(decided.made) | {"job": job})
    else:
        say(str(decided.made.decision.number))
    applies = f"job {job} applies it" if job else "the next load of its months applies it"
    say(f"Decision {decided.made.decision.number} is {what}; {applies}.", err=True)


def _time(text: str, zone: str, option: str) -> int:
    try:
        return parse_time(text, zone, field=option)
    except InvalidRequest as exc:
        raise typer.BadParameter(exc.message, param_hint=option) from exc


def _ending(file: Path) -> str:
    ending = file.suffix.lower()
    if ending not in (".toml", ".csv"):
        raise typer.BadParameter("must end in .toml or .csv", param_hint="FILE")
    return ending


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as exc:
        raise ConfigurationError("{file} cannot be read: {why}.", file=file, why=exc.strerror or exc) from exc
    except UnicodeDecodeError as exc:
        raise ConfigurationError("{file} cannot be read: {why}.", file=file, why="it is not UTF-8") from exc
