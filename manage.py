"""The command line: ``python manage.py COMMAND``. Modules of commands/ register theirs."""

from __future__ import annotations

import getpass
import importlib
import os
import pkgutil
import sys

import typer

import commands
from errors import RiwayatError, os_error_sentence

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells do


def build() -> typer.Typer:
    """The command line with the commands of every module in commands/, sorted by module."""
    app = typer.Typer(
        name="manage.py",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_prepare)
    for module in sorted(pkgutil.iter_modules(commands.__path__), key=lambda found: found.name):
        register = getattr(importlib.import_module(f"commands.{module.name}"), "register", None)
        if register:
            register(app)
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
