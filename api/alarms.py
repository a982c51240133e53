"""Alarms over HTTP: list, add, change, remove, test, acknowledge."""

from __future__ import annotations

from typing import Final

from flask import Response, jsonify

from access.alarm_rules.alarm_messages import queue_test
from access.alarm_rules.alarm_rule import AlarmWishes, add_alarm, change_alarm, find_own_alarm, remove_alarm, visible_alarms
from access.alarm_rules.alarm_states import acknowledge, events_of
from access.identity import Identity
from api.alarm_inputs import AlarmEventsQuery, AlarmSeen, NewAlarm
from api.alarm_outputs import AlarmAnswer, AlarmEventList, AlarmList
from api.jobs import ApiServices
from api.operations import Answer, Api
from data.time.epoch import epoch_ms
from errors import Conflict
from i18n import current_language
from reports.alarm_evaluation import require_alarm
from reports.report_schedules import mails
from reports.told_alarms import told_alarm, told_event

_ALARM: Final = Answer("The alarm.", AlarmAnswer)


def add_alarm_routes(api: Api, services: ApiServices) -> None:
    """``/api/alarms``: the rules, and what becomes of them."""
    _add_rules(api, services)
    _add_states(api, services)


def _add_rules(api: Api, services: ApiServices) -> None:
    engine = services.access.engine

    @api.get("/api/alarms", {200: Answer("The list.", AlarmList)}, scope="read")
    def list_alarms() -> Response:
        """One's own alarms with their state at each station; of an administrator those of all."""
        found = visible_alarms(engine, services.identify())
        return jsonify(mail=mails(services.settings), alarms=[told_alarm(engine, each) for each in found])

    @api.post("/api/alarms", {201: _ALARM}, 400, 409, scope="export", body=NewAlarm)
    def create_alarm(body: NewAlarm) -> Response:
        """Look at new readings from now on, with one's rights, and mail when it fires and is over.

        Refused (409) where the site has no mail server.
        """
        identity = services.identify()
        answer = jsonify(told_alarm(engine, add_alarm(services.access, identity.user, _wished(services, identity, body))))
        answer.status_code = 201
        return answer

    @api.post("/api/alarms/<alarm_id>", {200: _ALARM}, 400, 404, 409, scope="export", body=NewAlarm)
    def replace_alarm(alarm_id: str, body: NewAlarm) -> Response:
        """Make an alarm of one's own another. With another sensor or condition it begins anew."""
        identity = services.identify()
        rule = find_own_alarm(engine, identity, alarm_id, alone=True)
        changed = change_alarm(services.access, rule, _wished(services, identity, body))
        return jsonify(told_alarm(engine, changed))

    @api.delete("/api/alarms/<alarm_id>", {204: Answer("It is gone.")}, 404, scope="export")
    def delete_alarm(alarm_id: str) -> Response:
        """Remove an alarm with its history; an administrator may remove any."""
        remove_alarm(services.access, find_own_alarm(engine, services.identify(), alarm_id).id)
        return Response(status=204)


def _add_states(api: Api, services: ApiServices) -> None:
    engine = services.access.engine

    @api.get(
        "/api/alarms/<alarm_id>/events",
        {200: Answer("The changes.", AlarmEventList)},
        400,
        404,
        scope="read",
        query=AlarmEventsQuery,
    )
    def list_alarm_events(alarm_id: str, query: AlarmEventsQuery) -> Response:
        """What became of an alarm, newest first."""
        rule = find_own_alarm(engine, services.identify(), alarm_id)
        return jsonify(events=[told_event(each) for each in events_of(engine, rule.id, query.limit)])

    @api.post(
        "/api/alarms/<alarm_id>/test",
        {202: Answer("It is sent within a minute or so.", AlarmAnswer)},
        400,
        404,
        409,
        scope="export",
    )
    def test_alarm(alarm_id: str) -> Response:
        """Send a test mail to the addresses of an alarm; once a minute at most (409)."""
        rule = find_own_alarm(engine, services.identify(), alarm_id)
        _require_mail(services)
        queue_test(engine, rule, epoch_ms())
        answer = jsonify(told_alarm(engine, rule))
        answer.status_code = 202
        return answer

    @api.post("/api/alarms/<alarm_id>/acknowledge", {200: _ALARM}, 400, 404, 409, scope="load", body=AlarmSeen)
    def acknowledge_alarm(alarm_id: str, body: AlarmSeen) -> Response:
        """Say that one has seen that an alarm fires at a station; 409 where it does not."""
        identity = services.identify()
        rule = find_own_alarm(engine, identity, alarm_id)
        acknowledge(services.access, rule, body.station, identity.user)
        return jsonify(told_alarm(engine, rule))


def _wished(services: ApiServices, identity: Identity, body: NewAlarm) -> AlarmWishes:
    """Return what a body wishes, if the identity may."""
    wishes = body.wishes(services.settings.timezone, current_language())
    wishes.check()
    _require_mail(services)
    require_alarm(services.site, identity, wishes, epoch_ms())
    return wishes


def _require_mail(services: ApiServices) -> None:
    if not mails(services.settings):
        raise Conflict("No mail can be sent: set RIWAYAT_SMTP_HOST and RIWAYAT_SMTP_FROM.")
