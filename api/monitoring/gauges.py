"""What is asked at a scrape: the ledger, the checks of readiness, the disk of the tiles."""

from __future__ import annotations

import math
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from api.monitoring.readiness import Readiness
from data.inbox.spool import Spool
from jobs.job import Status
from jobs.monitoring.queue_metrics import EndedJob, QueueMetrics, queue_metrics

_QUANTILES = (0.5, 0.95, 1.0)
_LATELY = "of jobs that ended within 15 minutes"

log = structlog.get_logger(__name__)


class SiteCollector(Collector):
    """Gauges only: each is true at the moment it is asked for, whichever process answers."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all gauges; when the ledger does not answer, only those that do without it."""
        ready = _family("ready", "1 when this part of the site is well, as /readyz sees it.", "check")
        for check, well in self._readiness.checks().items():
            ready.add_metric([check], float(well))
        yield ready
        yield from self._disk()
        yield from self._inbox()
        try:
            found = queue_metrics(self._readiness.ledger, self._readiness.ledger.workers())
        except SQLAlchemyError as exc:
            log.warning("the ledger does not answer a scrape", error=str(exc).splitlines()[0])
            return
        yield from _now(found)
        yield from _ended(found.ended)

    def _disk(self) -> Iterator[GaugeMetricFamily]:
        try:
            free = shutil.disk_usage(self._readiness.site.settings.tiles_path).free
        except OSError:
            return
        yield GaugeMetricFamily("riwayat_tile_disk_free_bytes", "Space left on the disk of the tiles.", value=free)

    def _inbox(self) -> Iterator[GaugeMetricFamily]:
        settings = self._readiness.site.settings
        spool = Spool(settings.inbox_path, settings.inbox_rows)
        words = "Observations that have arrived and wait to be stored."
        yield GaugeMetricFamily("riwayat_inbox_observations", words, value=spool.rows_waiting())
        words, since_s = "How long those that have waited longest have waited; 0 when none wait.", spool.oldest_s()
        waited_s = 0.0 if since_s is None else max(0.0, time.time() - since_s)
        yield GaugeMetricFamily("riwayat_inbox_oldest_wait_seconds", words, value=waited_s)


def _now(found: QueueMetrics) -> Iterator[GaugeMetricFamily]:
    columns = (
        ("queue_depth", "Jobs that wait.", "waiting"),
        ("queue_running", "Jobs that run.", "running"),
        ("queue_oldest_wait_seconds", "How long the job that has waited longest has waited; 0 when none waits.", "oldest_s"),
        ("workers", "Workers that gave a sign of life within 10 s and serve the queue.", "workers"),
        ("worker_slots", "Jobs that they run at a time, of all their queues.", "slots"),
    )
    for name, words, field in columns:
        family = _family(name, words, "queue")
        for queue in found.queues:
            family.add_metric([queue.queue], getattr(queue, field))
        yield family
    yield _counted("retrying_jobs", "Jobs at or before another attempt, by the reason of the last failure.", found.retrying)


def _ended(ended: Sequence[EndedJob]) -> Iterator[GaugeMetricFamily]:
    yield _counted("recent_jobs", f"Number {_LATELY}.", Counter((job.queue, job.status.value) for job in ended), "status")
    failed = Counter((job.queue, job.reason or "unknown") for job in ended if job.status is Status.FAILED)
    yield _counted("recent_failures", f"Number {_LATELY} and failed.", failed)
    yield _quantiles("recent_wait_seconds", f"Time in the line {_LATELY}.", ((job.queue, job.waited_s) for job in ended))
    done = [job for job in ended if job.status is Status.COMPLETED]
    yield _quantiles("recent_duration_seconds", f"Run time {_LATELY} well.", ((job.queue, job.ran_s) for job in done))
    memory = ((job.queue, job.metrics["peak_memory_mb"] * 1e6) for job in done if "peak_memory_mb" in job.metrics)
    yield _quantiles("recent_peak_memory_bytes", f"Greatest memory {_LATELY} well.", memory)
    cancelled = ((job.queue, job.metrics.get("cancel_seconds")) for job in ended if job.status is Status.CANCELLED)
    yield _quantiles("recent_cancel_seconds", f"From cancel to the end of the process {_LATELY}.", cancelled)
    yield _summed("recent_rows", f"Observations × sensors {_LATELY} well.", done, {"": "rows"})
    tiles = {"read": "tiles_read", "reused": "tiles_reused"}
    yield _summed("recent_tiles", f"Tiles {_LATELY} well; reused ones were there already.", done, tiles, "outcome")


def _family(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"riwayat_{name}", words, labels=labels)


def _counted(name: str, words: str, counts: Mapping[tuple[str, str], int], by: str = "reason") -> GaugeMetricFamily:
    family = _family(name, words, "queue", by)
    for labels, number in sorted(counts.items()):
        family.add_metric(labels, number)
    return family


def _quantiles(name: str, words: str, found: Iterable[tuple[str, float | None]]) -> GaugeMetricFamily:
    """Return each queue's median, 95 % quantile and maximum, each as one job's value."""
    values: dict[str, list[float]] = defaultdict(list)
    for queue, value in found:
        if value is not None:
            values[queue].append(value)
    family = _family(name, words, "queue", "quantile")
    for queue, some in sorted(values.items()):
        some.sort()
        for quantile in _QUANTILES:
            family.add_metric([queue, f"{quantile:g}"], some[math.ceil(len(some) * quantile) - 1])
    return family


def _summed(name: str, words: str, jobs: Sequence[EndedJob], metrics: dict[str, str], by: str = "") -> GaugeMetricFamily:
    family = _family(name, words, "queue", *([by] if by else []))
    for queue in sorted({job.queue for job in jobs}):
        for label, metric in metrics.items():
            total = sum(job.metrics.get(metric, 0) for job in jobs if job.queue == queue)
            family.add_metric([queue, *([label] if by else [])], total)
    return family
