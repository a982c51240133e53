"""The colours of the pages: one file names them, and text can be read in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ASSETS = Path(__file__).resolve().parents[2] / "assets"
TOKENS = (ASSETS / "tokens.css").read_text(encoding="utf-8")
PLACE = re.compile(r"([^{}]+)\{([^{}]*)\}")
GROUNDS = ("ground", "panel", "accent-soft", "warning-soft", "danger-soft")


def themes() -> dict[str, dict[str, str]]:
    """Colours by name, of each block of the file that names some."""
    text = re.sub(r"/\*.*?\*/", "", TOKENS, flags=re.S)
    found = {where.strip(): dict(re.findall(r"--([a-z-]+):\s*([^;]+);", block)) for where, block in PLACE.findall(text)}
    return {where: colours for where, colours in found.items() if colours}


def contrast(one: str, other: str) -> float:
    """Of two colours #rrggbb, as WCAG 2.2 has it: 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative, 0 to 1 (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_dark_system_has_the_colours_of_the_dark_theme_and_both_name_all():
    light, dark, system = themes().values()
    assert dark == system
    assert light.keys() == dark.keys()


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_stands_out_from_every_ground(theme, ground):
    colours = list(themes().values())[theme]
    assert contrast(colours["ink"], colours[ground]) >= 4.5
    assert contrast(colours["muted"], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1])
def test_links_errors_buttons_and_the_edges_of_fields_stand_out(theme):
    colours = list(themes().values())[theme]
    for ground in ("ground", "panel"):
        assert contrast(colours["accent"], colours[ground]) >= 4.5
        assert contrast(colours["danger-line"], colours[ground]) >= 4.5
        assert contrast(colours["control-line"], colours[ground]) >= 3
    for ground in ("accent", "accent-strong"):
        assert contrast(colours["on-accent"], colours[ground]) >= 4.5


def test_no_other_style_sheet_names_a_colour_of_a_theme():
    named = {colour for colours in themes().values() for colour in colours.values() if colour.startswith("#")} - {"#ffffff"}
    for sheet in ASSETS.glob("*.css"):
        if sheet.name != "tokens.css":
            assert not named & set(re.findall(r"#[0-9a-f]{6}\b", sheet.read_text(encoding="utf-8"))), sheet.name
