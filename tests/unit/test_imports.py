"""Imports go downwards. import-linter holds it between packages; this holds it for the single modules too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT

LAYERS = [
    {"app", "manage", "serve"},
    {"callbacks", "api", "commands"},
    {"layouts"},  # above figures: docs/decisions/0010
    {"figures", "jobs"},
    {"access"},
    {"data"},
    {"config", "i18n", "logs"},
    {"private", "redaction"},
    {"errors"},
]
ONE_PROGRAM = {"app", "serve"}  # python app.py: the application, and the processes that serve it
KNOWS_DASH = {"app", "callbacks", "layouts"}


def sources() -> Iterator[tuple[str, Path]]:
    """(top-level name, file) of every source file of ours."""
    for name in sorted(set().union(*LAYERS)):
        package = ROOT / name
        files = sorted(package.rglob("*.py")) if package.is_dir() else [package.with_suffix(".py")]
        yield from ((name, path) for path in files if path.exists())


def imported(path: Path) -> set[str]:
    """Full names of all modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def layer_of(name: str) -> int | None:
    return next((depth for depth, names in enumerate(LAYERS) if name in names), None)


@pytest.mark.parametrize(("name", "path"), [pytest.param(name, path, id=str(path.relative_to(ROOT))) for name, path in sources()])
def test_a_file_imports_only_its_own_package_and_lower_layers(name, path):
    own = layer_of(name)
    for module in imported(path):
        top = module.split(".")[0]
        depth = layer_of(top)
        same = top == name or {top, name} <= ONE_PROGRAM
        assert depth is None or same or depth > own, f"{path.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize(("name", "path"), [pytest.param(name, path, id=str(path.relative_to(ROOT))) for name, path in sources()])
def test_only_the_page_and_the_job_manager_know_dash(name, path):
    if name in KNOWS_DASH or path == ROOT / "jobs/manager.py":
        return
    assert not {module for module in imported(path) if module.split(".")[0].startswith("dash")}


def test_only_config_reads_the_environment():
    for _, path in sources():
        if path.name != "config.py":
            source = path.read_text(encoding="utf-8")
            assert "RIWAYAT_" not in "".join(line for line in source.splitlines() if "environ" in line or "getenv" in line), path
