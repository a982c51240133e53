"""The benchmark of the older table compares like with like: the same rows by every reader, the same hourly means."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import scada, servers
from tests.databases import administrator

ROWS = 3_000


@pytest.mark.parametrize("server", scada.SERVERS)
def test_a_small_benchmark_reads_the_same_rows_by_every_reader(server: str, tmp_path: Path) -> None:
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
