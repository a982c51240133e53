"""Decisions over HTTP: make, undo, list."""

from __future__ import annotations

from itertools import chain, islice
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, jsonify

from access.decisions.deciding import no_decision
from access.decisions.decision_list import DecisionFilter, every_visible_decision, last_number, visible_decisions
from access.decisions.decision_text import csv_pieces, toml_pieces
from access.decisions.made_decision import decision_json
from access.identity import Identity
from access.restricted_site import own_zone
from api.concurrency import limit_key
from api.data import window_time
from api.decision_inputs import DecisionsQuery, NewDecision, Undoing
from api.decision_outputs import DecisionConflict, DecisionList, DecisionReceipt
from api.error_answers import error_json
from api.jobs import ApiServices
from api.operations import Answer, Api
from data.decision import Decision
from errors import Conflict
from jobs.decision_job import Decided, Reviewing

_CONFLICT: Final = Answer("Others have decided meanwhile, or it is decided or undone already.", DecisionConflict)
_FILES: Final = {"toml": ("application/toml", toml_pieces), "csv": ("text/csv", csv_pieces)}
_LIST: Final = Answer("The list; with format a file.", DecisionList, tuple(kind for kind, _ in _FILES.values()))
_LONGEST_NUMBER: Final = 16  # digits
_AT_ONCE: Final = 3  # pieces of a file; one of fewer needs no place among the downloads


def add_decision_routes(api: Api, services: ApiServices) -> None:
    """``/api/decisions``."""
    made = {201: Answer("The decision.", DecisionReceipt), 409: _CONFLICT}

    @api.post("/api/decisions", made, 400, 404, scope="review", body=NewDecision)
    def create_decision(body: NewDecision) -> Response:
        """Decide about readings of a series.

        Nothing that was measured changes. The job in the answer makes the flags of the months anew.
        """
        reviewing = _reviewing(services)
        try:
            answer = _receipt(reviewing.decide(_draft(services, reviewing.identity, body), body.reason, seen=body.seen))
        except Conflict as exc:
            return _conflict(exc)
        answer.status_code = 201
        return answer

    undone = {200: Answer("The decision, undone.", DecisionReceipt), 409: _CONFLICT}

    @api.post("/api/decisions/<number>/undo", undone, 400, 404, scope="review", body=Undoing)
    def undo_decision(number: str, body: Undoing) -> Response:
        """Undo a decision, one's own or another's; it stays in the list."""
        if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
            raise no_decision(number)
        try:
            return _receipt(_reviewing(services).undo(int(number), seen=body.seen))
        except Conflict as exc:
            return _conflict(exc)

    @api.get("/api/decisions", {200: _LIST}, 400, 429, 503, scope="read", query=DecisionsQuery)
    def list_decisions(query: DecisionsQuery) -> Response:
        """Decisions about the series that one may see, by number; of many the newest."""
        wanted = _filter(services, query)
        if query.format == "json":
            return jsonify(_page(services, query, wanted))
        return _file(services, query.format, wanted)


def _reviewing(services: ApiServices) -> Reviewing:
    return Reviewing(services.site, services.ledger, services.access, services.identify(), services.wake)


def _draft(services: ApiServices, identity: Identity, body: NewDecision) -> Decision:
    zone = own_zone(services.site.catalogue, identity.rights, [body.station], services.settings.timezone)
    start_ms, end_ms = (window_time(name, str(at), zone, 0) for name, at in (("from", body.start), ("to", body.end)))
    filled_from = None if body.filled_from is None else (body.filled_from.station, body.filled_from.sensor)
    return Decision(0, body.station, body.sensor, body.kind, start_ms, end_ms, body.rule, body.amount, filled_from)


def _filter(services: ApiServices, query: DecisionsQuery) -> DecisionFilter:
    """Return what is asked for; times without an offset are those of the stations named."""
    zone = own_zone(services.site.catalogue, services.identify().rights, query.station, services.settings.timezone)
    start_ms, end_ms = (
        None if text is None else window_time(name, text, zone, 0) for name, text in (("from", query.start), ("to", query.end))
    )
    return DecisionFilter(tuple(query.station), tuple(query.sensor), start_ms, end_ms, query.undone)


def _page(services: ApiServices, query: DecisionsQuery, wanted: DecisionFilter) -> dict[str, Any]:
    rights = services.identify().rights
    found = visible_decisions(services.access, rights, wanted, limit=query.limit + 1, before=query.before)
    shown = found[-query.limit :]
    following = None
    if len(found) > len(shown):
        given = query.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        fields = given | {"limit": query.limit, "before": shown[0].decision.number}
        following = f"{services.prefix}api/decisions?{urlencode(fields, doseq=True)}"
    last = last_number(services.access, rights, wanted)
    return {"decisions": [decision_json(one) for one in shown], "last": last, "next": following}


def _file(services: ApiServices, kind: str, wanted: DecisionFilter) -> Response:
    """Return all decisions, streamed: they may be many more than one answer has time for."""
    identity = services.identify()
    content_type, pieces_of = _FILES[kind]
    found = every_visible_decision(services.access, identity.rights, wanted)
    pieces = (piece.encode() for piece in pieces_of(found))
    first = list(islice(pieces, _AT_ONCE))  # a database that does not answer is an answer, not a broken file
    response = Response(chain(first, pieces), content_type=f"{content_type}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="decisions.{kind}"'
    if len(first) == _AT_ONCE:
        services.downloads.hold(limit_key(identity), response)
    return response


def _receipt(decided: Decided) -> Response:
    return jsonify(decision_json(decided.made) | {"job": decided.job and decided.job.id})


def _conflict(error: Conflict) -> Response:
    """Return the refusal, with the decisions that it is about."""
    answer = error_json(error)
    answer.data = jsonify((answer.json or {}) | {"newer": [decision_json(one) for one in getattr(error, "newer", ())]}).data
    return answer
