"""What is different between two manifests, in sentences: why a file is not the same any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from data.export.manifest import Manifest
from data.export.manifest_records import SeriesRecord

_MONTHS_NAMED = 12


def differences(old: Manifest, new: Manifest) -> list[str]:
    """Return what changed from one manifest to another of the same request; nothing of the file
    itself.
    """
    found = [*_changes("software", old.software, new.software)]
    for what in ("source", "institution", "floor", "flags"):
        found += _changes("", {what: getattr(old, what)}, {what: getattr(new, what)})
    for kind, before, after in (("station", old.stations, new.stations), ("sensor", old.sensors, new.sensors)):
        found += (line for one, other in zip(before, after, strict=True) for line in _record_changes(kind, one, other))
    found += (line for one, other in zip(old.series, new.series, strict=True) for line in _series_changes(one, other))
    return [*found, *_decision_changes(old, new)]


def _decision_changes(old: Manifest, new: Manifest) -> Iterator[str]:
    """Yield what people decided since, or took back; a decision itself never changes."""
    before, after = ({one.number: one for one in each.decisions} for each in (old, new))
    for word, some, others in (("gone", before, after), ("new", after, before)):
        yield from (
            f"decision {number} ({one.station} {one.sensor} {one.kind}) is {word}"
            for number, one in some.items()
            if others.get(number) != one
        )


def _record_changes(kind: str, old: Any, new: Any) -> Iterator[str]:
    return _changes(f"{kind} {old.name}:", old.model_dump(), new.model_dump())


def _changes(of: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before != after:
            yield f"{of} {name} was {_shown(before)} and is {_shown(after)}".strip()


def _shown(value: Any) -> str:
    return "not known" if value in (None, "") else str(value)


def _series_changes(old: SeriesRecord, new: SeriesRecord) -> Iterator[str]:
    of = f"{old.station} {old.sensor}:"
    if old.rows != new.rows:
        yield f"{of} {old.rows} rows are {new.rows}"
    if old.limits and new.limits and old.limits != new.limits:
        yield f"{of} rules or their limits have changed"
    kept = old.months.keys() & new.months.keys()
    changed = [month for month in sorted(kept) if _checksum(old.months[month]) != _checksum(new.months[month])]
    for word, months in (
        ("changed", changed),
        ("gone", sorted(old.months.keys() - kept)),
        ("new", sorted(new.months.keys() - kept)),
    ):
        if months:
            yield f"{of} {word}: {_named(months)}"


def _checksum(month: str) -> str:
    """Return the checksums of a month; its generation counts imports, of equal rows as well."""
    return month.partition(" ")[2]


def _named(months: Sequence[str]) -> str:
    more = len(months) - _MONTHS_NAMED
    return ", ".join(months[:_MONTHS_NAMED]) + (f" and {more} more months" if more > 0 else "")
