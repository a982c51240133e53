"""Which flags of the rules of quality control count (docs/decisions/0039)."""

from __future__ import annotations

from typing import Final, Literal, get_args

from errors import InvalidRequest

FlagChoice = Literal["none", "hard", "all"]
"""``none``; ``hard``: readings that cannot be right are flagged; ``all``: suspect ones too."""

FLAG_CHOICES: Final[tuple[FlagChoice, ...]] = get_args(FlagChoice)
LEFT_OUT: Final[tuple[FlagChoice, ...]] = ("hard", "all")  # choices by which some readings leave
USUAL_FLAGS: Final[FlagChoice] = "hard"


def read_flags(text: str | None) -> FlagChoice:
    """Return the choice that a text of an address names; the usual one of an empty one.

    Raises:
        InvalidRequest: there is no such choice.
    """
    if not text:
        return USUAL_FLAGS
    for choice in FLAG_CHOICES:
        if text == choice:
            return choice
    raise InvalidRequest(
        "There is no {name} {value}; use {known}.", field="flags", name="flags", value=text[:40], known=", ".join(FLAG_CHOICES)
    )
