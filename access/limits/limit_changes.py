"""Setting limits of quality control, and giving them back to the catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection, insert, select, update

from access.audit.log import write_entry
from access.decisions.deciding import changed
from access.grants import Purpose
from access.identity import Identity
from access.limits.stored_limits import ALL_STATIONS
from access.restricted_site import require_permission
from access.store import AccessStore
from access.tables import quality_limit as table
from data.quality_limits import QualityLimits
from data.request import HistoryRequest
from data.site import Site
from data.time.epoch import epoch_ms
from errors import Conflict, InvalidRequest, NotPermitted, UnknownSensor

LIMIT_NAMES: Final = tuple(name for name in QualityLimits.model_fields if name != "quantity")
LONGEST_VALUE: Final = 2_000  # characters of JSON


@dataclass(frozen=True)
class LimitChange:
    """Limits to set (by name, as JSON has them; None switches the rule off), and names of those
    that are the catalogue's again. ``station`` None: of the sensor at all stations.
    """

    station: str | None
    sensor: str
    limits: Mapping[str, Any] = field(default_factory=dict)
    reset: tuple[str, ...] = ()


def change_limits(store: AccessStore, site: Site, identity: Identity, change: LimitChange, *, seen: int | None = None) -> int:
    """Set limits of a series, or of a sensor at all stations; returns the revision.

    ``seen`` is the revision of these limits that whoever changes them has seen; None: nothing is
    compared.

    Raises:
        UnknownStation, UnknownSensor: there is none, or nothing of it is granted.
        NotPermitted: the identity may not review all of the series; of all stations: it is no
            administrator.
        InvalidRequest: a limit means nothing; ``field`` says which.
        Conflict: somebody else has changed these limits since ``seen``.
    """
    check_limits_of(site, identity, change.station, change.sensor)
    values = checked_limits(change)
    key = (change.station or ALL_STATIONS, change.sensor)

    def write(connection: Connection, revision: int) -> int:
        _refuse_newer(connection, identity, key, seen)
        by = {"made_by": identity.user, "made_ms": epoch_ms(), "revision": revision}
        for name, value in values.items():
            _write(connection, key, name, {"value": value, **by})
        told = {name: json.loads(value) for name, value in values.items() if value is not None}
        write_entry(connection, "limits_changed", _subject(change) | {"limits": told, "reset": list(change.reset)})
        return revision

    return changed(store, write)


def check_limits_of(site: Site, identity: Identity, station: str | None, sensor: str) -> None:
    """Refuse who may not change limits of a station's sensor, or at all stations (None).

    Raises:
        UnknownStation, UnknownSensor, NotPermitted, InvalidRequest: as :func:`change_limits`.
    """
    if station is None:
        if not may_set_for_all(site, identity):
            raise NotPermitted("Only an administrator can set limits for all stations.")
    else:
        span = recorded_span(site, station, sensor, identity)
        require_permission(site, identity, HistoryRequest((station,), (sensor,), *span), Purpose.REVIEW)
    if site.catalogue[sensor].formula:
        raise InvalidRequest("{sensor} is computed. Set limits of what it is made of.", field="sensor", sensor=sensor)


def may_set_for_all(site: Site, identity: Identity) -> bool:
    """Return whether somebody may set limits for all stations: an administrator, or on a site
    without sign-in anybody.
    """
    return (site.settings.auth == "none" or identity.admin) and "admin" in identity.scopes


def recorded_span(site: Site, station: str, sensor: str, identity: Identity) -> tuple[int, int]:
    """Return [start, end) of what was recorded of a series, int ms UTC; a limit is about all of it.

    Raises:
        UnknownStation, UnknownSensor: there is none, or nothing of it is granted.
    """
    moment = HistoryRequest((station,), (sensor,), 0, 1)
    if not identity.rights.knows(station, sensor):
        require_permission(site, identity, moment, Purpose.VIEW)
    span = site.inventory.station(station).span_of(sensor)
    if span is None:
        raise UnknownSensor("{station} has no sensor {sensor}.", field="sensor", station=station, sensor=sensor)
    return span[0], span[1] + 1


def checked_limits(change: LimitChange) -> dict[str, str | None]:
    """Return the values of a change by name, as the table has them.

    Raises:
        InvalidRequest: a name or a value means nothing.
    """
    both = change.limits.keys() & set(change.reset)
    if both or not (change.limits or change.reset):
        raise InvalidRequest("Give limits to set, or names of limits to reset, each once.", field="limits")
    for name in (*change.limits, *change.reset):
        if name not in LIMIT_NAMES:
            known = ", ".join(LIMIT_NAMES)
            raise InvalidRequest(
                "There is no {name} {value}; use {known}.", field="limits", name="limit", value=repr(name)[:40], known=known
            )
    return {**{name: _checked(name, value) for name, value in change.limits.items()}, **dict.fromkeys(change.reset)}


def _checked(name: str, value: Any) -> str:
    text = json.dumps(value)
    if len(text) > LONGEST_VALUE:
        raise InvalidRequest("{name}: the limit is too long.", field=f"limits.{name}", name=name)
    try:
        made = QualityLimits.model_validate_json(json.dumps({name: value}), strict=True)
    except ValidationError as exc:
        why = exc.errors()[0]["msg"]
        raise InvalidRequest("{name}: {why}.", field=f"limits.{name}", name=name, why=why) from exc
    return json.dumps(made.model_dump(mode="json")[name])


def _refuse_newer(connection: Connection, identity: Identity, key: tuple[str, str], seen: int | None) -> None:
    if seen is None:
        return
    newer = (table.c.station == key[0], table.c.sensor == key[1], table.c.revision > seen, table.c.made_by != identity.user)
    by = connection.scalar(select(table.c.made_by).where(*newer).order_by(table.c.revision.desc()).limit(1))
    if by is not None:
        raise Conflict("{name} has changed these limits meanwhile. Look at them again.", name=by)


def _write(connection: Connection, key: tuple[str, str], name: str, values: Mapping[str, Any]) -> None:
    of = {"station": key[0], "sensor": key[1], "name": name}
    this = [table.c[column] == value for column, value in of.items()]
    if not connection.execute(update(table).where(*this).values(values)).rowcount:
        connection.execute(insert(table).values({**of, **values}))


def _subject(change: LimitChange) -> dict[str, Any]:
    return {"station": change.station, "sensor": change.sensor} if change.station else {"sensor": change.sensor}
