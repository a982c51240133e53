"""What no log line and no job's error may hold: passwords, keys, tokens, cookies, signed handles.
Hidden here, whoever wrote it.

Ours do not log them. This is for the text of others' errors,
and for the line that somebody adds one day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

HIDDEN: Final = "…"

_SECRET_NAME: Final = re.compile(r"authorization|cookie|passw(or)?d|secret|token|api_?key|signature|credential", re.IGNORECASE)
_QUERY_NAMES: Final = "job|cacheKey|oldJob|cancelJob|endId|token|key|code|state|secret|password|csrf"
_PATTERNS: Final = (
    (re.compile(r"(?im)^((?:proxy-)?authorization|(?:set-)?cookie|x-riwayat-proxy-secret): .*$"), rf"\1: {HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic) +[\w.~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    # its id tells whose it is, and opens nothing
    (re.compile(r"\brwk_([A-Za-z0-9]+)_[\w-]+"), rf"rwk_\1_{HIDDEN}"),
    (re.compile(r"\b(riwayat_(?:session|known)=)[^;,\s\"']+"), rf"\1{HIDDEN}"),
    # signed by itsdangerous: sessions, tokens
    (re.compile(r"\.?\be(?:yJ|J)[\w-]{6,}(?:\.[\w-]{4,})+"), HIDDEN),
    (re.compile(r"~[\w-]{20,}={0,2}"), f"~{HIDDEN}"),  # a handle that Dash has signed
    # of a database; a password may hold any of these letters
    (re.compile(r"(://[^\s:/@]*:)\S+@"), rf"\1{HIDDEN}@"),
    (re.compile(rf"([?&](?:{_QUERY_NAMES})=)[^&\s\"'#]+"), rf"\1{HIDDEN}"),
    (  # what is called a password; MySQL's "using password: YES" is none
        re.compile(
            r"""((?:password|passwd|pwd|secret|token)["']?\s*[=:]\s*)(?!(?:YES|NO)\))"""
            r"""b?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&)]+)""",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\$argon2\w*\$[^\s\"']+"), f"$argon2${HIDDEN}"),
)


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog, after exceptions have become text."""
    for name, value in event.items():
        event[name] = HIDDEN if _SECRET_NAME.search(name) and value else _without(value)
    return event


def without_secrets(text: str) -> str:
    """A text in which nothing that opens anything is left."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def _without(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, bytes):
        return without_secrets(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {name: HIDDEN if _SECRET_NAME.search(str(name)) and one else _without(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_without(one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_secrets(repr(value))
