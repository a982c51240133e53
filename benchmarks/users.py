"""What one analyst does, for locust, which benchmarks/load.py starts from an environment of
its own (requirements-load.txt).

Opens the page, loads a history and follows it as the page does, looks and zooms while it comes and
afterwards, and sometimes thinks better of it. Reads ``BENCH_STATIONS`` (JSON: name, first and last
ms UTC) and ``BENCH_PREFIX``.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import time
from typing import Any

from locust import FastHttpUser, between, task

STATIONS: list[dict[str, Any]] = json.loads(os.environ.get("BENCH_STATIONS", "[]"))
PREFIX = os.environ.get("BENCH_PREFIX", "")
SENSORS = ("temperature", "humidity", "pressure", "rainfall", "wind_speed")
DAY_MS = 86_400_000
POLL_S = 0.5  # as the page does
PATIENCE_S = 120.0
WIDTH_PX = 1200
FINAL = {"completed", "failed", "cancelled"}

_numbers = itertools.count(1)


class Analyst(FastHttpUser):
    """One of many, each under a name of their own,
    each with random habits from a seed of their own.
    """

    wait_time = between(1, 5)
    connection_timeout = network_timeout = 30.0

    def on_start(self) -> None:
        number = next(_numbers)
        self.chance = random.Random(number)
        self.me = {"X-Forwarded-User": f"analyst-{number}"}
        self.job: tuple[str, int, int] | None = None
        self.open_page()

    @task(1)
    def open_page(self) -> None:
        """The page as a browser asks for it, scripts apart: those it has."""
        for path in ("/", "/_dash-layout", "/_dash-dependencies"):
            self._get(path, f"page {path}")

    @task(4)
    def load(self) -> None:
        """Load days to months of one or two stations, follow the load to its end,
        look at it as it grows.
        """
        begun = self._begin(self.chance.choice((1, 7, 30, 90)))
        if begun is None:
            return
        self.job, until_s, seen = begun, time.monotonic() + PATIENCE_S, -1
        while time.monotonic() < until_s:
            job = self._poll(begun[0])
            if job is None or job["status"] in FINAL:
                break
            if job["version"] > seen + 2:
                seen = job["version"]
                self._figure(begun, begun[1], begun[2], "view while it loads")
            time.sleep(POLL_S)
        else:
            self.environment.events.request.fire(
                request_type="", name="load", response_time=PATIENCE_S * 1000, response_length=0, exception=TimeoutError(begun[0])
            )
        self._figure(begun, begun[1], begun[2], "zoom")

    @task(10)
    def zoom(self) -> None:
        """A window of any size, anywhere in what was loaded."""
        if self.job is None:
            return
        job_id, start, end = self.job
        length = max(60_000, int((end - start) * 10 ** self.chance.uniform(-3, 0)))
        first = start + int((end - start - length) * self.chance.random())
        self._figure(self.job, first, first + length, "zoom")
        if self.chance.random() < 0.2:
            self._get(f"/api/jobs/{job_id}/stats?from={first}&to={first + length}", "stats")

    @task(1)
    def cancel(self) -> None:
        """Begin a long load and stop it at once, or a moment later."""
        begun = self._begin(300)
        if begun is None:
            return
        time.sleep(self.chance.choice((0.0, 0.3, 1.5)))
        with self._post(f"/api/jobs/{begun[0]}/cancel", {}, "cancel") as answer:
            if answer.status_code in (202, 409):  # 409: it was quicker
                answer.success()

    def _begin(self, days: int) -> tuple[str, int, int] | None:
        stations = self.chance.sample(STATIONS, self.chance.choice((1, 1, 2)))
        first, last = max(one["first"] for one in stations), min(one["last"] for one in stations)
        length = min(days * DAY_MS, last - first)
        start = first + self.chance.randrange(max(1, last - first - length)) // DAY_MS * DAY_MS
        body = {
            "stations": sorted(one["name"] for one in stations),
            "sensors": list(self.chance.sample(SENSORS, self.chance.choice((1, 2, 3)))),
            "start": _iso(start),
            "end": _iso(start + length),
            "timezone": "UTC",
        }
        with self._post("/api/jobs", body, "submit") as answer:
            if answer.status_code == 429:  # the queue is full: an answer, not a failure
                answer.success()
                return None
            if answer.status_code != 202:
                return None
            return answer.json()["id"], start, start + length

    def _post(self, path: str, body: dict[str, Any], name: str) -> Any:
        return self.client.post(f"{PREFIX}{path}", json=body, headers=self.me, name=name, catch_response=True)

    def _poll(self, job_id: str) -> dict[str, Any] | None:
        answer = self._get(f"/api/jobs/{job_id}", "poll")
        return answer.json() if answer.status_code == 200 else None

    def _get(self, path: str, name: str) -> Any:
        return self.client.get(f"{PREFIX}{path}", headers=self.me, name=name)

    def _figure(self, job: tuple[str, int, int], start: int, end: int, name: str) -> None:
        self._get(f"/api/jobs/{job[0]}/figure?from={start}&to={end}&width={WIDTH_PX}", name)


def _iso(time_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_ms // 1000))
