"""The command line: ``python manage.py COMMAND``. Modules of commands/ register theirs, and are
imported when they are called for.
"""

from __future__ import annotations

import gc
import getpass
import importlib
import os
import sys
from typing import Any

gc.set_threshold(10_000)  # modules are no garbage: looking at them again and again took a sixth of a command's start
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # else each start reads the metadata of every package

import typer  # noqa: E402
from typer.core import TyperCommand, TyperGroup  # noqa: E402
from typer.main import get_group  # noqa: E402

from commands import COMMANDS  # noqa: E402
from errors import RiwayatError, os_error_sentence  # noqa: E402

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells do


class ListedCommands(TyperGroup):
    """The commands of commands/, each imported when it is called for."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - the framework's signature
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002 - the framework's signature
        """Return what the list of --help shows of a command."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is called, and what follows its name."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else command(name), rest


def command(name: str) -> Any:
    """Return a command, or a group of them, by its name in COMMANDS."""
    only = typer.Typer()
    importlib.import_module(f"commands.{COMMANDS[name][0]}").register(only)
    return get_group(only).commands[name]


def build() -> typer.Typer:
    """Return the command line."""
    app = typer.Typer(
        name="manage.py",
        cls=ListedCommands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_prepare)
    return app


def _prepare() -> None:
    """Riwayat: long histories of weather stations. Settings are environment variables;
    see docs/configuration.md.
    """
    from access.audit.log import Actor, act_as  # here, so that --help need not wait for it
    from config import load_settings
    from logs import configure_logs

    configure_logs(load_settings().log_level)
    act_as(Actor(_system_user(), "command"))


def _system_user() -> str:
    """Who gives the command, as the system names them; sudo tells who asked it."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        return f"uid {os.getuid()}"


def main() -> None:
    """Run one command; exit 0 when done, 1 when it failed, 2 on bad usage."""
    try:
        build()()
    except RiwayatError as exc:
        _complain(exc.message)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except OSError as exc:  # a file that may not be written, a full disk
        _complain(os_error_sentence(exc))
        sys.exit(EXIT_FAILED)


def _complain(message: str) -> None:
    from commands.printing import console

    console(err=True, soft_wrap=True, highlight=False).print(f"[bold red]Error:[/] {_escaped(message)}")


def _escaped(message: str) -> str:
    from rich.markup import escape

    return escape(message)


if __name__ == "__main__":
    main()
