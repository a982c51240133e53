"""Looking at new readings for alarms: each reading once, whatever restarts.

Called by the worker once a minute where there is a rule, and by ``manage.py alarms evaluate`` at
any time; by several at once, of whom one writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from access.alarm_rules.alarm_rule import AlarmRule, AlarmWishes, all_alarms, note_trouble
from access.alarm_rules.alarm_states import AlarmStep, note_step, stations_of
from access.grants import Purpose
from access.identity import Identity, owner_identity
from access.restricted_site import require_permission, restricted_site
from access.store import AccessStore
from analysis.alarms import AlarmReadings, AlarmState, go_on
from analysis.question import ask, check_asked
from data.inventory import StationInventory
from data.request import HistoryRequest
from data.site import Site
from data.source_sync import sync_inventory
from data.time.epoch import MINUTE_MS
from data.time.months import month_of
from errors import NoData, RiwayatError, UnknownStation
from jobs.kinds.history import load_history

NO_READINGS = AlarmReadings(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Look:
    """A station to be looked at: the state that is written (None: none yet), the one to go on from,
    and the span [start, end) of the readings that are new or needed again; None: there are none.
    """

    station: str
    known: AlarmState | None
    before: AlarmState
    span: tuple[int, int] | None


def watched_stations(site: Site, identity: Identity, wishes: AlarmWishes) -> list[StationInventory]:
    """Return the stations at which an alarm of an identity looks.

    Raises:
        UnknownSensor: there is no such sensor, or the identity may not see it.
        UnknownStation: none of the stations has it, or may be seen.
    """
    seen = restricted_site(site.knowing([wishes.sensor]), identity.rights)
    sensor = seen.catalogue[wishes.sensor].name
    found = [each for each in seen.inventory.stations() if wishes.names(each.name) and sensor in each.sensors]
    if not found:
        stations = ", ".join(wishes.stations)[:200]
        raise UnknownStation("There is no station {stations} with {sensor}.", field="stations", stations=stations, sensor=sensor)
    return found


def require_alarm(site: Site, identity: Identity, wishes: AlarmWishes, now_ms: int) -> None:
    """Refuse whoever may not have mails of what comes in from now on (int ms UTC) where an alarm
    looks.

    Raises:
        UnknownStation, UnknownSensor: as :func:`watched_stations`.
        NotPermitted: the identity may not export it.
    """
    names = tuple(each.name for each in watched_stations(site, identity, wishes))
    following = HistoryRequest(names, (wishes.sensor,), now_ms, now_ms + MINUTE_MS)
    check_asked(require_permission(site, identity, following, Purpose.EXPORT), "UTC")


@dataclass(frozen=True)
class AlarmEvaluator:
    """What alarms are looked at with."""

    site: Site
    access: AccessStore

    def run(self, now_ms: int) -> int:
        """Look at the readings up to ``now_ms`` (int ms UTC); return how many
        changes there were.
        """
        found, rules = 0, all_alarms(self.access.engine)
        if rules:
            sync_inventory(self.site)
        for rule in rules:
            changes, why = self._look(rule, now_ms)
            found += changes
            if why:
                log.warning("an alarm cannot be looked at", alarm=rule.id, reason=why)
            note_trouble(self.access.engine, rule, why)
        return found

    def _look(self, rule: AlarmRule, now_ms: int) -> tuple[int, str]:
        """Look at all stations of a rule: how many changes there were, and why not of one."""
        found, why = 0, ""
        try:
            identity = owner_identity(self.site.settings, self.access, rule.owner)
            stations = watched_stations(self.site, identity, rule.wishes)
            known = {each.station: each.state for each in stations_of(self.access.engine, rule.id)}
        except RiwayatError as exc:
            return 0, exc.message
        looks = [each for one in stations if (each := _next_look(rule, one, known.get(one.name), now_ms)) is not None]
        loaded = self._load_together(rule, identity, looks)
        for look in looks:
            try:
                found += self._look_at(rule, identity, look, now_ms, look.station in loaded)
            except RiwayatError as exc:
                why = exc.message
        return found, why

    def _look_at(self, rule: AlarmRule, identity: Identity, look: _Look, now_ms: int, is_loaded: bool) -> int:
        """Look at a station, and write what is found; return how many changes there were."""
        readings = NO_READINGS
        if look.span is not None:
            request = HistoryRequest((look.station,), (rule.wishes.sensor,), *look.span)
            seen = self._permitted(identity, request)
            if is_loaded or self._load(request, seen):
                times, values, flags = ask(seen, request, look.span).series[0].series.read()
                readings = AlarmReadings(times, values, flags.astype(np.int64))
        after, changes = go_on(rule.wishes.condition, look.before, readings, now_ms)
        if after == look.before and not changes:
            return 0
        step = AlarmStep(look.station, look.known, after, changes)
        return len(changes) if note_step(self.access.engine, rule, step, now_ms) else 0

    def _load_together(self, rule: AlarmRule, identity: Identity, looks: Sequence[_Look]) -> set[str]:
        """Load what stations lack whose new readings begin in the same month, as one; return the
        stations of which that was done. The others are loaded by themselves, and say why not.
        """
        months: dict[int, list[tuple[str, tuple[int, int]]]] = {}
        for look in looks:
            if look.span is not None:
                months.setdefault(month_of(look.span[0]), []).append((look.station, look.span))
        loaded: set[str] = set()
        for found in months.values():
            names = tuple(name for name, _span in found)
            whole = min(span[0] for _name, span in found), max(span[1] for _name, span in found)
            request = HistoryRequest(names, (rule.wishes.sensor,), *whole)
            try:
                self._load(request, self._permitted(identity, request))
            except RiwayatError:
                continue
            loaded.update(names)
        return loaded

    def _permitted(self, identity: Identity, request: HistoryRequest) -> Site:
        seen = require_permission(self.site, identity, request, Purpose.EXPORT)
        check_asked(seen, "UTC")
        return seen

    def _load(self, request: HistoryRequest, seen: Site) -> bool:
        """Load what is missing; False where there is nothing of the sensor at that time."""
        try:
            load_history(self.site.knowing(request.sensors), request, lambda _progress: None, seen)
        except NoData:  # the station sends something else
            return False
        return True


def _next_look(rule: AlarmRule, station: StationInventory, known: AlarmState | None, now_ms: int) -> _Look | None:
    """Return what is to be looked at of a station; None where there is nothing new."""
    condition, recorded = rule.wishes.condition, station.span_of(rule.wishes.sensor)
    if recorded is None:
        return None
    before = known or AlarmState("normal", rule.created_ms, min(rule.created_ms, recorded[1]))
    last_ms = min(recorded[1], now_ms)  # one stamped later than now waits until then
    if last_ms > before.seen_ms:
        back_ms = condition.within_ms if condition.kind == "change" else 0
        return _Look(station.name, known, before, (before.seen_ms - back_ms - 1, last_ms + 1))
    return _Look(station.name, known, before, None) if condition.kind == "silent" else None
