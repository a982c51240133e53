"""``formulas …``: formulas of users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from access.names import LOCAL_USER
from commands.opening import opened_access
from commands.printing import AsJson, say, say_json, show

if TYPE_CHECKING:
    from access.identity import Identity
    from access.store import AccessStore
    from data.site import Site
    from data.user_formula import FormulaDefinition

_formulas = typer.Typer(no_args_is_help=True, help="Formulas of users.")
_Owner = Annotated[str, typer.Option("--as", help="The user on whose list it is; default: that of a site without sign-in.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_formulas, name="formulas")


@contextmanager
def _opened(owner: str) -> Iterator[tuple[AccessStore, Site, Identity]]:
    from access.identity import owner_identity
    from data.site import open_site

    with opened_access() as (settings, store):
        site = open_site(settings, definitions=store.definitions, decisions=store.decisions, limits=store.limits)
        yield store, site, owner_identity(settings, store, owner)


@_formulas.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is called in lists and charts.")],
    formula: Annotated[str, typer.Argument(help='Such as "temperature - dew_point(temperature, humidity)".')],
    unit: Annotated[str, typer.Option(help="Unit of the result, such as °C; without it a plain number.")] = "",
    replaces: Annotated[str | None, typer.Option(help="The sensor of a formula in whose place it comes.")] = None,
    owner: _Owner = LOCAL_USER,
    as_json: AsJson = False,
) -> None:
    """Put a formula on a user's list, and print the sensor by which requests name it."""
    from access.formulas.own_formula import save_formula

    with _opened(owner) as (store, site, identity):
        made = save_formula(store, site, identity, name, formula, unit, replaces=replaces)
    if as_json:
        say_json(_json(made))
    else:
        say(made.sensor)


@_formulas.command("list")
def list_formulas(owner: _Owner = LOCAL_USER, as_json: AsJson = False) -> None:
    """A user's formulas, by name."""
    from access.formulas.own_formula import own_formulas

    with _opened(owner) as (store, _, identity):
        found = own_formulas(store, identity)
    show([_json(one) for one in found], as_json, "There is no formula.", ("sensor", "name", "formula", "unit"))


@_formulas.command()
def remove(
    sensor: Annotated[str, typer.Argument(metavar="SENSOR", help="As list shows it.")], owner: _Owner = LOCAL_USER
) -> None:
    """Take a formula off a user's list; charts that show it go on."""
    from access.formulas.own_formula import remove_formula

    with _opened(owner) as (store, _, identity):
        remove_formula(store, identity, sensor)
    say(f"The formula {sensor} is off the list.", err=True)


def _json(one: FormulaDefinition) -> dict[str, Any]:
    return {"sensor": one.sensor, "name": one.label, "formula": one.formula, "unit": one.unit}
