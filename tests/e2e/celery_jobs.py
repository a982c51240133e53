"""A worker under Celery whose jobs do what their station's name says (tests/e2e/job_worker.py),
or else load history.

Started as a process of its own by test_celery.py.
"""

from __future__ import annotations

from collections.abc import Callable

from config import Settings, load_settings
from jobs.celery.worker import run_celery_worker
from jobs.ledger.ledger import open_ledger
from jobs.worker.child import make_run_job
from jobs.worker.process import ensure_single_threaded, restart
from jobs.worker.supervisor import WorkerEnd
from logs import configure_logs
from tests.e2e import job_worker


def make(settings: Settings) -> Callable[[str, int], None]:
    """The body of a job."""
    load = make_run_job(settings)

    def run_job(job_id: str, attempt: int) -> None:
        ledger = open_ledger(settings)
        what = ledger.get(job_id).request.stations[0]
        ledger.engine.dispose()
        (job_worker.run_job if what in job_worker.BODIES else load)(job_id, attempt)

    return run_job


def main() -> None:
    """Be a worker."""
    ensure_single_threaded()
    settings = load_settings()
    configure_logs(settings.log_level)
    if run_celery_worker(settings, make(settings)) is WorkerEnd.RESTART:
        restart()


if __name__ == "__main__":
    main()
