"""The list of commands that --help shows, and that no command imports the others."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import typer
from typer.main import get_group
from typer.testing import CliRunner

import commands
from commands import COMMANDS
from manage import build


def _registered(module: str) -> set[str]:
    register = getattr(importlib.import_module(f"commands.{module}"), "register", None)
    if register is None:
        return set()
    app = typer.Typer()
    register(app)
    return set(get_group(app).commands)


def test_every_command_that_a_module_registers_is_listed_with_that_module() -> None:
    found = {name: module.name for module in pkgutil.iter_modules(commands.__path__) for name in _registered(module.name)}
    assert found == {name: module for name, (module, _) in COMMANDS.items()}


def test_commands_are_listed_by_name() -> None:
    assert list(COMMANDS) == sorted(COMMANDS)


def test_help_lists_every_command() -> None:
    shown = CliRunner().invoke(build(), ["--help"], terminal_width=200).output
    assert [name for name in COMMANDS if f" {name} " not in shown] == []


def test_a_command_that_is_not_there_is_bad_usage() -> None:
    assert CliRunner().invoke(build(), ["statoins"]).exit_code == 2


def test_help_imports_neither_numpy_nor_sqlalchemy() -> None:
    code = "import sys\nimport manage\nsys.argv = ['manage.py', '--help']\ntry:\n manage.main()\nexcept SystemExit:\n pass\n"
    code += "print([name for name in ('numpy', 'sqlalchemy', 'pydantic', 'config') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"
