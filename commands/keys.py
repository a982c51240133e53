"""``keys …``: keys with which programs use the API."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from access.names import LOCAL_USER
from access.scopes import DEFAULT_SCOPES, SCOPES
from commands.access_output import AsJson, opened
from commands.printing import print_table

if TYPE_CHECKING:
    from access.keys import ApiKey

_DAY_MS = 86_400_000


keys = typer.Typer(no_args_is_help=True, help="Keys with which programs use the API.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="keys")


@keys.command()
def add(
    owner: Annotated[str, typer.Argument(help="The user for whom the key speaks; it may never do more than they may.")],
    label: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[
        list[str] | None, typer.Option(help=f"What it may do: {', '.join(SCOPES)}. Default: {', '.join(DEFAULT_SCOPES)}.")
    ] = None,
    days: Annotated[float, typer.Option(min=0, help="After how many days it ends; 0: never.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once: the database has only its digest."""
    from access.keys import new_key
    from errors import NotFound

    with opened() as (settings, access):
        nobody = settings.auth == "login" and access.account(owner) is None
        if nobody or (settings.auth != "none" and owner == LOCAL_USER):
            raise NotFound("There is no user {name}.", name=owner)
        now_ms = _now_ms()
        expires_ms = now_ms + int(days * _DAY_MS) if days else None
        text, made = new_key(access, owner, label=label, scopes=scope or DEFAULT_SCOPES, expires_ms=expires_ms, now_ms=now_ms)
    if as_json:
        _print_json({"key": text} | _shown(made))
        return
    typer.echo(text)
    typer.echo("Keep it now: nobody can show it again.", err=True)


@keys.command("list")
def list_keys(owner: Annotated[str | None, typer.Option(help="Only this user's.")] = None, as_json: AsJson = False) -> None:
    """All keys, newest first, also those that no longer work."""
    from access.keys import keys_of

    with opened() as (_, access):
        found = keys_of(access, owner)
    if as_json:
        _print_json([_shown(key) for key in found])
        return
    header = ["id", "owner", "label", "scopes", "created", "used", "state"]
    print_table(header, [[_text(_shown(key)[name]) for name in header] for key in found])


@keys.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="What stands between the two _ of a key.")]) -> None:
    """End a key for good."""
    from access.keys import revoke_key

    with opened() as (_, access):
        key = revoke_key(access, key_id, _now_ms())
    typer.echo(f"The key {key.id} of {key.owner} ({key.label}) is revoked.", err=True)


def _shown(key: ApiKey) -> dict[str, Any]:
    from data.months import iso_utc

    def time_of(time_ms: int | None) -> str | None:
        return None if time_ms is None else iso_utc(time_ms // 1000 * 1000)

    state = "revoked" if key.revoked_ms is not None else "valid" if key.works(_now_ms()) else "expired"
    return {
        "id": key.id,
        "owner": key.owner,
        "label": key.label,
        "scopes": [scope for scope in SCOPES if scope in key.scopes],
        "created": time_of(key.created_ms),
        "expires": time_of(key.expires_ms),
        "used": time_of(key.used_ms),
        "state": state,
    }


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
