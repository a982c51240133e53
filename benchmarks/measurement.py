"""One measured thing and what it must reach."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Measurement:
    """``measured`` and ``limit`` are in ``unit`` (ms, s, ×, %, MB, kB);
    ``better`` says on which side of the limit it must lie.

    ``note`` says what a reader must know to believe it: rows, tiles, the two times of a ratio.
    """

    what: str
    measured: float
    unit: str
    limit: float
    better: Literal["less", "more"] = "less"
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.measured <= self.limit if self.better == "less" else self.measured >= self.limit

    @property
    def ratio(self) -> float | None:
        """Measured divided by the limit; None where the limit is 0."""
        return self.measured / self.limit if self.limit else None

    @property
    def target(self) -> str:
        """The limit in words, such as ``≤ 30 ms``."""
        return f"{'≤' if self.better == 'less' else '≥'} {self.limit:g} {self.unit}"

    def as_json(self) -> dict[str, Any]:
        """Plain data, with target, ratio and met."""
        return asdict(self) | {"target": self.target, "ratio": self.ratio, "met": self.met}
