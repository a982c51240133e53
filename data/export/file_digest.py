"""Files and the digest of their bytes: the manifest of one that is being made, or was written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from data.export.flag_column import has_flag_column
from data.export.formats import NETCDF, STREAMS, check_format, export_file, export_tag, format_of
from data.export.manifest import FileRecord, Manifest, manifest_of
from data.file_columns import Units
from data.request import HistoryRequest
from data.site import Site
from errors import InvalidRequest, RowsChanged

_WITH_MANIFEST: Final = (*STREAMS, NETCDF)
_PIECE_BYTES: Final = 1 << 20


def digested(
    pieces: Iterable[bytes],
    site: Site,
    request: HistoryRequest,
    name: str,
    kind: str,
    units: Units,
    rows: Callable[[], int],
    *,
    tag: str,
    with_flags: bool = False,
) -> Iterator[bytes]:
    """Yield the manifest of a file as JSON, given its bytes; before it a space for each of the
    pieces, so that who waits sees that it goes on. ``rows`` is asked after the last one;
    ``tag`` is the :func:`manifest_tag` from before the file was begun; ``with_flags``: a column of
    them is asked for.

    Raises:
        RowsChanged: the rows changed meanwhile, so that nobody can say what the file is made of.
    """
    digest, length = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        length += len(piece)
        yield b" "
    told = {"name": name, "format": kind, "units": units, "flag_column": has_flag_column(kind, request, asked=with_flags)}
    file = FileRecord(**told, bytes=length, rows=rows(), sha256=digest.hexdigest())
    made = manifest_of(site, request, file)
    if manifest_tag(site, request, kind, units, with_flags=with_flags) != tag:
        raise RowsChanged
    yield made.to_json().encode()


def export_with_manifest(site: Site, request: HistoryRequest, path: Path, units: Units, *, with_flags: bool = False) -> Manifest:
    """Write a file as :func:`export_file` does; returns its manifest.

    Raises:
        InvalidRequest, TooLarge, OSError: as :func:`export_file`.
        RowsChanged: as :func:`digested`; the file is there.
    """
    kind = format_of(path)
    units = units_of(kind, units)
    tag = manifest_tag(site, request, kind, units, with_flags=with_flags)
    rows = export_file(site, request, path, units=units, with_flags=with_flags)
    pieces, what = file_pieces(path), (path.name, kind, units)
    *_, text = digested(pieces, site, request, *what, lambda: rows, tag=tag, with_flags=with_flags)
    return Manifest.model_validate_json(text)


def file_pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def refuse_without_manifest(kind: str) -> None:
    """Raise InvalidRequest where files of a format are never the same bytes twice, or there is
    none.
    """
    check_format(kind)
    if kind not in _WITH_MANIFEST:
        raise InvalidRequest(
            "There is no manifest of {format}, which says when it was made. Choose one of {known}.",
            field="format",
            format=kind,
            known=", ".join(_WITH_MANIFEST),
        )


def units_of(kind: str, units: Units) -> Units:
    """Return where a file of a format names units: a choice of CSV alone."""
    return units if kind == "csv" else "none"


def manifest_tag(site: Site, request: HistoryRequest, kind: str, units: Units, *, with_flags: bool = False) -> str:
    """Return the tag of the file of a whole request (:func:`export_tag`), and of what is noted."""
    tag = export_tag(site, request, request.start_ms, request.end_ms, kind, units, with_flags)
    if not site.notes:
        return tag
    return f"{tag}-{hashlib.sha256(repr(site.notes).encode('utf-8', 'backslashreplace')).hexdigest()[:16]}"
