"""What a load would take, said before the click."""

from __future__ import annotations

import threading
import time
from statistics import median

from data.load_plan import Plan
from i18n import format_about, format_duration, ngettext
from i18n import gettext as _
from jobs.ledger.ledger import Ledger

_REMEMBER_S = 30.0
_LOADS = 20
_START_S = 0.3  # from click to the first row


class Speed:
    """How fast this site's recent loads went, in observations × sensors a second; kept for half a
    minute.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._value: float | None = None
        self._until = 0.0

    def rows_a_second(self) -> float | None:
        """The median of the latest loads that read enough to tell; None where there are none."""
        with self._lock:
            if time.monotonic() >= self._until:
                speeds = self._ledger.load_speeds(_LOADS)
                self._value = median(speeds) if speeds else None
                self._until = time.monotonic() + _REMEMBER_S
            return self._value


def estimate_words(plan: Plan, rows_a_second: float | None) -> str:
    """Return ``About 10.5 M readings · 40 % ready · about 3 s``, and which stations lack data. How
    long it takes is not said where nobody can tell: ``rows_a_second`` is None.
    """
    words = ngettext("About {number} reading", "About {number} readings", plan.rows_total)
    parts = [words.format(number=format_about(plan.rows_total))]
    if plan.is_complete:
        parts.append(_("ready"))
    else:
        on_disk = 100 * (1 - plan.rows_missing / plan.rows_tiles) if plan.rows_tiles else 0.0
        parts.append(_("{percent} % ready").format(percent=min(99, max(0, int(on_disk)))))
        if rows_a_second:
            parts.append(_("about {duration}").format(duration=format_duration(_START_S + plan.rows_missing / rows_a_second)))
    if plan.without_data and not plan.sync_due:
        parts.append(_("no data in this range: {stations}").format(stations=", ".join(plan.without_data)))
    return " · ".join(parts)
