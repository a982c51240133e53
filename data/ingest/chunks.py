"""Rows of a file, some ten thousand at a time, in constant memory.

Columns are text (CSV, TOA5, JSON) or as stored (Parquet, TOB).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.ingest.campbell import tob
from data.ingest.campbell.tob_values import TobError
from data.ingest.layout import Layout
from data.ingest.opening import opened
from data.ingest.receiver_json import read_items
from data.ingest.text.header import HeaderNames
from data.ingest.text.sections import Chunk, ReportFraction, Section
from data.ingest.text.text_rows import text_sections
from errors import ImportRejected

_PARQUET_ROWS = 50_000


def read_sections(layout: Layout, names: HeaderNames, report: ReportFraction = lambda _: None) -> Iterator[Section]:
    """The parts of a file, in order; each is to be read to its end before the next.
    Only text has more than one.

    Raises:
        ImportRejected: when the file is damaged, with file and place.
    """
    if layout.is_text:
        yield from text_sections(layout, names, report)
        return
    read = {"parquet": _parquet, "json": _json, "tob": _tob}[layout.kind]
    yield Section(layout, lambda wanted: read(layout, wanted, report))


def read_chunks(layout: Layout, wanted: Sequence[str], report: ReportFraction = lambda _: None) -> Iterator[Chunk]:
    """Yield all rows of a file that has one header, in order; only the ``wanted`` columns.

    Raises:
        ImportRejected: when the file is damaged, with file and place.
    """
    for section in read_sections(layout, HeaderNames(), report):
        yield from section.read(wanted)


def _parquet(layout: Layout, wanted: Sequence[str], report: ReportFraction) -> Iterator[Chunk]:
    try:
        with pq.ParquetFile(layout.path) as file:
            total, done = max(1, file.metadata.num_rows), 0
            for batch in file.iter_batches(_PARQUET_ROWS, columns=list(wanted)):
                lines = np.arange(done + 1, done + batch.num_rows + 1)
                done += batch.num_rows
                report(done / total)
                yield Chunk({name: batch.column(name) for name in wanted}, lines)
    except (pa.ArrowException, OSError) as exc:
        raise ImportRejected("{file} is damaged: {why}.", file=layout.path, why=str(exc).splitlines()[0]) from exc


def _tob(layout: Layout, wanted: Sequence[str], report: ReportFraction) -> Iterator[Chunk]:
    done = 0
    with opened(layout.path) as file:
        try:
            header = tob.read_header(file.stream)
            for records in tob.read_records(header, file.stream):
                columns = {name: tob.column(header, records, name) for name in wanted}
                lines = np.arange(done + 1, done + len(records.fields) + 1)
                done += len(lines)
                report(file.fraction)
                yield Chunk(columns, lines, damaged=records.damaged)
        except TobError as exc:
            raise ImportRejected("{file}: {why}.", file=layout.path, why=exc) from exc


def _json(layout: Layout, wanted: Sequence[str], report: ReportFraction) -> Iterator[Chunk]:
    items = read_items(layout.path)
    cells = {name: [item.get(name) for item in items] for name in wanted}
    columns = {
        name: pa.array([None if cell is None else str(cell) for cell in column], pa.string()) for name, column in cells.items()
    }
    report(1.0)
    yield Chunk(columns, np.arange(1, len(items) + 1))
