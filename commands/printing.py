"""What commands print on standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_COLUMNS = 10_000  # nothing is cut for a pipe


def output(*, markup: bool = False, soft_wrap: bool = False) -> Console:
    """Standard output: as wide as its terminal, and as wide as it takes where it is none."""
    from rich.console import Console  # here, so that --help need not wait for it

    width = None if sys.stdout.isatty() else _PIPE_COLUMNS
    return Console(markup=markup, highlight=False, soft_wrap=soft_wrap, width=width)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table without lines."""
    from rich.table import Table

    table = Table(*header, box=None)
    for row in rows:
        table.add_row(*row)
    output().print(table)
