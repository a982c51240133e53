"""The first pass over a file: everything is read and converted, nothing is stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.ingest.plan import FilePlan
from data.ingest.rows import RAGGED, RowReader
from errors import ImportRejected

_KEPT_STEPS = 64  # different intervals remembered of a station, the most frequent ones


@dataclass(frozen=True)
class Checked:
    """What the first pass found: the usual step of each station (ms; lacking where it has one row) and its last time."""

    plan: FilePlan
    read: int
    steps_ms: Mapping[str, int]
    last_ms: Mapping[str, int]


def check_file(plan: FilePlan, report: Callable[[float], None] = lambda _: None) -> Checked:
    """Read a whole file.

    Raises:
        ImportRejected: for the first thing that is wrong, with file, line, column and what was expected.
    """
    reader = RowReader(plan)
    steps: defaultdict[str, Counter[int]] = defaultdict(Counter)
    last_ms: dict[str, int] = {}
    for rows in reader.rows(report):
        for station, at in by_station(rows.stations):
            times = np.unique(rows.times[at])
            last_ms[station] = max(last_ms.get(station, int(times[-1])), int(times[-1]))
            found, counts = np.unique(np.diff(times), return_counts=True)
            steps[station].update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
            steps[station] = Counter(dict(steps[station].most_common(_KEPT_STEPS)))
    if reader.read and reader.rejected[RAGGED] == reader.read:
        raise ImportRejected(
            "{file}: none of its {count} rows has as many fields as the header ({fields}); expected a value for each column, "
            "and the right delimiter.",
            file=plan.layout.path,
            count=reader.read,
            fields=len(plan.layout.columns),
        )
    return Checked(plan, reader.read, {name: _usual(counter) for name, counter in steps.items() if counter}, last_ms)


def by_station(stations: npt.NDArray[np.object_]) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Each station with the positions of its rows, sorted by name (so that two imports lock stations in one order)."""
    codes, names = pd.factorize(stations)
    order = np.argsort(codes, kind="stable")
    borders = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for number in sorted(range(len(names)), key=lambda number: str(names[number])):
        yield str(names[number]), order[borders[number] : borders[number + 1]]


def _usual(counter: Counter[int]) -> int:
    """The most frequent interval; of equally frequent ones the shortest."""
    return max(counter, key=lambda step: (counter[step], -step))
