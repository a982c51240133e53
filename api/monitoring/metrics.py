"""Numbers for Prometheus.

Two kinds: what web processes count themselves (under gunicorn in files that all of them share, see
gunicorn.conf.py), and what api/monitoring/gauges.py asks the ledger at the moment of the scrape, so
that every process gives the same answer.
"""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from functools import partial

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from api.monitoring.gauges import SiteCollector
from api.monitoring.readiness import Readiness

CONTENT_TYPE = CONTENT_TYPE_LATEST

_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_UNCOUNTED = ("healthz", "readyz", "metrics")
_API_VIEWS = ("figure", "stats")
_DONE, _OUR_FAULT, _COME_BACK = 200, 500, 503


class WebMetrics:
    """Counts of one web process."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._registry = CollectorRegistry()
        timed = partial(Histogram, registry=self._registry, buckets=_BUCKETS_S)
        self._views = timed("riwayat_view_seconds", "Time to reduce tiles to what is drawn or told.", ["view"])
        self._requests = timed("riwayat_request_seconds", "Time from a request to the first byte of its answer.", ["kind"])
        self._errors = Counter(
            "riwayat_request_errors",
            "Requests that failed by our fault: 5xx, but for 503, which says when to come back.",
            ["kind"],
            registry=self._registry,
        )

    def time_view(self, view: str) -> AbstractContextManager[object]:
        """Measures what happens inside: ``page`` or ``overview``.
        (``figure`` and ``stats`` are requests of the API.)
        """
        return self._views.labels(view).time()

    def install(self, server: Flask) -> None:
        """Measure every request since the guard saw it, but those on the site's health."""
        server.after_request(self._count)

    def _count(self, response: Response) -> Response:
        kind, took_s = self._kind(), time.monotonic() - g.get("began", time.monotonic())
        if kind is None:
            return response
        self._requests.labels(kind).observe(took_s)
        view = request.path.rpartition("/")[2]
        if kind == "api" and view in _API_VIEWS and response.status_code == _DONE:
            self._views.labels(view).observe(took_s)
        if response.status_code >= _OUR_FAULT and response.status_code != _COME_BACK:
            self._errors.labels(kind).inc()
        return response

    def _kind(self) -> str | None:
        path = request.path.removeprefix(self._prefix)
        if path in _UNCOUNTED:
            return None
        if path.startswith("api/"):
            return "api"
        if path.endswith("_dash-update-component"):
            return "poll" if "cacheKey" in request.args else "callback"
        return "page" if request.path.endswith("/") else "file"

    def exposition(self, readiness: Readiness) -> bytes:
        """Return all numbers in the text format of Prometheus."""
        found = self._registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            found = CollectorRegistry()
            MultiProcessCollector(found)  # type: ignore[no-untyped-call]
        asked = CollectorRegistry()
        asked.register(SiteCollector(readiness))
        return generate_latest(found) + generate_latest(asked)
