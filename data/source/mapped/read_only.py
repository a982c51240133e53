"""``query`` of a mapping: one statement that reads, and nothing else.

The sessions of a mapped source are read-only as well
(:func:`data.source.mapped.source.as_others_see`), and the statement is run as a subquery only; this
tells what is wrong when the mapping is read, not when a job is.
"""

from __future__ import annotations

import re

# What is no word: a name or text in quotes, a comment. On MariaDB and MySQL, and nowhere else, a
# backslash hides a quote, and two dashes without a blank after them subtract.
_SKIPPED = r"'(?:[^'{0}]|''{1})*'|\"(?:[^\"{0}]|\"\"{1})*\"|`[^`]*`|{2}(?P<comment>--{3}[^\n]*|{4}/\*(?![!M]).*?\*/)"
_PLAIN = re.compile(_SKIPPED.format("", "", r"\$(\w*)\$.*?\$\1\$|", "", ""), re.DOTALL)
_ESCAPED = re.compile(_SKIPPED.format(r"\\", r"|\\.", "", r"(?!\S)", r"#[^\n]*|"), re.DOTALL)
_WRITES = {"INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "DROP", "ALTER", "CREATE", "TRUNCATE", "GRANT", "REVOKE", "CALL"}
_WRITES |= {"EXEC", "EXECUTE", "COPY", "ATTACH", "DETACH", "PRAGMA", "VACUUM"}
_LEFT = re.compile(r"/\*|['\"`]")


def refused(query: str, backend: str) -> str | None:
    """Why a query is none that may be run; None of one that may.
    ``backend`` is SQLAlchemy's name of the kind of database.
    """
    words = _words(query, backend)
    if _LEFT.search(words):
        return "a quote or a comment is not closed, or it is a comment that MariaDB would run"
    if ";" in words.rstrip().removesuffix(";"):
        return "there is a second statement after a semicolon"
    tokens = re.findall(r"[A-Za-z_]\w*|[()]", words)
    if not tokens or tokens[0].upper() not in {"SELECT", "WITH"}:
        return f"it begins with {tokens[0] if tokens else 'nothing'}"
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0:
            break
    if depth:
        return "its parentheses do not match"
    writing = [word for word, bracket in re.findall(r"([A-Za-z_]\w*)(\s*\()?", words) if word.upper() in _WRITES and not bracket]
    return f"it has the word {writing[0]}; put it in quotes where it is a name" if writing else None


def without_semicolon(query: str, backend: str) -> str:
    """A query that may be run, without the semicolon at its end and the comments that follow it."""
    words = _words(query, backend).rstrip()
    return query[: len(words) - 1] if words.endswith(";") else query


def _words(query: str, backend: str) -> str:
    """The query, as long as it was: blanks in place of comments, ~ of what is in quotes."""
    skipped = _ESCAPED if backend in {"mysql", "mariadb"} else _PLAIN
    return skipped.sub(lambda each: (" " if each["comment"] else "~") * len(each[0]), query)
