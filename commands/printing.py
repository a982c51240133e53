"""What commands print: lines, tables and JSON on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.time.months import iso_utc_or_none
from errors import ConfigurationError
from escaping import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="For a machine: JSON on standard output, nothing else.")]

_PIPE_COLUMNS = 10_000  # nothing is cut for a pipe


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print a line, of names nothing that a terminal would obey. JSON stays the same data."""
    typer.echo(visible(text, keep="\n\t"), err=err, nl=nl)


def some(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: 1 row, 2 rows, 2 batches."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def console(*, err: bool = False, **options: Any) -> Console:
    """A console of rich that shows names instead of obeying them;
    without ``markup`` it takes nothing of them for a style.
    """
    from rich.console import Console  # here, so that --help need not wait for it
    from rich.text import Text

    class Shown(Console):
        def render_str(self, text: str, **more: Any) -> Text:
            return super().render_str(visible(text, keep="\n\t"), **more)

    return Shown(stderr=err, **options)


def output(*, markup: bool = False, soft_wrap: bool = False) -> Console:
    """Standard output: as wide as its terminal, and as wide as it takes where it is none."""
    width = None if sys.stdout.isatty() else _PIPE_COLUMNS
    return console(markup=markup, highlight=False, soft_wrap=soft_wrap, width=width)


def shown_time(time_ms: int | None) -> str | None:
    """Return a time (int ms UTC) to the second, as ISO 8601 in UTC; None where there is none."""
    return iso_utc_or_none(time_ms and time_ms // 1000 * 1000)


def say_json(value: Any) -> None:
    """Print a value as a line of JSON on standard output."""
    say(json.dumps(value, ensure_ascii=False))


def show(rows: Sequence[Mapping[str, Any]], as_json: bool, nothing: str = "", header: Sequence[str] = ()) -> None:
    """Rows as JSON, or as a table of some of their fields (default: all).

    ``nothing`` is said where there is none.
    """
    if as_json:
        say_json(rows)
    elif rows:
        print_table(header or list(rows[0]), [[row.get(name) for name in header or rows[0]] for row in rows])
    else:
        say(nothing, err=True)


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table without lines, numbers on the right."""
    output().print(table_of(header, rows))


def table_of(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Return a table of rich without lines, numbers on the right."""
    from rich.table import Table

    table = Table(box=None)
    for place, name in enumerate(header):
        numeric = all(isinstance(row[place], int | float) and not isinstance(row[place], bool) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric and rows else "left")
    for row in rows:
        table.add_row(*map(cell_text, row))
    return table


def cell_text(value: object) -> str:
    """Return a value as a cell of a table shows it; floats with six digits."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return " ".join(f"{name}={','.join(each) if isinstance(each, list) else each}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


@contextmanager
def progress_bar(what: str, total: float = 1.0, *, counted: bool = False) -> Iterator[Callable[..., None]]:
    """A bar on standard error, where that is a terminal.

    Call what it yields with how much is done, and with other words for it where they change.
    ``counted`` shows how many of the total are done, not which share.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    errors = console(err=True)
    share = MofNCompleteColumn() if counted else TaskProgressColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), share, TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done, words=what: progress.update(task, completed=done, description=words)


def check_new(out: Path | None) -> None:
    """Raise BadParameter where a file that a command would write is there already."""
    if out is not None and out.exists():
        raise typer.BadParameter(f"{out} is there already", param_hint="--out")


def write_new(out: Path, text: str) -> None:
    """Write a file that must not be there yet, and say so."""
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        raise ConfigurationError("{file} cannot be written: {why}.", file=out, why=exc.strerror or exc) from exc
    say(f"Wrote {out}.", err=True)
