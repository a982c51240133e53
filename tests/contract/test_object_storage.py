"""A site of two hosts that share a database and object storage, and no folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from data.flag_choice import USUAL_FLAGS
from data.request import request_of
from data.site import open_site, open_web_site
from data.view.view_request import view_request
from jobs.job import Status
from jobs.kinds.export_file import find_export, start_export
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from jobs.policy import WORKBOOK
from jobs.start import start_job
from tests.object_storage import SECRET, credentials, new_prefix, object_storage
from tests.people import person
from tests.processes import run_manage
from tests.sheets import sheet_rows

REQUEST = request_of(["EWR", "JFK"], ["temperature", "rainfall"], "2013-01-01", "2013-04-01", "1d", "UTC")


@pytest.mark.process
def test_what_a_worker_of_another_host_made_is_drawn_and_sent_here(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases = {
        "database_url": f"sqlite:///{data_dir / 'riwayat.sqlite'}",
        "observations_url": f"sqlite:///{data_dir / 'observations.sqlite'}",
    }
    monkeypatch.setattr("data.tiles.index_mirror.WAIT_S", 20.0)  # however busy the machine is
    with object_storage() as port:
        for name, value in credentials(port).items():
            monkeypatch.setenv(name, value)
        shared: dict[str, Any] = {**databases, "tile_dir": new_prefix()}
        settings = Settings(data_dir=tmp_path / "web", _env_file=None, **shared)
        settings.prepare()
        web, ledger = replace(open_web_site(settings), flags=USUAL_FLAGS), open_ledger(settings)
        user, (start, end) = person("sari"), (REQUEST.start_ms, REQUEST.end_ms)
        assert view_request(web, REQUEST, start, end, 500).total_rows == 0
        # EWR has no tile yet, so the worker's job has to read, to flag and to aggregate
        loading = start_job(web, ledger, user, REQUEST, lambda: None, must_flag=True)
        worker = run_manage("worker", "--stop-when-empty", cwd=tmp_path, data_dir=tmp_path / "worker", **shared)
        assert ledger.get(loading.id).status is Status.COMPLETED, worker.stderr
        seen = view_request(web, REQUEST, start, end, 500)

        writing = start_export(web, ledger, user, REQUEST, WORKBOOK, lambda: None)
        again = run_manage("worker", "--stop-when-empty", cwd=tmp_path, data_dir=tmp_path / "other", **shared)
        assert ledger.get(writing.id).status is Status.COMPLETED, again.stderr
        file = find_export(web, REQUEST, WORKBOOK)
        assert file is not None
        assert file.is_relative_to(settings.tiles_path)
        assert len(sheet_rows(file)) == 1 + 2 * 90  # days of two stations
        assert SECRET not in worker.stdout + worker.stderr + again.stderr
        done = run_manage("doctor", cwd=tmp_path, data_dir=tmp_path / "web", **shared)
        assert "object storage" in done.stdout

    alone = replace(open_site(Settings(data_dir=tmp_path / "alone", _env_file=None, **databases)), flags=USUAL_FLAGS)  # type: ignore[arg-type]
    load_history(alone, REQUEST, lambda _: None)
    assert repr(seen) == repr(view_request(alone, REQUEST, start, end, 500))
    for site in (web, alone):
        site.engine.dispose()
    ledger.engine.dispose()
