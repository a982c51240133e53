"""A site that many tests of the page share: the bundled sample, a web process,
a worker that runs one job at a time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from dash.testing.browser import Browser

import errors
from config import Settings
from data.site import Site, open_site
from jobs.job import Status
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, open_ledger
from tests.browser import SharedBrowser
from tests.e2e.chart_page import REQUEST, Chart
from tests.e2e.gate import Gate
from tests.e2e.history_page import HistoryPage
from tests.processes import SiteProcess, wait_until

# of the sample; it ends before
YEAR = {"from_": "2013-01-01T00:00:00Z", "to": "2014-01-02T00:00:00Z"}


@dataclass(frozen=True)
class Running:
    """A running site and what it keeps."""

    process: SiteProcess
    settings: Settings
    site: Site
    ledger: Ledger

    def child(self) -> psutil.Process | None:
        """The process of a running job."""
        return self.process.child()

    def forget(self) -> None:
        """Back to a site that has loaded nothing."""
        for job in [*self.ledger.jobs(status=Status.QUEUED), *self.ledger.jobs(status=Status.RUNNING)]:
            with suppress(errors.Conflict):  # it ended since
                self.ledger.cancel(job.id)
        wait_until(lambda: self.child() is None, "the last test's job to end")
        self.site.tiles.clear()
        self.site.shelf.clear()
        self.ledger.prune(older_than_s=-1)


@pytest.fixture(scope="session")
def shared_process(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SiteProcess, Path]]:
    """``python app.py`` and its DATA_DIR; take ``running``."""
    folder = tmp_path_factory.mktemp("shared")
    made = Path(shutil.copytree(sample_data_dir, folder / "var"))
    with SiteProcess(cwd=folder, data_dir=made, timezone="UTC", worker_slots=1) as process:
        yield process.start(), made


@pytest.fixture
def running(shared_process: tuple[SiteProcess, Path]) -> Running:
    """The shared site, as if it had loaded nothing yet."""
    return running_site(shared_process)


def running_site(shared_process: tuple[SiteProcess, Path]) -> Running:
    """The shared site, which forgets whatever it has loaded."""
    shared = _site_of(shared_process)
    shared.forget()
    return shared


def _site_of(shared_process: tuple[SiteProcess, Path]) -> Running:
    process, folder = shared_process
    settings = Settings(data_dir=folder, timezone="UTC", worker_slots=1)
    return Running(process, settings, open_site(settings), open_ledger(settings))


@pytest.fixture
def with_data(shared_process: tuple[SiteProcess, Path]) -> Running:
    """The shared site, which need not load what ``REQUEST`` (tests/e2e/chart_page.py) asks for."""
    shared = _site_of(shared_process)
    load_history(shared.site, REQUEST, lambda progress: None)
    return shared


@pytest.fixture(scope="module")
def loaded(shared_process: tuple[SiteProcess, Path]) -> tuple[str, str]:
    """(address of the shared site, id of a completed job).

    It is for test files that do not take ``running``, which forgets the job.
    """
    shared = running_site(shared_process)
    load_history(shared.site, REQUEST, lambda progress: None)
    return shared.process.url, shared.ledger.record_completed("local", REQUEST, {}).id


@pytest.fixture(scope="module")
def opened(_shared_browser: SharedBrowser, loaded: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chart]:
    """The page of the job, in one tab for all tests of a file; take ``chart``."""
    yield Chart(_shared_browser.fresh(tmp_path_factory.mktemp("download")), *loaded)
    _shared_browser.leave()


@pytest.fixture
def chart(opened: Chart) -> Chart:
    """The page of the job as it is after a load.

    What a test changes beside window and hidden series it undoes, or it leaves the page.
    """
    opened.begin_again()
    return opened


@pytest.fixture
def gate(running: Running) -> Iterator[Gate]:
    """Decides how far loads of the shared site come."""
    with Gate(running.site) as held:
        yield held


@pytest.fixture
def sample_page(running: Running, dash_br: Browser) -> HistoryPage:
    """A tab on the shared site, nothing opened yet."""
    return HistoryPage(dash_br, running.process, running.ledger)


def year_of(station: str, *sensors: str) -> dict[str, Any]:
    """Fields that ask for all that a station of the sample has."""
    return {"station": station, "sensor": list(sensors), **YEAR}
