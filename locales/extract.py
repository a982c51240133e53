"""Collects every sentence that users meet and updates ``<language>/LC_MESSAGES/messages.po``.

Sentences are what ``_()`` and ``ngettext()`` get, the templates given to errors of errors.py, and
the first lines of those errors' docstrings, which are their default templates.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

import errors
from i18n import DEFAULT_LANGUAGE, LANGUAGES, LOCALES

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("access", "analysis", "api", "callbacks", "commands", "data", "figures", "jobs", "layouts", "reports")
MODULES = ("application.py", "config.py", "errors.py", "i18n.py", "manage.py", "serve.py")
_WORDS = {"_": (0,), "gettext": (0,), "ngettext": (0, 1)}
_TEMPLATES = {"JobError": (1,), "cls": (1,)}  # jobs/job.py makes errors from (code, template)

_PLURALS = {"id": "nplurals=1; plural=0;"}  # Babel does not know that Indonesian has one form
_HEADER = """msgid ""
msgstr ""
"Project-Id-Version: Riwayat\\n"
"Language: {language}\\n"
"Plural-Forms: {plurals}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""

Message = str | tuple[str, str]


def error_classes() -> dict[str, type[errors.RiwayatError]]:
    """The exception tree by name."""
    found = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
    return {name: value for name, value in found.items() if issubclass(value, errors.RiwayatError)}


def sources() -> Iterator[Path]:
    """Yield every file of the project that may hold a sentence, in a fixed order."""
    for package in PACKAGES:
        yield from sorted(path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)
    yield from (path for name in MODULES if (path := ROOT / name).exists())


def messages_of(path: Path) -> Iterator[tuple[int, Message]]:
    """(line, message) of a file; a message with a plural is a pair."""
    names = error_classes()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        places = _WORDS.get(name) or ((0,) if name in names else None)
        if places is None and path.name == "job.py":
            places = _TEMPLATES.get(name)
        texts = _texts(node, places) if places else ()
        if texts:
            yield node.lineno, texts[0] if len(texts) == 1 else (texts[0], texts[1])


def _texts(node: ast.Call, places: tuple[int, ...]) -> tuple[str, ...]:
    arguments = [node.args[place] for place in places if place < len(node.args)]
    values = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
    texts = tuple(value for value in values if isinstance(value, str) and value)
    return texts if len(texts) == len(places) else ()


def template() -> Catalog:
    """Return all messages with their files (no lines: they would change with every edit)."""
    catalogue = Catalog(project="Riwayat", charset="utf-8", fuzzy=False)
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        for _line, message in messages_of(path):
            catalogue.add(message, locations=[(place, 0)])
    for path in sorted((ROOT / "layouts" / "templates").glob("*.html")):
        with path.open("rb") as file:
            for _line, _function, found, _comments in babel_extract(file, ("_",), (), {}):
                catalogue.add(str(found), locations=[(path.relative_to(ROOT).as_posix(), 0)])
    for error in error_classes().values():
        catalogue.add(error().template, locations=[("errors.py", 0)])
    return catalogue


def update(language: str) -> Catalog:
    """Bring one language's catalogue in line: new messages empty, gone ones dropped. Returns it."""
    path = LOCALES / language / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    header = _HEADER.format(language=language, plurals=_PLURALS.get(language, "nplurals=2; plural=(n != 1);"))
    if not path.exists():
        path.write_text(header, encoding="utf-8")
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    catalogue.update(template(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    save(catalogue, path, header)
    return catalogue


def save(catalogue: Catalog, path: Path, header: str) -> None:
    """Write a catalogue, sorted, under a header without dates and names."""
    text = io.BytesIO()
    write_po(text, catalogue, sort_output=True, omit_header=True, include_lineno=False, width=120)
    path.write_text(header + text.getvalue().decode("utf-8").lstrip("\n"), encoding="utf-8")


def main() -> int:
    """Update all languages; 1 when a message is not translated."""
    empty = 0
    for language in sorted(set(LANGUAGES) - {DEFAULT_LANGUAGE}):
        for message in update(language):
            if message.id and not (all(message.string) if isinstance(message.string, tuple) else message.string):
                print(f"{language}: not translated: {message.id}", file=sys.stderr)  # noqa: T201
                empty += 1
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main())
