"""``analyse``: any analysis of any range, through the queue, from all readings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.loading import flags_option, load, named_options, note_export, request_of_words
from commands.opening import opened_site, quiet_settings
from commands.picture_files import PICTURES, picture_kind, refuse_without_picture, write_answer_picture
from commands.printing import AsJson, cell_text, check_new, print_table, progress_bar, say, write_new

if TYPE_CHECKING:
    from pydantic import BaseModel

    from analysis.answer import Answer
    from analysis.registry import Analysis
    from config import Settings
    from data.request import HistoryRequest
    from data.site import Site


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(analyse)


def analyse(
    name: Annotated[
        str,
        typer.Argument(
            help="summary, compare, earlier, differences, drift, calendar, distribution, scatter, cycle, wind, rain, events or "
            "quality."
        ),
    ],
    station: Annotated[list[str], typer.Option(help="Station; may be repeated.")],
    sensor: Annotated[list[str], typer.Option(help="Sensor; may be repeated.")],
    start: Annotated[str, typer.Option("--from", help="First time: 2019-03-31, or 2019-03-31 14:30, or with an offset.")],
    end: Annotated[str, typer.Option("--to", help="End; it is no longer part of the range.")],
    option: Annotated[list[str] | None, typer.Option(help="Of the analysis: key=value; may be repeated.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of days, hours and bare times; default: the stations' own, else the site's.")
    ] = None,
    flagged: Annotated[bool, typer.Option("--flagged", help="Count flagged readings, too.")] = False,
    flags: Annotated[
        str | None, typer.Option(help="Flags of quality rules that count: none, hard or all; default: hard.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write FILE.csv (the table), FILE.json (everything), or the picture: .png, .svg, .pdf or .html."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Load a history through the queue and answer a question about it: one of docs/analyses.md."""
    from access.names import LOCAL_USER

    settings = quiet_settings()
    check_new(out)
    analysis, options = _asked(name, option or [])
    picture = _picture_asked(settings, name, out)
    choice = flags_option(flags)
    with opened_site(settings) as (site, ledger):
        site = analysis.site(replace(site, flags=choice))
        request = request_of_words(site, station, sensor, start, end, "raw", timezone)
        job, answer = load(site, ledger, LOCAL_USER, request, lambda: _answer(analysis, options, site, request, flagged))
        if answer is None:
            raise typer.Exit(1)
        if out is not None:
            if picture:
                write_answer_picture(site, job, answer, out, picture)
            else:
                _write(analysis, answer, out)
            note_export(ledger, job, f"analysis {name}", out)
    if as_json:
        say(_json(answer))
    elif out is None:
        _print(analysis, answer)


def _picture_asked(settings: Settings, name: str, out: Path | None) -> str | None:
    """Return which picture --out means; None where it means a table, or nothing."""
    picture = picture_kind(settings, out)
    if picture:
        refuse_without_picture(name)
    elif out is not None and out.suffix.lower() not in (".csv", ".json"):
        raise typer.BadParameter(f"must end in .csv, .json, .{', .'.join(PICTURES)}", param_hint="--out")
    return picture


def _asked(name: str, texts: Sequence[str]) -> tuple[Analysis, BaseModel]:
    from analysis.registry import find
    from errors import InvalidRequest

    try:
        analysis = find(name)
        return analysis, analysis.options(named_options(texts))
    except InvalidRequest as exc:
        raise typer.BadParameter(exc.message) from exc


def _answer(analysis: Analysis, options: BaseModel, site: Site, request: HistoryRequest, flagged: bool) -> Answer:
    """The answer, with a bar on standard error that counts series."""
    from analysis.quality.event_decisions import with_decisions
    from analysis.question import ask

    question = ask(site, request, (request.start_ms, request.end_ms), include_flagged=flagged)
    subjects = analysis.subjects(question)
    with progress_bar(f"answering {analysis.name}", len(subjects), counted=True) as done:
        return with_decisions(analysis.answer(question, options, told=done), site.decisions)


def _json(answer: Answer) -> str:
    return json.dumps(answer.as_json(), ensure_ascii=False, allow_nan=False)


def _write(analysis: Analysis, answer: Answer, out: Path) -> None:
    from analysis.answer import as_csv

    is_json = out.suffix.lower() == ".json"
    write_new(out, _json(answer) + "\n" if is_json else as_csv(analysis.csv_table(answer)))


def _print(analysis: Analysis, answer: Answer) -> None:
    from analysis.answer import plain, with_local_times

    for subject, table in zip(answer.subjects, analysis.tables(answer), strict=True):
        say(f"{subject.station} {' + '.join(subject.sensors)}: {subject.rows:,} readings")
        facts = {key: value for key, value in plain(subject.result).items() if not isinstance(value, (list, dict))}
        if len(facts) < len(vars(subject.result)):  # else the table is all of it
            say(", ".join(f"{key} {cell_text(value)}" for key, value in facts.items() if value != ""))
        shown = with_local_times(table, answer.timezone)
        print_table(tuple(shown.header), [[plain(cell) for cell in row] for row in shown.rows])
    for method in answer.method:
        say(f"{method.name}: {method.source}", err=True)
