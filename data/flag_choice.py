"""Which flags of the rules of quality control count (docs/decisions/0039)."""

from __future__ import annotations

from typing import Final, Literal, get_args

FlagChoice = Literal["none", "hard", "all"]
"""``none``; ``hard``: readings that cannot be right are flagged; ``all``: suspect ones too."""

FLAG_CHOICES: Final[tuple[FlagChoice, ...]] = get_args(FlagChoice)
LEFT_OUT: Final[tuple[FlagChoice, ...]] = ("hard", "all")  # choices by which some readings leave
USUAL_FLAGS: Final[FlagChoice] = "hard"
