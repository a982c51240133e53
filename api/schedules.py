"""Reports that are sent by themselves, over HTTP: list, add, remove."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from access.schedules.report_schedule import ReportSchedule, remove_own_schedule, visible_schedules
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.report_inputs import NewSchedule
from api.reports import given_definition
from api.schedule_outputs import ScheduleAnswer, ScheduleList
from reports.definition import definition_of_json
from reports.printing import require_printer
from reports.report_schedules import mails, require_next, schedule_report, told_schedule


def add_schedule_routes(api: Api, services: ApiServices) -> None:
    """``/api/schedules``."""

    @api.get("/api/schedules", {200: Answer("The list.", ScheduleList)}, scope="read")
    def list_schedules() -> Response:
        """One's own schedules of reports; an administrator's list has those of all."""
        found = visible_schedules(services.access.engine, services.identify())
        return jsonify(mail=mails(services.settings), schedules=[_json(services, each) for each in found])

    @api.post(
        "/api/schedules", {201: Answer("The schedule.", ScheduleAnswer)}, 400, 404, 409, 500, scope="export", body=NewSchedule
    )
    def create_schedule(body: NewSchedule) -> Response:
        """Send a report by mail every month or week, from the next whole one on.

        It needs what a report needs, and is made with the rights that its owner has at that moment.
        Refused (409) where the site has no mail server.
        """
        identity = services.identify()
        definition = given_definition(services, identity, body)
        require_next(services.site, identity, definition, body.every)
        if body.format == "pdf" and services.settings.queue == "local":  # else other hosts print
            require_printer(services.settings)
        how: dict[str, Any] = {"every": body.every, "form": body.format, "recipients": body.to}
        answer = jsonify(_json(services, schedule_report(services.access, services.settings, identity.user, definition, **how)))
        answer.status_code = 201
        return answer

    @api.delete("/api/schedules/<schedule_id>", {204: Answer("It is gone.")}, 404, scope="export")
    def delete_schedule(schedule_id: str) -> Response:
        """Send a schedule's reports no longer; an administrator may remove any."""
        remove_own_schedule(services.access, services.identify(), schedule_id)
        return Response(status=204)


def _json(services: ApiServices, schedule: ReportSchedule) -> dict[str, Any]:
    """Return a schedule as :class:`api.schedule_outputs.ScheduleAnswer` describes it."""
    of = definition_of_json(schedule.definition)
    about = {"stations": list(of.stations), "sensors": list(of.sensors), "timezone": of.timezone, "language": of.language}
    return told_schedule(services.access, services.ledger, schedule) | about
