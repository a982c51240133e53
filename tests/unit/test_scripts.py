"""The browser's code stands in assets/*.js, where eslint and node see it,
and in no string of Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from figures.panels import MARGIN_LEFT, MARGIN_RIGHT
from tests.processes import ROOT
from tests.unit.test_imports import sources

SCRIPT = re.compile(r"\bfunction\s*\(|=>|\b(?:window|document|history|params)\.\w+\s*[(=?&|]|\breturn\b.*;|\bnew [A-Z]\w+\(")
# all that AG Grid is told: a function of assets/grid.js and what to give it
CALL = re.compile(r"\w+\(\w+\)")
PAGES = {"application", "api", "callbacks", "figures", "layouts"}  # what makes pages
STOOD = [
    "function(state) { return !(state && state.status); }",
    "history.replaceState(history.state, '', '?job=1')",
    "params.data ? params.data.created : ''",
    "var dark = window.matchMedia('(prefers-color-scheme: dark)').matches;",
    "(kind) => kind !== 'rolling'",
]


def literals(source: str) -> Iterator[ast.Constant]:
    """Every text of a module but its docstrings, those of f-strings too."""
    tree = ast.parse(source)
    sentences = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in sentences:
            yield node


def test_no_python_file_of_the_pages_holds_javascript():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for name, path in sources()
        if name in PAGES
        for node in literals(path.read_text(encoding="utf-8"))
        if SCRIPT.search(str(node.value))
    ]
    assert not found


def test_javascript_would_be_found():
    assert [text for text in STOOD if not SCRIPT.search(text)] == []


def test_the_grids_are_told_names_of_functions_only():
    written = (ROOT / "assets/grid.js").read_text(encoding="utf-8")
    for path in (ROOT / "layouts").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict) and [ast.unparse(key) for key in node.keys if key] == ["'function'"]:
                call = str(getattr(node.values[0], "value", ""))
                assert CALL.fullmatch(call), path
                assert f"{call.partition('(')[0]}:" in written, path


def test_the_browser_knows_the_margins_of_a_figure():
    written = (ROOT / "assets/view.js").read_text(encoding="utf-8")
    assert f"MARGINS_PX = {MARGIN_LEFT + MARGIN_RIGHT};" in written
