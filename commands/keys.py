"""``keys …``: keys with which programs use the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from access.names import LOCAL_USER
from access.scopes import DEFAULT_SCOPES, SCOPES
from commands.opening import opened_access
from commands.printing import AsJson, say, say_json, show, shown_time
from data.time.epoch import DAY_MS, epoch_ms
from errors import NotFound

if TYPE_CHECKING:
    from access.keys import ApiKey


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
    address: Annotated[
        list[str] | None,
        typer.Option(help="An address or a network (192.0.2.0/24) from which it may be used; may be repeated. Default: any."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once: the database has only its digest."""
    from access.keys import new_key

    with opened_access() as (settings, access):
        nobody = settings.auth == "login" and access.account(owner) is None
        if nobody or (settings.auth != "none" and owner == LOCAL_USER):
            raise NotFound("There is no user {name}.", name=owner)
        now_ms = epoch_ms()
        expires_ms = now_ms + int(days * DAY_MS) if days else None
        text, made = new_key(
            access,
            owner,
            label=label,
            scopes=scope or DEFAULT_SCOPES,
            expires_ms=expires_ms,
            now_ms=now_ms,
            addresses=address or (),
        )
    if as_json:
        say_json({"key": text} | _key_json(made))
        return
    say(text)
    say("Keep it now: nobody can show it again.", err=True)


@keys.command("list")
def list_keys(owner: Annotated[str | None, typer.Option(help="Only this user's.")] = None, as_json: AsJson = False) -> None:
    """All keys, newest first, also those that no longer work."""
    from access.keys import keys_of

    with opened_access() as (_, access):
        found = keys_of(access, owner)
    header = ("id", "owner", "label", "scopes", "created", "used", "state")
    show([_key_json(key) for key in found], as_json, "There is no key.", header)


@keys.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="What stands between the two _ of a key.")]) -> None:
    """End a key for good."""
    from access.keys import revoke_key

    with opened_access() as (_, access):
        key = revoke_key(access, key_id, epoch_ms())
    say(f"The key {key.id} of {key.owner} ({key.label}) is revoked.", err=True)


def _key_json(key: ApiKey) -> dict[str, Any]:
    state = "revoked" if key.revoked_ms is not None else "valid" if key.works(epoch_ms()) else "expired"
    return {
        "id": key.id,
        "owner": key.owner,
        "label": key.label,
        "scopes": [scope for scope in SCOPES if scope in key.scopes],
        "created": shown_time(key.created_ms),
        "expires": shown_time(key.expires_ms),
        "addresses": list(key.addresses),
        "used": shown_time(key.used_ms),
        "state": state,
    }
