"""What a job of an analysis is asked, beside its request: which analysis, of which window, with
which options, whether flagged readings count, and which flags of rules do.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

from pydantic import BaseModel

from data.flag_choice import FlagChoice

TREND: Final = "trend"  # the view of lines and bars, which asks nothing; every other one is an analysis


@dataclass(frozen=True)
class Inquiry:
    """An analysis by its name, the window [start_ms, end_ms) in int ms UTC, ``options`` as JSON
    with sorted keys, whether flagged readings count, and which flags of rules do. Equal questions
    are equal objects.
    """

    analysis: str
    start_ms: int
    end_ms: int
    options: str = "{}"
    flagged: bool = False
    flags: FlagChoice = "none"

    @classmethod
    def of(cls, name: str, span: tuple[int, int], options: BaseModel, *, flagged: bool, flags: FlagChoice = "none") -> Inquiry:
        """Return the inquiry of a window, with options that were checked."""
        return cls(name, *span, json.dumps(options.model_dump(mode="json"), sort_keys=True, ensure_ascii=False), flagged, flags)

    @property
    def span(self) -> tuple[int, int]:
        """The window."""
        return self.start_ms, self.end_ms

    def to_json(self) -> str:
        """JSON with sorted keys; :meth:`from_json` is the inverse."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Inquiry:
        """The inquiry that :meth:`to_json` wrote."""
        return cls(**json.loads(text))
