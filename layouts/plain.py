"""Pages without Dash: templates, in which everything is escaped, in the request's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from i18n import LANGUAGES, gettext
from layouts.document import THEME_SCRIPT

TEMPLATES: Final = Path(__file__).with_name("templates")
_ASSETS: Final = Path(__file__).parent.with_name("assets")

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True)
class Appearance:
    """How a plain page looks: the site's prefix, language, theme (auto, light or dark)."""

    prefix: str
    language: str
    theme_choice: str = "auto"


def render(template: str, appearance: Appearance, **values: Any) -> str:
    """A page as HTML text. Without a chosen theme the style sheet follows the system's,
    also without scripts.
    """
    return _ENVIRONMENT.get_template(template).render(
        _=gettext,
        prefix=appearance.prefix,
        language=appearance.language,
        theme_choice=appearance.theme_choice,
        shade="" if appearance.theme_choice == "auto" else appearance.theme_choice,
        theme_script=Markup(THEME_SCRIPT),  # noqa: S704 - ours; its hash is in the page's policy # nosec B704
        all_languages=sorted(LANGUAGES.items(), reverse=True),
        asset=asset_address(appearance.prefix),
        bootstrap=bootstrap_address(appearance.prefix),
        **values,
    )


def bootstrap_address(prefix: str) -> str:
    """Address of Bootstrap's style sheet, which changes with its version."""
    return f"{prefix}bootstrap.css?v={version('Bootstrap-Flask')}"


def asset_address(prefix: str) -> Callable[[str], str]:
    """Addresses of files of ``assets/``; like Dash's they change with the file,
    so that browsers may keep them.
    """

    def address(name: str) -> str:
        return f"{prefix}assets/{name}?m={(_ASSETS / name).stat().st_mtime}"

    return address
