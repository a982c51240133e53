"""A file that was sent becomes arrivals, read as an import reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.catalogue import Catalogue
from data.inbox.arrivals import Arrivals, joined_arrivals
from data.ingest.checking import check_file
from data.ingest.file_observations import FileRows
from data.ingest.file_plan import ImportOptions, plan_file
from errors import ImportRejected


@dataclass(frozen=True)
class SentFile:
    """What a file holds: its observations, columns that are no sensors, and how many rows cannot be
    stored, by reason.
    """

    arrivals: Arrivals
    left_out: tuple[str, ...]
    rejected: Mapping[str, int]


def read_sent_file(path: Path, catalogue: Catalogue, wishes: ImportOptions) -> SentFile:
    """Read a whole file: it is small.

    Raises:
        ImportRejected, UnknownSensor: with line, column and what was expected.
    """
    plan = plan_file(path, catalogue, wishes)
    counted = [column.sensor for column in plan.values if column.counts != "interval"]
    if counted:
        raise ImportRejected(
            "{sensor} is a running total or a rate here; send what fell in each interval, or use manage.py import.",
            sensor=counted[0],
        )
    found: list[FileRows] = []
    reader = check_file(plan, keep=found.append).reader
    parts = [
        Arrivals(rows.part.sensors, rows.stations.each, rows.times, rows.values, np.ones(rows.values.shape, np.bool_))
        for rows in found
    ]
    if not parts:
        raise ImportRejected("{file} has no row.", file=path)
    return SentFile(joined_arrivals(parts), plan.left_out, dict(sorted(reader.rejected.items())))
