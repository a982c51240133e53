"""Limits that people have set, for all who draw, compute or make flags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import structlog
from pydantic import ValidationError
from sqlalchemy import Engine, select

from access.revision_look import KeptByRevision, RevisionLook, rows_of
from access.tables import quality_limit as table
from data.limit_overrides import NOTHING_SET, LimitOverrides
from data.quality_limits import QualityLimits

ALL_STATIONS: Final = ""  # as the table has them
_QUERY: Final = select(table.c.station, table.c.sensor, table.c.name, table.c.value, table.c.revision)

log = structlog.get_logger(__name__)


class StoredLimits(KeptByRevision):
    """Finds what is set of a series, as :data:`data.limit_overrides.SetLimits`."""

    def __init__(self, engine: Engine, look: RevisionLook | None = None) -> None:
        super().__init__(engine, look)
        self._values: dict[tuple[str, str], dict[str, str | None]] = {}
        self._found: Mapping[tuple[str, str], QualityLimits] = {}

    def __call__(self, station: str, sensor: str) -> LimitOverrides:
        """Return what is set of a station's sensor.

        Raises:
            LedgerUnavailable: the database does not answer.
            SQLAlchemyError: it is not up to date with the program.
        """
        self._keep_up()
        found = self._found
        return LimitOverrides(found.get((ALL_STATIONS, sensor), NOTHING_SET), found.get((station, sensor), NOTHING_SET))

    def _read_changes(self) -> None:
        rows = rows_of(self._engine, _QUERY.where(table.c.revision > self._revision))
        changed = set()
        for station, sensor, name, value, revision in rows:
            self._values.setdefault((station, sensor), {})[name] = value
            changed.add((station, sensor))
            self._revision = max(self._revision, revision)
        if changed:
            self._found = {**self._found, **{key: set_limits(self._values[key].items()) for key in changed}}


def set_limits(values: Iterable[tuple[str, str | None]]) -> QualityLimits:
    """Return the limits of rows by name: each value is JSON, or None where it is the catalogue's
    again. What another version of the program has written counts as not set.
    """
    said: dict[str, Any] = {}
    for name, value in sorted(values):
        if value is None:
            continue
        try:
            one = QualityLimits.model_validate({name: json.loads(value)})
        except (ValidationError, ValueError):
            log.warning("a limit cannot be read", name=name, value=value)
            continue
        said[name] = getattr(one, name)
    return NOTHING_SET.model_copy(update=said)
