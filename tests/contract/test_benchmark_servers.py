"""The benchmark of the older table compares like with like:
the same rows by every reader, the same hourly means.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import scada, servers
from tests.databases import administrator
from tests.processes import ROOT, run_program, site_environment

ROWS = 3_000


def _forked(what: str, folder: Path, url: str, rows: int) -> Any:
    """As a fresh process, without the second and a half of its imports, which is not measured."""
    asked = ["-m", "benchmarks.servers", what, str(folder.resolve()), url, str(rows)]
    done = run_program(asked, cwd=ROOT, env=site_environment())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("server", scada.SERVERS)
def test_a_small_benchmark_reads_the_same_rows_by_every_reader(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_in_fresh_process", _forked)
    with administrator(scada.SERVERS[server]):
        pass  # skips where the server does not answer
    file = tmp_path / "rows.csv"
    scada.write_rows(file, ROWS)
    with scada.database(server, file) as url:
        servers._make_site(tmp_path / "site", url)
        for what in ("load", "connectorx", "pandas"):
            assert servers._in_fresh_process(what, tmp_path / "site", url, ROWS)["rows"] == ROWS
        if server == "MariaDB":
            theirs, ours = (servers._in_fresh_process(what, tmp_path / "site", url, ROWS) for what in ("query", "warm hours"))
            assert ours["means"] == pytest.approx(theirs["means"], abs=servers.AGREE)
            assert len(ours["means"]) == ROWS // 60 + 1
