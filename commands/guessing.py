"""``import --guess`` and ``import profiles``: a first profile for a file, and bundled ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from commands.printing import print_table, say, some, write_new
from config import load_settings
from escaping import visible

if TYPE_CHECKING:
    from data.ingest.file_plan import ImportOptions
    from data.ingest.guess.preview import Preview


def guess_profile(files: Sequence[Path], wishes: ImportOptions, out: Path | None) -> None:
    """Print a first profile for a file, with the rows that it would store;
    exit 1 when the file is not read with it yet.
    """
    from data.catalogue import load_catalogue
    from data.ingest.guess.preview import preview

    if len(files) != 1:
        raise typer.BadParameter("expected one FILE to look at", param_hint="--guess")
    found = preview(files[0], load_catalogue(load_settings().sensors).measured, wishes)
    rows = _rows(found)
    if out is None:
        say(found.profile + "".join(f"{f'# {visible(row)}'.rstrip()}\n" for row in ("", *rows)), nl=False)
    else:
        write_new(out, found.profile)
        say("\n".join(rows))
    if found.refused is not None:
        say(f"As it is, the profile does not read the file: {found.refused}", err=True)
        raise typer.Exit(1)


def list_profiles() -> None:
    """List the profiles that come with Riwayat, each with its first sentence."""
    from data.ingest.profile import bundled_profiles

    found = bundled_profiles()
    print_table(("profile", "for"), [(name, _first_sentence(path.read_text("utf-8"))) for name, path in found.items()])


def _first_sentence(text: str) -> str:
    opening = " ".join(line.removeprefix("#").strip() for line in text.split("\n\n")[0].splitlines())
    return opening.split(". ")[0].removesuffix(".")


def _rows(found: Preview) -> list[str]:
    if found.refused is not None:
        return [f"As it is, the file is refused: {found.refused}"]
    table = [found.header, *found.rows]
    widths = [max(len(row[at]) for row in table) for at in range(len(found.header))]
    title = f"What an import would store of the first {some(len(found.rows), 'row')}:"
    return [title, *("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table)]
