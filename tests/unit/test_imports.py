"""Imports go downwards. import-linter holds it between packages;
this holds it for the single modules too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from tests.processes import ROOT

LAYERS = [
    {"app", "manage"},
    {"serve"},
    {"application"},
    {"callbacks", "api", "commands"},
    {"layouts"},  # above figures: docs/decisions/0010
    {"reports"},  # above figures and jobs: docs/decisions/0043
    {"figures"},  # above jobs: one draws a job's figure for page and API
    {"jobs"},
    {"access"},
    {"data"},
    {"config", "i18n", "logs"},
    {"private", "redaction"},
    {"errors"},
    {"escaping"},
]
KNOWS_DASH = {"application", "callbacks", "layouts"}


def sources() -> Iterator[tuple[str, Path]]:
    """(top-level name, file) of every source file of ours."""
    for name in sorted(set().union(*LAYERS)):
        package = ROOT / name
        files = sorted(package.rglob("*.py")) if package.is_dir() else [package.with_suffix(".py")]
        yield from ((name, path) for path in files if path.exists())


@cache
def imports(path: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """All imports of a file, wherever in it."""
    whole = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return tuple(node for node in whole if isinstance(node, ast.Import | ast.ImportFrom))


def imported(path: Path) -> set[str]:
    """Full names of all modules that a file imports."""
    names: set[str] = set()
    for node in imports(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif node.module:
            names.add(node.module)
    return names


def layer_of(name: str) -> int | None:
    return next((depth for depth, names in enumerate(LAYERS) if name in names), None)


def test_a_file_imports_only_its_own_package_and_lower_layers():
    upwards = [
        f"{path.relative_to(ROOT)} imports {module}"
        for name, path in sources()
        for module in sorted(imported(path))
        if (top := module.split(".")[0]) != name and (depth := layer_of(top)) is not None and depth <= (layer_of(name) or 0)
    ]
    assert not upwards


def test_only_the_page_and_the_job_manager_know_dash():
    knowing = [
        f"{path.relative_to(ROOT)} imports {module}"
        for name, path in sources()
        if name not in KNOWS_DASH and path != ROOT / "jobs/manager.py"
        for module in sorted(imported(path))
        if module.split(".")[0].startswith("dash")
    ]
    assert not knowing


def test_only_config_reads_the_environment():
    for _, path in sources():
        if path.name != "config.py":
            source = path.read_text(encoding="utf-8")
            assert "RIWAYAT_" not in "".join(line for line in source.splitlines() if "environ" in line or "getenv" in line), path


def modules() -> dict[str, Path]:
    """Every module of ours by its full name."""
    found = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for _, path in sources() if "migrations" not in path.parts
    }
    return {name.removesuffix(".__init__"): path for name, path in found.items()}


def test_no_modules_import_each_other_in_a_circle_not_even_inside_functions_or_for_types_alone():
    ours = modules()
    graph = TopologicalSorter()
    for name, path in ours.items():
        graph.add(name)
        for node in imports(path):
            if isinstance(node, ast.ImportFrom) and node.module:
                wholes = {f"{node.module}.{alias.name}" for alias in node.names}
                graph.add(name, *({whole if whole in ours else node.module for whole in wholes} & ours.keys() - {name}))
            elif isinstance(node, ast.Import):
                graph.add(name, *({alias.name for alias in node.names} & ours.keys() - {name}))
    graph.prepare()  # raises CycleError, which names the circle
