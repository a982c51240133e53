"""``reproduce``: an exported file made again from its manifest, or what has changed since."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from commands.loading import load
from commands.opening import opened_site, quiet_settings
from commands.printing import AsJson, check_new, say, say_json
from errors import RiwayatError

if TYPE_CHECKING:
    from data.export.manifest import Manifest
    from data.request import HistoryRequest
    from data.site import Site


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reproduce)


def reproduce(
    manifest: Annotated[Path, typer.Argument(help="What `history --manifest`, the page or the API gave: FILE.manifest.json.")],
    out: Annotated[Path | None, typer.Option(help="Also keep the file, where it is the same.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an exported file again and compare it with its manifest, byte by byte."""
    from access.names import LOCAL_USER

    check_new(out)
    settings, told = quiet_settings(), _read(manifest)
    request = told.request.request
    with opened_site(settings) as (site, ledger):
        seen = replace(site.knowing(request.sensors), floor=told.floor, flags=told.flags)
        _, made = load(site, ledger, LOCAL_USER, request, lambda: _make(seen, request, told, out))
    if made is None:
        raise typer.Exit(1)
    is_same, changes = made.file.sha256 == told.file.sha256, _changes(told, made)
    if as_json:
        say_json({"same": is_same, "sha256": made.file.sha256, "changed": changes})
    else:
        _print(told, is_same=is_same, changes=changes)
    if not is_same:
        raise typer.Exit(1)


def _read(path: Path) -> Manifest:
    from data.export.manifest import read_manifest

    try:
        return read_manifest(path)
    except OSError as exc:
        raise RiwayatError("{file} cannot be read: {why}.", file=path, why=exc.strerror or exc) from exc


def _make(site: Site, request: HistoryRequest, told: Manifest, out: Path | None) -> Manifest:
    """Make the file once more; returns its manifest. It becomes ``out`` where it is the same."""
    from data.export.file_digest import export_with_manifest, refuse_without_manifest
    from data.export.formats import suffix

    refuse_without_manifest(told.file.format)
    place = out.absolute().parent if out else None  # so that it is moved as a whole
    try:
        with TemporaryDirectory(prefix=".reproduce-", dir=place) as folder:
            draft = Path(folder) / f"file.{suffix(told.file.format)}"
            made = export_with_manifest(site, request, draft, told.file.units, with_flags=told.file.flag_column)
            if out and made.file.sha256 == told.file.sha256:
                draft.replace(out)
            return made
    except OSError as exc:
        raise RiwayatError("{file} cannot be written: {why}.", file=out or "The file", why=exc.strerror or exc) from exc


def _changes(told: Manifest, made: Manifest) -> list[str]:
    from data.export.manifest_differences import differences

    return differences(told, made)


def _print(told: Manifest, *, is_same: bool, changes: list[str]) -> None:
    file = told.file
    if is_same:
        say(f"The same {file.bytes} bytes, {file.rows} rows: {file.sha256}")
    else:
        say(f"Not the same as {file.name} ({file.rows} rows, {file.sha256}).", err=True)
    for change in changes:
        say(change, err=not is_same)
    if not is_same and not changes:
        say("Neither software nor sensors nor months have changed: the manifest is not of this site's rows.", err=True)
