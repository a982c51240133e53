"""Databases that take only encrypted connections:
which options reach them, by which path, and what is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from data.database.engine import make_engine
from data.source.mapped.source import MappedReader
from errors import SourceMismatch
from tests.foreign import Foreign, utc_ms, wall
from tests.servers import PASSWORD
from tests.tls import TlsMariadb, TlsPostgresql, make_authority

START = utc_ms(2019, 1, 10)
MAPPING = 'table = "t"\ntime = "at"\nstation = "station"\n[sensors]\ntemperature = "temp"\n'


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of an authority that has signed nothing."""
    return make_authority(tmp_path_factory.mktemp("tls") / "stranger")


@pytest.fixture(scope="module")
def postgresql() -> Iterator[TlsPostgresql]:
    with TlsPostgresql() as server:
        yield server


@pytest.fixture(scope="module")
def mariadb() -> Iterator[TlsMariadb]:
    with TlsMariadb() as server:
        yield server


def filled(url: str, folder: Path, kind: str) -> None:
    engine = make_engine(url)
    foreign = Foreign(engine, folder, kind)
    foreign.make("t", "station VARCHAR(9), at WALL, temp DOUBLE PRECISION")
    foreign.add("t", [{"station": "a", "at": wall(START), "temp": 21.5}])
    engine.dispose()


def read(url: str, options: str, folder: Path, kind: str) -> tuple[list[float], int, int]:
    """Values, and how many queries either path has read, with other options of the URL."""
    engine = make_engine(f"{make_url(url).set(query={}).render_as_string(hide_password=False)}{options}")
    foreign = Foreign(engine, folder, kind)
    try:
        with foreign.site(MAPPING, synced=False) as site, site.source.open() as reader:
            assert isinstance(reader, MappedReader)
            values = reader.read("a", ["temperature"], [(START - 86_400_000, START + 86_400_000)]).values["temperature"].tolist()
            return values, reader.fast_reads, reader.general_reads
    finally:
        engine.dispose()


def refused(url: str, options: str, folder: Path, kind: str) -> str:
    with pytest.raises(SourceMismatch) as caught:  # waiting mends none of them
        read(url, options, folder, kind)
    assert PASSWORD not in caught.value.message
    return caught.value.message


def test_an_encrypted_postgresql_is_read_by_the_fast_path_unless_its_certificate_is_to_be_checked(postgresql, stranger, tmp_path):
    url = postgresql.new_database()
    filled(url, tmp_path, "postgresql")
    local = url.replace("127.0.0.1", "localhost")
    for options in ("", "?sslmode=require"):
        assert read(url, options, tmp_path, "postgresql") == ([21.5], 1, 0)
    checked = f"sslrootcert={postgresql.authority}"
    assert read(url, f"?sslmode=verify-ca&{checked}", tmp_path, "postgresql") == ([21.5], 0, 1)
    assert read(local, f"?sslmode=verify-full&{checked}", tmp_path, "postgresql") == ([21.5], 0, 1)
    # is for localhost
    assert "certificate" in refused(url, f"?sslmode=verify-full&{checked}", tmp_path, "postgresql")
    assert "certificate verify failed" in refused(url, f"?sslmode=verify-ca&sslrootcert={stranger}", tmp_path, "postgresql")
    assert "no encryption" in refused(url, "?sslmode=disable", tmp_path, "postgresql")


def test_an_encrypted_mariadb_is_read_by_the_general_path(mariadb, stranger, tmp_path):
    url = mariadb.new_database()
    filled(url, tmp_path, "mariadb")
    local = url.replace("127.0.0.1", "localhost")
    checked = f"?ssl_ca={mariadb.authority}"
    assert read(local, checked, tmp_path, "mariadb") == ([21.5], 0, 1)
    assert read(url, f"{checked}&ssl_check_hostname=false", tmp_path, "mariadb") == ([21.5], 0, 1)
    assert "certificate" in refused(url, checked, tmp_path, "mariadb")  # is for localhost
    assert "certificate verify failed" in refused(local, f"?ssl_ca={stranger}", tmp_path, "mariadb")
    # Without an option the driver encrypts where the server can, but checks nothing;
    # connectorx does not even try.
    assert read(url, "", tmp_path, "mariadb") == ([21.5], 0, 1)
