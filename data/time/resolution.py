"""Resolutions: the lengths of buckets that a request can name; ``raw`` is none."""

from __future__ import annotations

from typing import Literal, get_args

Resolution = Literal["raw", "1min", "10min", "1h", "1d", "1mo", "1y"]
RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)
RESOLUTION_LIST = f"{', '.join(RESOLUTIONS[:-1])} or {RESOLUTIONS[-1]}"  # in a sentence
