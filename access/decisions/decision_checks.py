"""What may be decided: which series, spans, rules, amounts and reasons, and by whom."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from access.grants import Purpose
from access.identity import Identity
from access.restricted_site import require_permission
from analysis.quality.review import RULES
from data.decision import CORRECTIONS, DECISION_KINDS, Decision
from data.request import HistoryRequest
from data.site import Site
from data.time.epoch import DAY_MS, EARLIEST_MS, LATEST_MS
from errors import InvalidRequest, UnknownSensor

LONGEST_REASON: Final = 500  # characters
LONGEST_SHIFT_MS: Final = 30 * DAY_MS
_WITH_AMOUNT: Final = ("offset", "factor", "shift")


def checked_reason(kind: str, reason: str) -> str:
    """Return a reason without space around it, whatever else is in it.

    Raises:
        InvalidRequest: a correction has none, it is too long, or no database could keep it.
    """
    text = reason.strip()
    if not text and kind in CORRECTIONS:
        raise InvalidRequest("A correction needs a reason.", field="reason")
    is_kept = "\0" not in text and text.encode("utf-8", "ignore").decode() == text
    if len(text) > LONGEST_REASON or not is_kept:
        raise InvalidRequest("A reason has at most {most} characters.", field="reason", most=LONGEST_REASON)
    return text


Series = tuple[str, str]
IsRecorded = Callable[[Site, Series], bool]
"""Returns whether a station has a sensor; raises UnknownStation."""


def is_recorded(seen: Site, series: Series) -> bool:
    """Return whether a station has a sensor, measured or derived, as the inventory says."""
    station, sensor = series
    return sensor in seen.inventory.station(station).sensors


def check_decision(site: Site, identity: Identity, draft: Decision, recorded: IsRecorded = is_recorded) -> None:
    """Refuse a decision that cannot be made, or not by an identity; its number does not count.
    ``recorded`` asks the inventory.

    Raises:
        UnknownStation, UnknownSensor: there is none, or nothing of it is granted.
        NotPermitted: the identity may not review all that it touches, or not see what fills in.
        InvalidRequest: a part of it means nothing; ``field`` is which.
    """
    _check_span(draft)
    _check_kind(draft)
    _check_series(site, identity, draft, recorded)
    if draft.filled_from is not None:
        _check_filling(site, identity, draft, draft.filled_from, recorded)


def reviewed_span(draft: Decision) -> HistoryRequest:
    """Return what an identity must be allowed to review for a decision, and what a load makes anew
    after it.
    """
    start_ms, end_ms = draft.touched_ms
    return HistoryRequest((draft.station,), (draft.sensor,), start_ms, end_ms + 1)


def _check_span(draft: Decision) -> None:
    if draft.start_ms > draft.end_ms:
        raise InvalidRequest("The end must not be before the start.", field="to")
    first_ms, last_ms = draft.touched_ms
    if first_ms < EARLIEST_MS or last_ms >= LATEST_MS:
        raise InvalidRequest("The years must be between 1 and 9999.", field="from")


def _check_kind(draft: Decision) -> None:
    if draft.kind not in DECISION_KINDS:
        raise InvalidRequest(
            "There is no {name} {value}; use {known}.",
            field="kind",
            name="kind",
            value=repr(draft.kind)[:40],
            known=", ".join(DECISION_KINDS),
        )
    if draft.rule is not None:
        _check_rule(draft.kind, draft.rule)
    if (draft.filled_from is not None) != (draft.kind == "fill"):
        raise InvalidRequest("Name the series that fills in for fill, and for fill only.", field="filled_from")
    if (draft.amount is not None) != (draft.kind in _WITH_AMOUNT):
        raise InvalidRequest("Give an amount for offset, factor and shift, and for these only.", field="amount")
    if draft.amount is not None:
        _check_amount(draft.kind, draft.amount)


def _check_rule(kind: str, rule: str) -> None:
    if kind in CORRECTIONS:
        raise InvalidRequest("A correction is of no rule.", field="rule")
    if rule not in RULES:
        raise InvalidRequest(
            "There is no {name} {value}; use {known}.", field="rule", name="rule", value=repr(rule)[:40], known=", ".join(RULES)
        )


def _check_amount(kind: str, amount: float) -> None:
    if not math.isfinite(amount):
        raise InvalidRequest("The amount must be a finite number.", field="amount")
    if kind == "factor" and amount == 0:
        raise InvalidRequest("A factor must not be 0.", field="amount")
    if kind == "shift" and (amount != round(amount) or abs(amount) > LONGEST_SHIFT_MS):
        raise InvalidRequest("A shift is a whole number of milliseconds, at most 30 days.", field="amount")


def _check_series(site: Site, identity: Identity, draft: Decision, recorded: IsRecorded) -> None:
    known = site.knowing([draft.sensor])
    is_derived = draft.sensor in known.catalogue and bool(known.catalogue[draft.sensor].formula)
    purpose = Purpose.VIEW if is_derived else Purpose.REVIEW
    seen = require_permission(known, identity, reviewed_span(draft), purpose)
    if is_derived:
        raise InvalidRequest(
            "{sensor} is computed. Decide about what it is made of: {inputs}.",
            field="sensor",
            sensor=draft.sensor,
            inputs=", ".join(one.reference.shown for one in seen.catalogue[draft.sensor].inputs),
        )
    if not recorded(seen, (draft.station, draft.sensor)):
        raise _not_recorded((draft.station, draft.sensor), "sensor")


def _check_filling(site: Site, identity: Identity, draft: Decision, filled_from: Series, recorded: IsRecorded) -> None:
    """A series may fill in where the identity may see it: who sees the filled one will see its
    readings.
    """
    if filled_from == (draft.station, draft.sensor):
        raise InvalidRequest("A series cannot be filled from itself.", field="filled_from")
    station, sensor = filled_from
    request = HistoryRequest((station,), (sensor,), draft.start_ms, draft.end_ms + 1)
    seen = require_permission(site.knowing([sensor]), identity, request, Purpose.VIEW)
    if not recorded(seen, filled_from):
        raise _not_recorded(filled_from, "filled_from")


def _not_recorded(series: Series, field: str) -> UnknownSensor:
    station, sensor = series
    return UnknownSensor("{station} has no sensor {sensor}.", field=field, station=station, sensor=sensor)
