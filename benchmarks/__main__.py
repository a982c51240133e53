"""``python -m benchmarks [--quick] [--json] [--write PAGE]``: measure, compare with the targets,
print a table.

Every module named in :data:`SUITES` has ``measure(quick: bool) -> Iterable[Measurement]``.
Nothing is written unless asked. A suite that has a part of its own in the page is written there,
the others together.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe_machine
from benchmarks.measurement import Measurement

SUITES = ("loading", "view", "peers", "billion", "analyses", "commands", "web", "pages", "servers", "load")
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"

progress = Console(stderr=True)


def run(
    suite: Annotated[list[str] | None, typer.Option(help=f"Only this one of {', '.join(SUITES)}; may be repeated.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rows: shows that it works, proves nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    write: Annotated[Path | None, typer.Option(help="Also replace the measured part of this page.")] = None,
) -> None:
    """Measure, and compare with the targets. Exits 1 when a target is missed (not with --quick)."""
    by_suite = {name: list(_measure(name, quick)) for name in suite or SUITES}
    measurements = [one for each in by_suite.values() for one in each]
    machine = describe_machine()
    if as_json:
        print(json.dumps({"machine": machine, "quick": quick, "measurements": [one.as_json() for one in measurements]}, indent=2))
    else:
        _print_table(measurements, machine)
    if write:
        write.write_text(_written(write.read_text(encoding="utf-8"), by_suite, machine, quick), encoding="utf-8")
    if not quick and not all(one.met for one in measurements):
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
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _markdown(measurements: list[Measurement], machine: dict[str, str], quick: bool) -> str:
    lines = [f"{datetime.now(UTC):%Y-%m-%d}{', quick: fewer rows, proves nothing' if quick else ''}.", ""]
    lines += ["| machine | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in machine.items()), ""]
    lines += [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    lines += [f"| {' | '.join(_cells(one))} |" for one in measurements]
    return "\n".join(lines)


def _written(page: str, by_suite: dict[str, list[Measurement]], machine: dict[str, str], quick: bool) -> str:
    """The page with new tables: of each suite in its part, else in the part of all."""
    together: list[Measurement] = []
    for name, found in by_suite.items():
        if BEGIN.replace("bench", f"bench:{name}") in page:
            page = _replaced(page, f"bench:{name}", _markdown(found, machine, quick))
        else:
            together += found
    return _replaced(page, "bench", _markdown(together, machine, quick)) if together else page


def _replaced(page: str, part: str, text: str) -> str:
    begin, end = BEGIN.replace("bench", part), END.replace("bench", part)
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{text}\n{end}{after}"


if __name__ == "__main__":
    typer.run(run)
