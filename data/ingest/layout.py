"""How a file is laid out: its kind, columns and, for TOA5, units and station;
read from its first lines.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from data.ingest.campbell import tob
from data.ingest.campbell.tob_values import TobError
from data.ingest.opening import opened
from data.ingest.receiver_json import columns_of, read_items
from data.ingest.text.header import HeaderNames, NoHeader, read_header
from data.ingest.text.layout_keys import TextKeys
from errors import ImportRejected

_HEAD_BYTES = 1 << 18  # a header that ends later is none
_ANNOTATIONS = ("#group,", "#datatype,", "#default,")  # of InfluxDB's tables, several in a file


@dataclass(frozen=True)
class Layout:
    """``columns`` in the file's order; ``header_lines`` come before the first row;
    ``units`` by column, as written.

    A part of a file that begins with a header of its own is laid out so, too;
    ``offset`` lines come before it.
    """

    path: Path
    kind: Literal["csv", "toa5", "tob", "parquet", "json"]
    columns: tuple[str, ...]
    header_lines: int = 0
    units: Mapping[str, str] = field(default_factory=dict)
    station_name: str | None = None
    keys: TextKeys = field(default_factory=TextKeys)
    offset: int = 0

    @property
    def place(self) -> str:
        """Return what a row's number counts: lines of text, rows of Parquet, items, records."""
        return {"parquet": "row", "json": "item", "tob": "record"}.get(self.kind, "line")

    @property
    def is_text(self) -> bool:
        """Return whether rows are lines of text."""
        return self.kind in {"csv", "toa5"}

    @property
    def header_line(self) -> int:
        """The line that names the columns."""
        return self.offset + max(self.header_lines - (2 if self.kind == "toa5" else int(self.keys.units_row)), 1)

    @property
    def units_line(self) -> int:
        """The line that gives the units, where one does."""
        return self.offset + max(self.header_lines - (1 if self.kind == "toa5" else 0), 1)


def read_layout(path: Path, keys: TextKeys | None = None, names: HeaderNames | None = None) -> Layout:
    """Read the first lines of a file.

    Args:
        path: the file.
        keys: how text is laid out; the default is a header in the first line, and commas.
        names: what a header names.

    Raises:
        ImportRejected: when the file is missing, empty, or none of CSV, TOA5, TOB1 to TOB3,
            Parquet and receiver JSON.
    """
    keys = keys or TextKeys()
    with opened(path) as file:
        head = file.stream.read(_HEAD_BYTES)
    if not head.strip():
        raise ImportRejected("{file} is empty; expected a header line and rows.", file=path)
    known = _known_by_first_bytes(path, head)
    if known is not None:
        return known
    if b"\0" in head[:4096] and not keys.encoding.lower().startswith(("utf-16", "utf-32", "utf16", "utf32")):
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ImportRejected('{file} is UTF-16 text; write encoding = "utf-16" in the import profile.', file=path)
        raise ImportRejected("{file} is not text; expected CSV, Campbell TOA5, TOB1 to TOB3, or Parquet.", file=path)
    text = _decoded(path, head, keys.encoding).replace("\r\r\n", "\n")
    text = text if "\n" in text else text.replace("\r", "\n")
    return text_layout(path, text, keys, names or HeaderNames())


def text_layout(path: Path, text: str, keys: TextKeys, names: HeaderNames, offset: int = 0) -> Layout:
    """The layout of a file of text, or of a part of one, by its first lines.

    Raises:
        ImportRejected: when there is no header where one should be.
    """
    if keys.comment is None and text.startswith(_ANNOTATIONS):
        keys = keys.model_copy(update={"comment": "#"})
    try:
        header = read_header(text, keys, names)
    except NoHeader as exc:
        if str(exc) == "toa5":
            raise ImportRejected(
                "{file}, lines {line} to {last}: not a TOA5 header; expected environment, names, units and processing, of equal "
                "length.",
                file=path,
                line=offset + 1,
                last=offset + 4,
            ) from exc
        if str(exc) == "header":
            raise ImportRejected(
                "{file}: no line names the columns {columns} and one to read; the delimiter is "
                "{delimiter}. The import profile looks for its header by itself (skip_rows = "
                '"header").',
                file=path,
                columns=", ".join(names.time),
                delimiter=repr(keys.delimiter),
            ) from exc
        raise ImportRejected(
            "{file}, line {line}: no header ({why}); expected names of columns, and ends of lines.",
            file=path,
            line=offset + exc.line,
            why=exc,
        ) from exc
    kind: Literal["toa5", "csv"] = "toa5" if header.toa5 else "csv"
    if header.toa5:
        keys = keys.model_copy(update={"delimiter": ","})
    return Layout(path, kind, header.columns, header.lines, header.units, header.station_name, keys, offset)


def _decoded(path: Path, head: bytes, encoding: str) -> str:
    lenient = "utf-8-sig" if encoding.lower() in {"utf-8", "utf8"} else encoding
    try:
        return head.decode(lenient).removeprefix("\ufeff")  # utf-16-le leaves the byte order mark
    except UnicodeDecodeError as exc:
        if exc.start >= len(head) - 4:  # only the last character is cut
            return head[: exc.start].decode(lenient)
        raise ImportRejected(
            "{file}: byte {position} is not {encoding} text; set encoding in the import profile.",
            file=path,
            position=exc.start,
            encoding=encoding,
        ) from exc


def _known_by_first_bytes(path: Path, head: bytes) -> Layout | None:
    """The layout of Parquet, TOB and JSON, which say what they are."""
    if head.startswith(b"PAR1"):
        return Layout(path, "parquet", _parquet_columns(path))
    if tob.is_tob(head):
        return _tob(path)
    if head.lstrip().startswith((b"{", b"[")):
        return Layout(path, "json", columns_of(read_items(path)))
    return None


def _tob(path: Path) -> Layout:
    """Campbell's binary tables: columns, units and station as TOA5 has them."""
    with opened(path) as file:
        try:
            header = tob.read_header(file.stream)
        except TobError as exc:
            raise ImportRejected(
                "{file} is not the kind of TOB file that its first line says: {why}.", file=path, why=exc
            ) from exc
    units = dict(zip(header.names, header.units, strict=True))
    return Layout(path, "tob", header.columns, tob.KINDS[header.kind], units, header.station or None)


def _parquet_columns(path: Path) -> tuple[str, ...]:
    try:
        return tuple(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as exc:
        raise ImportRejected("{file} is damaged Parquet: {why}.", file=path, why=exc) from exc
