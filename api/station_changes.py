"""What a page that follows asks again and again: whether anything of its stations is new."""

from __future__ import annotations

from typing import Final

from flask import Response, jsonify, request

from api.change_watcher import LOOK_EVERY_S, ChangeWatcher
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import VersionAnswer
from api.version_inputs import VersionQuery
from data.site import Site
from data.station_versions import station_versions
from data.time.epoch import epoch_ms
from data.time.months import iso_utc

_ANSWERS: Final = {
    200: Answer("The version.", VersionAnswer, headers={"ETag": "Changes when the version does."}),
    304: Answer("It is the one of If-None-Match."),
}


def watch_stations(site: Site) -> ChangeWatcher:
    """Return what watches the stations of a site's source, once a process."""
    return ChangeWatcher(lambda names: site.run_query(lambda: station_versions(site.engine, site.source_id, names)))


def add_version_route(api: Api, services: ApiServices, watcher: ChangeWatcher) -> None:
    """``/api/version``."""

    @api.get("/api/version", _ANSWERS, 400, 503, scope="read", query=VersionQuery)
    def version(query: VersionQuery) -> Response:
        """Whether anything of some stations has changed: a version that is another one then, and no
        reading. Stations that one may not see count as such without readings.

        Ask again after `again_s` seconds, with the `ETag` as `If-None-Match`. It is answered from
        memory: many who ask cost the database one question. A version of `null` is not known yet.
        """
        seen = sorted(set(services.identify().rights.stations(query.station)))
        found = watcher.versions(seen) if seen else {}
        changes = None if found is None else str(sum(each.changes for each in found.values()))
        rows = None if found is None else sum(each.rows for each in found.values())
        answer = jsonify(version=changes, rows=rows, now=iso_utc(epoch_ms()), again_s=LOOK_EVERY_S)
        if changes is not None:
            answer.set_etag(changes)
            answer.make_conditional(request)
        return answer
