"""``users …`` and ``groups …``: who signs in, who administers the site, who belongs together."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.opening import opened_access
from commands.printing import AsJson, say, show, shown_time
from config import Settings
from errors import ConfigurationError, InvalidRequest

if TYPE_CHECKING:
    from access.account_table import Account
    from access.logins import Logins
    from access.store import AccessStore

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name, as it is signed in with or as the proxy sends it.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME…", help="Users.")]
Group = Annotated[str, typer.Argument(metavar="GROUP", help="The group's name.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")]

users = typer.Typer(no_args_is_help=True, help="Users that the site knows by name.")
groups = typer.Typer(no_args_is_help=True, help="Groups of users, to whom something can be granted together.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(users, name="users")
    app.add_typer(groups, name="groups")


@users.command()
def add(
    name: Name,
    admin: Annotated[bool, typer.Option("--admin", help="May see everything and everybody's jobs.")] = False,
    password_stdin: FromStdin = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="Ask for none; behind a proxy nobody needs one.")] = False,
) -> None:
    """Make an account; with RIWAYAT_AUTH=login its password is asked for."""
    from access.passwords import hash_password

    with opened_access() as (settings, access):
        wanted = password_stdin or (settings.auth == "login" and not no_password)
        known = hash_password(_new_password(name, password_stdin)) if wanted else None
        access.add_account(name, password_hash=known, admin=admin)
    may = "They may see everything." if admin else f"What they may see, say with: manage.py grants add user:{name} …"
    say(f"There is a user {name} now. {may}", err=True)


@users.command("list")
def list_users(as_json: AsJson = False) -> None:
    """All accounts. Behind a proxy users need none."""
    with opened_access() as (settings, access):
        of_user: dict[str, list[str]] = {}
        for group, members in access.groups().items():
            for member in members:
                of_user.setdefault(member, []).append(group)
        waits_s = _logins(settings, access).waits_s if settings.auth == "login" else lambda _name: 0
        found = [_account_json(one, of_user.get(one.name, []), waits_s(one.name)) for one in access.accounts()]
    header = ("user", "admin", "disabled", "groups", "password", "created", "waits_s")
    show(found, as_json, "There is no account yet; make one with: manage.py users add NAME", header)


@users.command()
def password(name: Name, password_stdin: FromStdin = False) -> None:
    """Set a user's password; ends all sessions."""
    from access.passwords import hash_password

    with opened_access() as (_, access):
        access.change_account(name)  # before anything is asked: is there such a user at all?
        access.change_account(name, password_hash=hash_password(_new_password(name, password_stdin)))
    say(f"{name} has a new password, and all sessions with the old one are ended.", err=True)


@users.command()
def disable(name: Name) -> None:
    """Refuse a user everything, at once: pages, jobs, keys and embedded charts."""
    with opened_access() as (_, access):
        access.change_account(name, disabled=True)
    say(f"{name} is refused from now on.", err=True)


@users.command()
def enable(name: Name) -> None:
    """Let a user in again."""
    with opened_access() as (_, access):
        access.change_account(name, disabled=False)
    say(f"{name} may come in again.", err=True)


@users.command()
def unlock(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The user's name.")] = None,
    address: Annotated[str | None, typer.Option(help="An address instead, as 'users locked' names it.")] = None,
) -> None:
    """Let a user, or whoever comes from an address, try to sign in again at once."""
    if (name is None) == (address is None):
        raise InvalidRequest("Name a user, or an address with --address.")
    with opened_access() as (settings, access):
        logins = _logins(settings, access)
        if name is not None:
            logins.unlock(name)
        else:
            logins.unlock_address(str(address))
    say(f"{name or address} may try again at once.", err=True)


@users.command()
def locked(as_json: AsJson = False) -> None:
    """Users and addresses that must wait before they may try to sign in again, on this host."""
    with opened_access() as (settings, access):
        logins = _logins(settings, access)
        names = [{"kind": "user", "name": one.name, "waits_s": logins.waits_s(one.name)} for one in access.accounts()]
        addresses = [{"kind": "address", "name": at, "waits_s": left} for at, left in logins.waiting_addresses().items()]
    show([one for one in names + addresses if one["waits_s"]], as_json, "Nobody has to wait.")


@users.command()
def remove(name: Name) -> None:
    """Forget an account with its groups and grants; its keys and embedded charts are revoked."""
    with opened_access() as (_, access):
        access.remove_account(name)
    say(f"{name} is forgotten.", err=True)


@users.command()
def admin(name: Name, off: Annotated[bool, typer.Option("--off", help="Make the user an ordinary one.")] = False) -> None:
    """Make a user an administrator, who may see everything and everybody's jobs."""
    with opened_access() as (_, access):
        access.change_account(name, admin=not off)
    say(f"{name} is {'no administrator any more' if off else 'an administrator'}.", err=True)


@groups.command()
def join(group: Group, names: Names) -> None:
    """Put users into a group; it need not be made before. Behind a proxy they need no account."""
    with opened_access() as (_, access):
        for name in names:
            access.join(group, name)
    say(f"In the group {group}: {', '.join(names)}.", err=True)


@groups.command()
def leave(group: Group, names: Names) -> None:
    """Take users out of a group."""
    with opened_access() as (_, access):
        for name in names:
            access.leave(group, name)
    say(f"No longer in the group {group}: {', '.join(names)}.", err=True)


@groups.command("list")
def list_groups(as_json: AsJson = False) -> None:
    """All groups and who is in them, those that a proxy has named included."""
    with opened_access() as (_, access):
        found = [{"group": group, "users": list(members)} for group, members in access.groups().items()]
    show(found, as_json, "There is no group yet; make one with: manage.py groups join GROUP NAME")


def _new_password(name: str, from_stdin: bool) -> str:
    """A password that may be one, asked for twice and not shown."""
    from access.passwords import check_new_password

    if from_stdin:
        text = sys.stdin.readline().rstrip("\r\n")
    else:
        text = typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True, err=True)
    check_new_password(text, name)
    return text


def _logins(settings: Settings, access: AccessStore) -> Logins:
    from access.logins import open_logins

    if settings.auth != "login":
        raise ConfigurationError("This site keeps no passwords: RIWAYAT_AUTH is {auth}.", auth=settings.auth)
    return open_logins(settings, access)


def _account_json(account: Account, of_groups: list[str], waits_s: int) -> dict[str, Any]:
    return {
        "user": account.name,
        "admin": account.admin,
        "disabled": account.disabled,
        "groups": of_groups,
        "password": account.has_password,
        "created": shown_time(account.created_ms),
        **({"waits_s": waits_s} if waits_s else {}),
    }
