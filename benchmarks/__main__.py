"""``python -m benchmarks [--quick] [--json] [--write PAGE] [--guard]``: measure, compare with the
targets, or with what is committed, print a table.

Every module named in :data:`SUITES` has ``measure(quick: bool) -> Iterable[Measurement]``.
Nothing is written unless asked; each suite is written into its own part of the page.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import guard, guarded
from benchmarks.machine import describe_machine, measured_on
from benchmarks.measurement import Measurement

SUITES = ("loading", "importing", "view", "peers", "billion", "analyses", "commands", "web", "pages", "servers", "load")
BEGIN, END = "<!-- bench:{}:begin -->", "<!-- bench:{}:end -->"

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"

progress = Console(stderr=True)


def run(
    suite: Annotated[list[str] | None, typer.Option(help=f"Only this one of {', '.join(SUITES)}; may be repeated.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rows: shows that it works, proves nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    write: Annotated[Path | None, typer.Option(help="Also replace the measured part of this page.")] = None,
    guarding: Annotated[bool, typer.Option("--guard", help="Only ratios, against those of docs/performance.md.")] = False,
) -> None:
    """Measure, and compare with the targets. Exits 1 when a target is missed (not with --quick), or
    a guarded ratio is a fifth worse than what is committed (unless it is written).
    """
    if guarding:
        _guard(write)
        return
    machine = describe_machine()
    by_suite = {name: list(_measure(name, quick)) for name in suite or SUITES}
    measurements = [one for each in by_suite.values() for one in each]
    if as_json:
        print(json.dumps({"machine": machine, "quick": quick, "measurements": [one.as_json() for one in measurements]}, indent=2))
    else:
        _print_table(measurements, machine)
    if write:
        for name, found in by_suite.items():
            _write_part(write, name, _markdown(found, machine, quick))
    if not quick and not all(one.met for one in measurements):
        raise typer.Exit(1)


def _guard(write: Path | None) -> None:
    """Compare ratios with those of the page, or write them there."""
    page = (write or PAGE).read_text(encoding="utf-8")
    committed, machine, found = guard.committed_in(_part(page, "guard")), describe_machine(), []
    for one in guard.measured(guarded.pairs(), committed):
        progress.print(f"[dim]  {one.what}: {one.ratio:.3g} × ({one.note})[/]")
        found.append(one)
    verdicts = guard.judge(found, committed)
    _printer().print(guard.shown(verdicts))
    if write:
        _write_part(write, "guard", guard.written(found, measured_on(machine)))
    elif not all(one.holds for one in verdicts):
        raise typer.Exit(1)


def _measure(name: str, quick: bool) -> Iterator[Measurement]:
    if name not in SUITES:
        raise typer.BadParameter(f"there is no suite {name}; there are {', '.join(SUITES)}")
    progress.print(f"[dim]measuring {name} …[/]")
    for one in importlib.import_module(f"benchmarks.{name}").measure(quick=quick):
        progress.print(f"[dim]  {one.what}: {shown(one)}[/]")
        yield one


def shown(one: Measurement) -> str:
    """The measured value with three significant digits and its unit."""
    value = f"{one.measured:.3g}" if abs(one.measured) < 1000 else f"{one.measured:,.0f}".replace(",", "\u202f")
    return f"{value} {one.unit}"


def _cells(one: Measurement) -> tuple[str, str, str, str, str, str]:
    ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
    return one.what, one.target, shown(one), ratio, "met" if one.met else "MISSED", one.note


HEADINGS = ("what", "target", "measured", "of the target", "verdict", "note")


def _print_table(measurements: list[Measurement], machine: dict[str, str]) -> None:
    table = Table(*HEADINGS, title=f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}")
    for one in measurements:
        table.add_row(*_cells(one), style=None if one.met else "red")
    _printer().print(table)


def _printer() -> Console:
    return Console(width=None if sys.stdout.isatty() else 160)


def _markdown(measurements: list[Measurement], machine: dict[str, str], quick: bool) -> str:
    lines = ["Quick: fewer rows, proves nothing."] if quick else []
    lines += [measured_on(machine), "", f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    lines += [f"| {' | '.join(_cells(one))} |" for one in measurements]
    return "\n".join(lines)


def _write_part(page: Path, part: str, text: str) -> None:
    page.write_text(replaced(page.read_text(encoding="utf-8"), part, text), encoding="utf-8")


def replaced(page: str, part: str, text: str) -> str:
    """The page with another text in one part; raises BadParameter when it has no place for it."""
    before, _, after = _around(page, part)
    return f"{before}\n{text}\n{after}"


def _part(page: str, part: str) -> str:
    return _around(page, part)[1]


def _around(page: str, part: str) -> tuple[str, str, str]:
    """What stands before a part's text (with its mark), the text, and what stands after it."""
    begin, end = BEGIN.format(part), END.format(part)
    if page.count(begin) != 1 or page.count(end) != 1:
        raise typer.BadParameter(f"the page has no place for {part}: write {begin} and {end} into it, once each")
    before, rest = page.split(begin)
    text, after = rest.split(end)
    return before + begin, text, end + after


program = typer.Typer(add_completion=False)
program.command()(run)

if __name__ == "__main__":
    program()
