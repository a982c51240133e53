"""Looking at new readings for alarms: each reading once, whatever restarts.

Called by the worker once a minute where there is a rule, and by ``manage.py alarms evaluate`` at
any time; by several at once, of whom one writes.
"""

from __future__ import annotations

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
from errors import NoData, RiwayatError, UnknownStation
from jobs.kinds.history import load_history

NO_READINGS = AlarmReadings(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))

log = structlog.get_logger(__name__)


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
        for station in stations:
            try:
                found += self._look_at(rule, identity, station, known.get(station.name), now_ms)
            except RiwayatError as exc:
                why = exc.message
        return found, why

    def _look_at(
        self, rule: AlarmRule, identity: Identity, station: StationInventory, known: AlarmState | None, now_ms: int
    ) -> int:
        span = station.span_of(rule.wishes.sensor)
        if span is None:
            return 0
        before = known or AlarmState("normal", rule.created_ms, min(rule.created_ms, span[1]))
        if span[1] > before.seen_ms:
            readings = self._read(rule, identity, station.name, before, min(span[1], now_ms))
        elif rule.wishes.condition.kind == "silent":
            readings = NO_READINGS
        else:
            return 0
        after, changes = go_on(rule.wishes.condition, before, readings, now_ms)
        if after == before and not changes:
            return 0
        step = AlarmStep(station.name, known, after, changes)
        return len(changes) if note_step(self.access.engine, rule, step, now_ms) else 0

    def _read(self, rule: AlarmRule, identity: Identity, station: str, before: AlarmState, last_ms: int) -> AlarmReadings:
        """Load the readings that were not seen yet, and those to which a change looks back."""
        back_ms = rule.wishes.condition.within_ms if rule.wishes.condition.kind == "change" else 0
        span = before.seen_ms - back_ms - 1, last_ms + 1
        if span[0] >= span[1]:  # stamped later than now
            return NO_READINGS
        request = HistoryRequest((station,), (rule.wishes.sensor,), *span)
        seen = require_permission(self.site, identity, request, Purpose.EXPORT)
        check_asked(seen, "UTC")
        try:
            load_history(self.site.knowing(request.sensors), request, lambda _progress: None, seen)
        except NoData:  # the station sends something else
            return NO_READINGS
        times, values, flags = ask(seen, request, span).series[0].series.read()
        return AlarmReadings(times, values, flags.astype(np.int64))
