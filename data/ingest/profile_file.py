"""Profiles as TOML files: where one is found, and what is said of one that cannot be read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from errors import ConfigurationError

_TAGS: Final = frozenset({"value", "quality"})  # pydantic's names for kinds of rules; no keys of a file

_Profile = TypeVar("_Profile", bound=BaseModel)


def bundled_files(folder: Path) -> dict[str, Path]:
    """Return the profiles of a folder that comes with Riwayat, by name."""
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def read_profile(name: str | Path, bundled: Path, kind: type[_Profile]) -> _Profile:
    """Return a profile: the path of a TOML file, or the name of one in the folder ``bundled``.

    Raises:
        ConfigurationError: naming file, key and what was expected.
    """
    path = Path(name)
    if not path.exists():
        path = bundled_files(bundled).get(str(name), path)
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise ConfigurationError(
            "Cannot read the profile {path}: {why}. It may be a file or one of {known}.",
            path=path,
            why=exc.strerror,
            known=", ".join(bundled_files(bundled)),
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError("The profile {path} is not TOML: {why}.", path=path, why=exc) from exc
    except ValidationError as exc:
        wrong = "; ".join(_describe(error["loc"], error["msg"], error.get("input")) for error in exc.errors())
        raise ConfigurationError("The profile {path} is wrong: {wrong}.", path=path, wrong=wrong) from exc


def _describe(place: tuple[int | str, ...], message: str, given: object) -> str:
    keys = [str(part) for part in place if part not in _TAGS]
    short = f" (given {given!r})" if isinstance(given, str | int | float) else ""
    return f"{'.'.join(keys) or 'profile'}: {message.removeprefix('Value error, ')}{short}"
