"""What the commands about users, groups, grants, keys, embedded charts and the audit log have in common."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.printing import print_table

if TYPE_CHECKING:
    from access.store import AccessStore
    from config import Settings


AsJson = Annotated[bool, typer.Option("--json", help="For a machine: JSON on standard output, nothing else.")]


@contextmanager
def opened() -> Iterator[tuple[Settings, AccessStore]]:
    """Settings and store of the site; what a driver says becomes a sentence.

    Raises:
        SourceUnavailable, SourceMismatch: the database does not answer, or was never migrated.
    """
    from access.store import open_access
    from config import load_settings
    from data.engine import explained

    settings = load_settings()
    access = open_access(settings)
    try:
        with explained(access.engine):
            yield settings, access
    finally:
        access.engine.dispose()


def show(rows: Sequence[Mapping[str, Any]], header: Sequence[str], as_json: bool, nothing: str) -> None:
    """Rows as JSON, or as a table of some of their fields; ``nothing`` is said where there is none."""
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif rows:
        print_table([name.replace("_", " ") for name in header], [[_text(row[name]) for name in header] for row in rows])
    else:
        typer.echo(nothing, err=True)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
