"""PostgreSQL behind PgBouncer, which hands each transaction to any session:
everything works, by the general path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from data.database.engine import make_engine
from data.source.mapped.source import MappedReader
from tests.databases import POSTGRESQL, server_database
from tests.foreign import foreign_at, load, rows_of, utc_ms, wall
from tests.processes import STOP_S, free_port, wait_until
from tests.servers import answers, program

START = utc_ms(2019, 1, 10)
MAPPING = 'table = "t"\ntime = "at"\nstation = "station"\n[sensors]\ntemperature = "temp"\n'


@contextmanager
def pooled(url: str, ignored: str) -> Iterator[str]:
    """URL of the same database behind a PgBouncer that pools transactions."""
    server, port = make_url(url), free_port()
    folder = Path(tempfile.mkdtemp(prefix="riwayat-pooler-", dir="/tmp"))
    folder.chmod(0o711)
    options = [
        f"listen_port = {port}",
        "listen_addr = 127.0.0.1",
        "unix_socket_dir =",
        "auth_type = any",
        "pool_mode = transaction",
    ]
    there = f"* = host={server.host} port={server.port or 5432} user={server.username}" + (
        f" password={server.password}" if server.password else ""
    )
    lines = ["[databases]", there, "[pgbouncer]", *options, f"ignore_startup_parameters = {ignored}"]
    (folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
    # it refuses to be root
    user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    command = [program("setpriv"), *user, "--pdeathsig", "KILL", program("pgbouncer"), "-q", str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = server.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
    try:
        wait_until(lambda: answers(address), "PgBouncer to answer")
        yield address
    finally:
        process.kill()
        process.wait(STOP_S)
        shutil.rmtree(folder)


@pytest.mark.parametrize("ignored", ["extra_float_digits", "extra_float_digits, options"])
def test_a_history_is_read_through_a_pooler_of_transactions_without_the_fast_path(tmp_path, ignored):
    with server_database(POSTGRESQL) as url, foreign_at(url, tmp_path) as foreign, pooled(url, ignored) as address:
        foreign.make("t", "station VARCHAR(9), at WALL, temp DOUBLE PRECISION")
        foreign.add("t", [{"station": "a", "at": wall(START + n * 60_000), "temp": n} for n in range(100)])
        with foreign_at(address, tmp_path) as behind, behind.site(MAPPING) as site:
            assert load(site, "a", ["temperature"])["rows"] == 100
            assert len(rows_of(site, "a", "temperature")[0]) == 100
            with site.source.open() as reader:
                assert isinstance(reader, MappedReader)
                reader.read("a", ["temperature"], [(START, START + 1)])
                assert (reader.fast_reads, reader.general_reads) == (0, 1)


def test_the_same_statement_may_run_in_another_session_each_time(tmp_path):
    """As it would not with statements that the driver has prepared in one."""
    with server_database(POSTGRESQL) as url, pooled(url, "extra_float_digits") as address:
        engine = make_engine(address)
        one, two = text("SELECT :n + 1"), text("SELECT :n + 2")
        with engine.connect() as first, engine.connect() as second:
            for _ in range(10):
                with first.begin():  # holds one session, so that the other connection gets another
                    assert first.execute(one, {"n": 1}).scalar() == 2
                    with second.begin():
                        assert second.execute(two, {"n": 1}).scalar() == 3
                with second.begin():
                    assert second.execute(two, {"n": 1}).scalar() == 3
                    with first.begin():
                        assert first.execute(one, {"n": 1}).scalar() == 2
        engine.dispose()
