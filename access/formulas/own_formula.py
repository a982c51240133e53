"""The lists of users' formulas: saving, listing and removing one's own. A list is private; a
formula that is on no list any more goes on where it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from access.audit.log import write_entry
from access.formulas.formula_definitions import definition_of
from access.identity import Identity
from access.restricted_site import restricted_site
from access.store import AccessStore
from access.tables import formula_definition, own_formula
from data.formula import CheckedFormula
from data.site import Site
from data.time.epoch import epoch_ms
from data.user_formula import FormulaDefinition, define, formula_sensor, is_formula_name
from errors import Conflict, NotFound, UnknownSensor

MOST_FORMULAS: Final = 100  # of one user


def checked_definition(
    site: Site, identity: Identity, label: str, formula: str, unit: str
) -> tuple[FormulaDefinition, CheckedFormula]:
    """Return what a formula says, as far as the identity may see all that it reads, and it with
    its unit checked.

    Raises:
        InvalidFormula: saying what is wrong, and where.
        UnknownStation, UnknownSensor: it reads one that is not there, or of which nothing is
            granted.
    """
    seen = restricted_site(site, identity.rights)
    found, checked = define(label, formula, unit, seen.catalogue.measured.sensors, seen.catalogue.stations)
    sensor = formula_sensor(found, seen.catalogue.measured.sensors, seen.catalogue.stations)
    named = {
        station.name: station for station in seen.inventory.named(sorted({one.station for one in sensor.inputs if one.station}))
    }
    for one in sensor.inputs:
        if one.station is not None and one.sensor.name not in named[one.station].sensors:
            raise UnknownSensor("There is no sensor {sensor}.", field="formula", sensor=one.reference.shown)
    return found, checked


def save_formula(
    store: AccessStore, site: Site, identity: Identity, label: str, formula: str, unit: str = "", *, replaces: object = None
) -> FormulaDefinition:
    """Put a formula on the identity's list; ``replaces`` names the sensor of one that is taken off.

    Raises:
        InvalidFormula, UnknownStation, UnknownSensor: as :func:`checked_definition`.
        NotFound: what it replaces is not on the list.
        Conflict: another one on the list has this label, or there are too many.
    """
    found, _ = checked_definition(site, identity, label, formula, unit)
    owner, now_ms = identity.user, epoch_ms()
    _keep_definition(store, found, now_ms)
    values = {"owner": owner, "sensor": found.sensor, "label": found.label, "changed_ms": now_ms}
    try:
        with store.engine.begin() as connection:
            if replaces is not None:
                _take_off(connection, owner, replaces)
            _take_off(connection, owner, found.sensor, required=False)  # saved once more
            count = select(func.count()).select_from(own_formula).where(own_formula.c.owner == owner)
            if connection.execute(count).scalar_one() >= MOST_FORMULAS:
                raise Conflict("{name} has {most} formulas; remove some first.", name=owner, most=MOST_FORMULAS)
            connection.execute(insert(own_formula).values(values))
            write_entry(connection, "formula_saved", _audit_fields(found))
    except IntegrityError:
        raise Conflict("You have a formula {name} already.", field="name", name=found.label) from None
    return found


def remove_formula(store: AccessStore, identity: Identity, sensor: object) -> None:
    """Take a formula off the identity's list.

    Raises:
        NotFound: it is not on it.
    """
    with store.engine.begin() as connection:
        _take_off(connection, identity.user, sensor)
        write_entry(connection, "formula_removed", {"sensor": str(sensor)})


def own_formulas(store: AccessStore, identity: Identity) -> list[FormulaDefinition]:
    """Return the formulas of the identity's list, by label."""
    query = (
        select(formula_definition)
        .join(own_formula, own_formula.c.sensor == formula_definition.c.sensor)
        .where(own_formula.c.owner == identity.user)
    )
    with store.engine.connect() as connection:
        found = [definition_of(row) for row in connection.execute(query)]
    return sorted((one for one in found if one is not None), key=lambda one: (one.label.casefold(), one.sensor))


def _keep_definition(store: AccessStore, found: FormulaDefinition, now_ms: int) -> None:
    try:
        with store.engine.begin() as connection:
            values = {"sensor": found.sensor, **asdict(found), "created_ms": now_ms}
            connection.execute(insert(formula_definition).values(values))
    except IntegrityError:  # somebody has said the same before
        return


def _take_off(connection: Connection, owner: str, sensor: object, *, required: bool = True) -> None:
    removed = 0
    if is_formula_name(sensor):  # else no database need hear of it
        on_list = (own_formula.c.owner == owner, own_formula.c.sensor == sensor)
        removed = connection.execute(delete(own_formula).where(*on_list)).rowcount
    if required and not removed:
        raise NotFound("There is no formula {name} of yours.", name=str(sensor)[:64])


def _audit_fields(found: FormulaDefinition) -> Mapping[str, Any]:
    return {"sensor": found.sensor, "name": found.label, "formula": found.formula, "unit": found.unit}
