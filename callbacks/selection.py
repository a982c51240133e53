"""What is looked at of a job: a window, a view and the view's options. All of it untrusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from analysis.inquiry import TREND
from data.flag_choice import FlagChoice, read_flags
from data.view.window import clip_window
from figures.history import Span
from figures.trend_options import FLAGS, TREND_OPTIONS
from jobs.job import Job
from layouts.table import TABLE
from layouts.views import drawn_analyses

_MOST_OPTIONS: Final = 20
_LONGEST: Final = 2000  # characters of an option


@dataclass(frozen=True)
class Selection:
    """A window [start, end) of a job in ms UTC (None: all of it), the view of it and its options.

    ``sequence`` numbers the user's gestures: 0 before the first.
    """

    job: object = None
    start: object = None
    end: object = None
    view: str = TREND
    options: Mapping[str, str] = field(default_factory=dict)
    sequence: int = 0

    @classmethod
    def of(cls, stored: object) -> Selection:
        """Return what the page's store holds; what it cannot mean is left out."""
        known = stored if isinstance(stored, dict) else {}
        number = known.get("sequence")
        found = cls(known.get("job"), known.get("start"), known.get("end"), sequence=number if isinstance(number, int) else 0)
        return found.with_view(known.get("view"), known.get("options"))

    def with_view(self, view: object, options: object) -> Selection:
        """Return the same window in another view; Trend where there is no such view, of which
        only known options are kept.
        """
        texts = options if isinstance(options, Mapping) else {}
        kept = {name: text for name, text in texts.items() if isinstance(text, str) and len(text) <= _LONGEST and text.strip()}
        if not isinstance(view, str) or view not in (*drawn_analyses(), TABLE):
            return replace(self, view=TREND, options={name: kept[name] for name in TREND_OPTIONS if name in kept})
        return replace(self, view=view, options=dict(list(kept.items())[:_MOST_OPTIONS]))

    @property
    def flags(self) -> FlagChoice:
        """Which flags of rules count; raises InvalidRequest where there is no such choice."""
        return read_flags(self.options.get(FLAGS))

    @property
    def own_options(self) -> dict[str, str]:
        """Options of this view alone."""
        return {name: text for name, text in self.options.items() if name != FLAGS}

    def span(self, job: Job) -> Span:
        """The window, if it is one of this job; else the whole request."""
        ours = self.job == job.id
        return clip_window(job.request, self.start if ours else None, self.end if ours else None)

    @property
    def stored(self) -> dict[str, Any]:
        """Return it as the page's store holds it."""
        window = {"start": self.start, "end": self.end, "job": self.job, "sequence": self.sequence}
        return {**window, "view": self.view, "options": dict(self.options)}
