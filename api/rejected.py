"""Rejected items over HTTP: list, replay, remove; for administrators."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from api.jobs import ApiServices
from api.operations import Answer, Api
from api.rejected_inputs import MOST_CHARACTERS, RejectedQuery, Replaying
from api.rejected_outputs import RejectedList, ReplayReceipt
from data.inbox.rejected_items import RejectedItem, RejectedItems
from data.time.months import iso_utc
from errors import TooLarge
from jobs.replaying import find_rejected, no_rejected_item, replay

_SHOWN: Final = 2000  # characters of an item in a list


def add_rejected_routes(api: Api, services: ApiServices) -> None:
    """``/api/rejected``."""
    items = RejectedItems(services.settings.inbox_path)

    @api.get("/api/rejected", {200: Answer("The list.", RejectedList)}, 400, 404, scope="admin", query=RejectedQuery)
    def list_rejected(query: RejectedQuery) -> Response:
        """What loggers wrote or published and could not be taken, the newest first; for
        administrators.
        """
        return jsonify(rejected=[_json(item) for item in items.newest(query.limit)], count=items.count())

    receipt = {200: Answer("It is in the inbox, but for what is left.", ReplayReceipt)}

    @api.post("/api/rejected/<item_id>/replay", receipt, 400, 404, 413, 422, 429, 500, 507, scope="admin", body=Replaying)
    def replay_rejected(item_id: str, body: Replaying) -> Response:
        """Read an item again, by the profile, mapping and catalogue of now, or mended lines in its
        place; for administrators. Where none of it can be read nothing changes.
        """
        if len(find_rejected(services.settings, item_id).lines) > MOST_CHARACTERS and body.lines is None:
            raise TooLarge("This item is too long to be replayed here; use manage.py rejected replay.")
        done = replay(services.settings, services.site.catalogue, item_id, body.lines)
        services.access.audit.record(
            "rejected_replayed", {"item": item_id, "source": done.source, "observations": done.observations, "left": done.left}
        )
        return jsonify(observations=done.observations, left=done.left)

    @api.delete("/api/rejected/<item_id>", {204: Answer("It is gone.")}, 404, scope="admin")
    def delete_rejected(item_id: str) -> Response:
        """Remove a rejected item; for administrators."""
        source = find_rejected(services.settings, item_id).source
        if not items.remove(item_id):
            raise no_rejected_item(item_id)
        services.access.audit.record("rejected_removed", {"item": item_id, "source": source})
        return Response(status=204)


def _json(item: RejectedItem) -> dict[str, Any]:
    """Return an item as :class:`api.rejected_outputs.RejectedAnswer` describes it."""
    parts = (("header", item.header), ("lines", item.lines))
    texts = {name: text[: 4 * _SHOWN].decode(errors="replace")[:_SHOWN] for name, text in parts}
    since = iso_utc(int(item.since_s * 1000))
    return {"id": item.id, "source": item.source, "since": since, "why": item.why, "bytes": len(item.lines), **texts}
