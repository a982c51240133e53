"""How a file is laid out: its kind, columns and, for TOA5, units and station; read from its first lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from data.ingest.opening import opened
from data.ingest.receiver import columns_of, read_items
from errors import ImportRejected

_HEAD_BYTES = 1 << 20  # a header longer than this is none


@dataclass(frozen=True)
class Layout:
    """``columns`` in the file's order; ``header_lines`` come before the first row; ``units`` by column, as written."""

    path: Path
    kind: Literal["csv", "toa5", "parquet", "json"]
    columns: tuple[str, ...]
    header_lines: int = 0
    units: Mapping[str, str] = field(default_factory=dict)
    station_name: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"

    @property
    def place(self) -> str:
        """What a row's number is called: lines of text, rows of Parquet, items of JSON."""
        return {"parquet": "row", "json": "item"}.get(self.kind, "line")


def read_layout(path: Path, *, delimiter: str = ",", encoding: str = "utf-8", skip_rows: int = 0) -> Layout:
    """Read the first lines of a file.

    Raises:
        ImportRejected: when the file is missing, empty, or none of CSV, TOA5, Parquet and receiver JSON.
    """
    with opened(path) as file:
        head = file.stream.read(_HEAD_BYTES)
    if head.startswith(b"PAR1"):
        return Layout(path, "parquet", _parquet_columns(path))
    if not head.strip():
        raise ImportRejected("{file} is empty; expected a header line and rows.", file=path)
    if head.lstrip().startswith((b"{", b"[")):
        return Layout(path, "json", columns_of(read_items(path)))
    if b"\0" in head[:4096] and not encoding.lower().startswith("utf-16"):
        raise ImportRejected("{file} is not text; expected CSV, Campbell TOA5 or Parquet.", file=path)
    try:
        text = head.decode("utf-8-sig" if encoding.lower() in {"utf-8", "utf8"} else encoding)
    except UnicodeDecodeError as exc:
        if exc.start < len(head) - 4:  # else only the last character is cut
            raise ImportRejected(
                "{file}: byte {position} is not {encoding} text; set encoding in the import profile.",
                file=path,
                position=exc.start,
                encoding=encoding,
            ) from exc
        text = head[: exc.start].decode(encoding)
    if text.lstrip().startswith(('"TOA5"', "TOA5,")):
        return _toa5(path, text, encoding)
    lines = text.splitlines()[skip_rows:]
    if not lines:
        raise ImportRejected("{file} has no line {line}; expected the header there.", file=path, line=skip_rows + 1)
    try:
        columns = tuple(name.strip() for name in next(csv.reader([lines[0]], delimiter=delimiter), []))
    except csv.Error as exc:
        raise ImportRejected(
            "{file}, line {line}: no header ({why}); expected names of columns, and ends of lines.",
            file=path,
            line=skip_rows + 1,
            why=exc,
        ) from exc
    return Layout(path, "csv", columns, skip_rows + 1, delimiter=delimiter, encoding=encoding)


def _toa5(path: Path, text: str, encoding: str) -> Layout:
    """Campbell's table of ASCII, version 5: environment, names, units and processing, then rows."""
    try:
        rows = [row for _, row in zip(range(4), csv.reader(io.StringIO(text)), strict=False)]
    except csv.Error:
        rows = []
    if len(rows) < 4 or len(rows[2]) != len(rows[1]) or len(rows[1]) < 2:
        raise ImportRejected(
            "{file}, lines 1 to 4: not a TOA5 header; expected environment, names, units and processing, of equal length.",
            file=path,
        )
    columns = tuple(name.strip() for name in rows[1])
    units = {name: unit.strip() for name, unit in zip(columns, rows[2], strict=True)}
    station = rows[0][1].strip() if len(rows[0]) > 1 else ""
    return Layout(path, "toa5", columns, 4, units, station or None, encoding=encoding)


def _parquet_columns(path: Path) -> tuple[str, ...]:
    try:
        return tuple(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as exc:
        raise ImportRejected("{file} is damaged Parquet: {why}.", file=path, why=exc) from exc
