"""Answers as bytes and back, exactly: records, arrays and moments by the types of their fields.

A digest, a line feed, then JSON that is compressed by zlib. A record is the list of its fields, an
array its dtype, shape and bytes in base64. Nothing but numbers, text and lists is read, so a file
of others can be wrong and do no harm.
"""

from __future__ import annotations

import base64
import hashlib
import json
import types
import zlib
from collections.abc import Callable, Mapping
from dataclasses import astuple, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from analysis.answer import Answer, Method, Moment, SubjectAnswer
from analysis.registry import find

_MOST_BYTES: Final = 256_000_000  # of an answer's JSON
_DTYPES: Final = frozenset({"<f8", "<i8", "<i4", "<i2", "|b1"})
_DATA: Final = Path(__file__).parent.parent / "data"
_CODE: Final = (
    Path(__file__).parent,
    _DATA / "view",
    _DATA / "quality.toml",
    _DATA / "quality_limits.py",
)  # what makes the numbers


class NoAnswer(ValueError):
    """The bytes are no answer: damaged, or of another version."""


@cache
def code_digest() -> str:
    """Return 16 hexadecimal digits that differ when the code of an analysis may."""
    digest = hashlib.blake2b(digest_size=8)
    for path in (path for place in _CODE for path in ([place] if place.is_file() else sorted(place.rglob("*.py")))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def encode(answer: Answer) -> bytes:
    """Return an answer as bytes; :func:`decode` is the inverse."""
    head = [answer.analysis, answer.start_ms, answer.end_ms, answer.timezone, _plain(dict(answer.options))]
    subjects = [_plain(subject) for subject in answer.subjects]
    methods = [list(astuple(method)) for method in answer.method]
    body = zlib.compress(json.dumps([*head, subjects, methods]).encode(), 1)
    return _digest(body) + b"\n" + body


def decode(content: bytes) -> Answer:
    """Return the answer that :func:`encode` wrote.

    Raises:
        NoAnswer: the bytes are damaged, or another version wrote them.
    """
    digest, _, body = content.partition(b"\n")
    if digest != _digest(body):
        raise NoAnswer("the digest is another one")
    try:
        name, start, end, timezone, options, subjects, methods = json.loads(zlib.decompressobj().decompress(body, _MOST_BYTES))
        analysis = find(name)
        record = get_type_hints(analysis.module.run)["return"]
        return Answer(
            analysis=name,
            start_ms=int(start),
            end_ms=int(end),
            timezone=str(timezone),
            options=analysis.module.Options.model_validate(options).model_dump(),
            subjects=tuple(_subject(subject, record) for subject in subjects),
            method=tuple(Method(*method) for method in methods),
        )
    except Exception as exc:
        raise NoAnswer(f"it cannot be read: {exc}") from exc


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).hexdigest().encode()


def _subject(parts: list[Any], record: Any) -> SubjectAnswer:
    *named, result = parts
    known = [_reader(hint)(value) for value, hint in zip(named, _hints(SubjectAnswer).values(), strict=False)]
    station, sensors, units, rows = known
    return SubjectAnswer(station, sensors, units, rows, _reader(record)(result))


@cache
def _hints(record: Any) -> dict[str, Any]:
    """The types of a record's fields, in their order."""
    found = get_type_hints(record)
    return {field.name: found[field.name] for field in fields(record)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return [_plain(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, np.ndarray):
        little = value.astype(value.dtype.newbyteorder("<"))
        return [little.dtype.str, list(value.shape), base64.b64encode(np.ascontiguousarray(little).tobytes()).decode()]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    """What makes a value of a type, or None, of what :func:`_plain` made of it."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _reader(next(each for each in inside if each is not type(None)))
    if origin is Literal:
        return lambda value: value
    read = _reader_of(hint, origin, inside)
    return lambda value: None if value is None else read(value)


def _reader_of(hint: Any, origin: Any, inside: tuple[Any, ...]) -> Callable[[Any], Any]:
    if hint is np.ndarray or origin is np.ndarray:
        return lambda value: _array(*value)
    if is_dataclass(hint):
        return lambda value: _records(hint, [value])[0]
    if origin is dict:
        of_dict = _reader(inside[1])
        return lambda value: {name: of_dict(each) for name, each in value.items()}
    if origin is not tuple:
        simple: Callable[[Any], Any] = _SIMPLE[hint]
        return simple
    if inside[-1] is not Ellipsis:
        readers = [_reader(one) for one in inside]
        return lambda value: tuple(read(one) for read, one in zip(readers, value, strict=True))
    if is_dataclass(inside[0]):
        return lambda value: tuple(_records(inside[0], value))
    of_all = _reader(inside[0])
    return lambda value: tuple(map(of_all, value))


def _records(record: Any, values: list[list[Any]]) -> list[Any]:
    """Records of lists of their fields; field by field, since a calendar has thousands of days."""
    if not values:
        return []
    columns = zip(_hints(record).values(), zip(*values, strict=True), strict=True)
    return list(map(record, *(map(_reader(hint), column) for hint, column in columns)))


_SIMPLE: Final = {Moment: Moment, int: int, float: float, str: str, bool: bool}


def _array(dtype: str, shape: list[int], content: str) -> np.ndarray:
    if dtype not in _DTYPES:
        raise NoAnswer(f"no answer has an array of {dtype}")
    return np.frombuffer(base64.b64decode(content), dtype).reshape(shape).copy()
