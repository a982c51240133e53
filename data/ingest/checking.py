"""Read a whole file and convert its cells; nothing is stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from data.ingest.file_observations import FileRows
from data.ingest.file_plan import FilePlan
from data.ingest.file_rows import RowReader
from data.time.epoch import DAY_MS
from errors import ImportRejected

_KEPT_STEPS = 64  # different intervals remembered of a station, the most frequent ones
_WEEKS_OF_1970_MS = 50 * DAY_MS  # the year 2100 in seconds, read as ms


@dataclass(frozen=True)
class FileCheck:
    """What a file holds: the usual step of each station (ms;
    lacking where it has one row) and its last time.

    ``reader`` has counted its rows; ``pieces``: how many pieces of them were kept.
    """

    plan: FilePlan
    reader: RowReader
    pieces: int
    steps_ms: Mapping[str, int]
    last_ms: Mapping[str, int]


def check_file(
    plan: FilePlan, report: Callable[[float], None] = lambda _: None, keep: Callable[[FileRows], None] = lambda _: None
) -> FileCheck:
    """Read a whole file; ``keep`` is given its rows, piece by piece, in order.

    Raises:
        ImportRejected: for the first thing that is wrong, with file, line,
            column and what was expected.
    """
    reader = RowReader(plan)
    steps: defaultdict[str, Counter[int]] = defaultdict(Counter)
    first_ms: dict[str, int] = {}
    last_ms: dict[str, int] = {}
    pieces = 0
    for rows in reader.rows(report):
        keep(rows)
        pieces += 1
        for station, at in rows.stations.rows_by_name():
            times = rows.times[at]
            if not (times[1:] > times[:-1]).all():
                times = np.unique(times)
            first_ms[station] = min(first_ms.get(station, int(times[0])), int(times[0]))
            last_ms[station] = max(last_ms.get(station, int(times[-1])), int(times[-1]))
            found, counts = np.unique(np.diff(times), return_counts=True)
            steps[station].update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
            steps[station] = Counter(dict(steps[station].most_common(_KEPT_STEPS)))
    refuse_ragged(plan, reader)
    refuse_tags(plan, reader)
    if plan.time.time_unit is not None and last_ms:
        _refuse_january(plan, min(first_ms.values()), max(last_ms.values()))
    if reader.read and reader.rejected.total() == reader.read:
        raise ImportRejected(
            "{file}: none of the rows can be stored: {reasons}.",
            file=plan.layout.path,
            reasons=", ".join(f"{reason}: {count}" for reason, count in sorted(reader.rejected.items())),
        )
    return FileCheck(plan, reader, pieces, {name: _usual(counter) for name, counter in steps.items() if counter}, last_ms)


def refuse_ragged(plan: FilePlan, reader: RowReader) -> None:
    """Rows of another length than the header are dropped only where the profile says so."""
    ragged = reader.ragged
    if ragged is None:
        return
    short = 'short_rows = "missing" (what is lacking has no value) or "ignore"'
    allow = short if ragged.fields < ragged.columns else 'extra_fields = "ignore"'
    raise ImportRejected(
        "{file}, line {line}: {fields} fields where the header has {columns}; the same in {count} of "
        "{read} rows. Expected the right delimiter and a value for each column; or write {allow} in "
        "the import profile.",
        file=plan.layout.path,
        line=ragged.line,
        fields=ragged.fields,
        columns=ragged.columns,
        count=ragged.count,
        read=reader.read,
        allow=allow,
    )


def refuse_tags(plan: FilePlan, reader: RowReader) -> None:
    """A column of values of any sensor is not stored as those of one."""
    for name, seen in reader.seen.items():
        if len(seen) > 1:
            values = ", ".join(value.column for value in plan.values)
            raise ImportRejected(
                "{file}: column {column} names the sensor of each row ({seen}), so {values} holds "
                "more than one sensor. Expected {layout} with {tall} in the import profile, and "
                "[columns] by these names.",
                file=plan.layout.path,
                column=name,
                seen=", ".join(sorted(seen)[:3]),
                values=values,
                layout='layout = "tall"',
                tall=f'[tall] tag = "{name}", value = "{values}"',
            )


def _refuse_january(plan: FilePlan, first_ms: int, last_ms: int) -> None:
    """Numbers in too fine a unit, such as milliseconds read as microseconds,
    all lie in the first weeks of 1970.
    """
    if plan.time.time_unit != "excel_day" and first_ms >= 0 and last_ms < _WEEKS_OF_1970_MS:
        raise ImportRejected(
            '{file}: read as time_unit = "{unit}", all of its times lie in January or February 1970; expected another unit.',
            file=plan.layout.path,
            unit=plan.time.time_unit,
        )


def _usual(counter: Counter[int]) -> int:
    """The most frequent interval; of equally frequent ones the shortest."""
    return max(counter, key=lambda step: (counter[step], -step))
