"""docs/architecture.md names what there is, packages say what they hold,
and names of modules and classes stand alone.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from tests.processes import ROOT

PACKAGES = ("access", "api", "callbacks", "commands", "data", "figures", "jobs", "layouts", "reports")
# NameMeaning after the page, the command or the figure that they serve,
# so after the same noun as what they show.
SERVING = {"callbacks", "commands", "figures", "layouts", "reports"}
SHARED = {"tables": "one a database or a part of it: observations, jobs, access"}


def modules() -> Iterator[Path]:
    """Every module of the program's packages, without migrations, which alembic names."""
    for package in PACKAGES:
        yield from (path for path in sorted((ROOT / package).rglob("*.py")) if "migrations" not in path.parts)


def folder_list() -> list[str]:
    """Paths that docs/architecture.md lists under "Folders", as below the root."""
    section = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("\n## Folders")[1]
    listed, parent = [], ""
    for line in section.split("```")[1].strip("\n").splitlines():
        names = list(takewhile(re.compile(r"\w+(/|\.py)").fullmatch, line.split()))
        if line.startswith("  "):
            names = [parent + name for name in names]
        else:
            parent = names[0]
        listed += names
    return listed


def test_every_folder_and_file_of_the_list_exists():
    listed = folder_list()
    assert len(listed) > 20
    assert [name for name in listed if not (ROOT / name).exists()] == []


def test_the_list_has_every_package():
    rooms = {f"{path.parent.relative_to(ROOT)}/" for path in modules() if path.name == "__init__.py"}
    assert rooms - set(folder_list()) - {name for name in rooms if name.count("/") > 2} == set()


def test_every_name_in_the_order_of_imports_exists():
    section = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("\n## Folders")[1]
    names = re.findall(r"\w+", section.split("```")[3])
    assert len(names) > 10
    assert [name for name in names if not ((ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file())] == []


def test_a_package_says_in_two_to_four_sentences_what_belongs_there():
    words = {
        str(path.relative_to(ROOT)): ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in modules()
        if path.name == "__init__.py"
    }
    assert {path: said for path, said in words.items() if not 2 <= len(re.findall(r"\.(?=\s|$)", said)) <= 4} == {}


def test_the_name_of_a_module_stands_alone():
    found: dict[str, list[str]] = defaultdict(list)
    for path in modules():
        top = path.relative_to(ROOT).parts[0]
        if path.name != "__init__.py" and top not in SERVING:
            found[path.stem].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in found.items() if len(paths) > 1 and name not in SHARED} == {}


def test_the_name_of_a_public_class_stands_alone():
    found: dict[str, list[str]] = defaultdict(list)
    for path in modules():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
