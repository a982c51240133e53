"""The older dashboard's table, filled alike on PostgreSQL and MariaDB,
in a database of its own that is dropped afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import Connection, create_engine, make_url

TABLE, ZONE = "scada_data_wides", "Asia/Jakarta"
STATIONS = ("AWS Bogor", "AWS Cibinong", "AWS Depok")
SENSORS = ("temperature", "humidity", "pressure", "rainfall", "wind_speed", "wind_direction", "solar_radiation", "par_sensor")
START_MS = 1_546_275_600_000  # 2019-01-01 00:00 in Jakarta
OFFSET_MS = 7 * 3_600_000
STEP_MS = 60_000
# as docs/sources.md recommends
INDEX = f"CREATE INDEX by_station_and_time ON {TABLE} (nama_group, timestamp_device)"
UNINDEX = {"PostgreSQL": "DROP INDEX by_station_and_time", "MariaDB": f"DROP INDEX by_station_and_time ON {TABLE}"}

SERVERS = {
    "PostgreSQL": os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"),
    "MariaDB": os.environ.get("TEST_MARIADB_URL", "mysql+pymysql://root@127.0.0.1:3306/mysql"),
}
_COLUMNS = ("batch_id", "nama_group", "timestamp_device", *SENSORS, "created_at", "updated_at")
_MEANS = {"temperature": 24, "humidity": 70, "pressure": 1010, "wind_direction": 180, "solar_radiation": 300, "par_sensor": 600}
_CREATE = """
CREATE TABLE {table} (
  id {identity}, batch_id BIGINT, nama_group VARCHAR(255), timestamp_device {time}, {sensors},
  created_at {time} NULL, updated_at {time} NULL)
"""


def end_ms(rows: int) -> int:
    """Where the history of so many rows (of all stations) ends, ms UTC."""
    return START_MS + -(-rows // len(STATIONS)) * STEP_MS


@contextmanager
def database(server: str, rows: Path) -> Iterator[str]:
    """URL of a new database on a server of :data:`SERVERS` with the table, its one index,
    and the rows of a file.
    """
    name = f"riwayat_bench_{os.getpid()}"
    administrator = create_engine(SERVERS[server], isolation_level="AUTOCOMMIT")
    url = make_url(SERVERS[server]).set(database=name)
    try:
        with administrator.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            _fill(url.render_as_string(hide_password=False), rows)
            yield url.render_as_string(hide_password=False)
        finally:
            with administrator.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name}" + (" WITH (FORCE)" if server == "PostgreSQL" else ""))
    finally:
        administrator.dispose()


def run(url: str, *statements: str) -> None:
    """Run statements, each for itself."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def write_rows(file: Path, rows: int) -> None:
    """The rows as CSV, a row a station and time as they were recorded:
    two decimals each, one value in a thousand is NULL.
    """
    random, per_station = np.random.default_rng(2019), -(-rows // len(STATIONS))
    schema = None
    with file.open("wb") as sink:
        writer = None
        for begin in range(0, per_station, 100_000):
            table = _rows(random, begin, min(begin + 100_000, per_station))
            if writer is None:
                schema = table.schema
                options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
                writer = pyarrow.csv.CSVWriter(sink, schema, write_options=options)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _rows(random: np.random.Generator, begin: int, end: int) -> pa.Table:
    steps = np.repeat(np.arange(begin, end, dtype=np.int64), len(STATIONS))
    count = len(steps)
    wall = pa.array(START_MS + OFFSET_MS + steps * STEP_MS).cast(pa.timestamp("ms")).cast(pa.timestamp("s"))
    columns = {
        "batch_id": pa.array(steps // 1000),
        "nama_group": pa.array(np.tile(np.array(STATIONS), end - begin)),
        "timestamp_device": wall,
    }
    for name in SENSORS:
        values = np.round(np.abs(_MEANS.get(name, 5) + 5 * random.standard_normal(count).clip(-3, 3)), 2)
        columns[name] = pa.array(values, mask=random.random(count) < 0.001)
    return pa.table(columns | {"created_at": wall, "updated_at": wall})


def _fill(url: str, rows: Path) -> None:
    engine = create_engine(url, **({"connect_args": {"local_infile": True}} if url.startswith("m") else {}))
    postgresql = engine.dialect.name == "postgresql"
    words = {
        "identity": "BIGSERIAL PRIMARY KEY" if postgresql else "BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY",
        "time": "TIMESTAMP" if postgresql else "DATETIME",
        "sensors": ", ".join(f"{name} DECIMAL(10,2)" for name in SENSORS),
    }
    with engine.begin() as connection:
        connection.exec_driver_sql(_CREATE.format(table=TABLE, **words))
        (_copy if postgresql else _load)(connection, rows)
        connection.exec_driver_sql(f"CREATE INDEX by_time ON {TABLE} (timestamp_device)")
    engine.dispose()
    run(url, f"VACUUM ANALYZE {TABLE}" if postgresql else f"ANALYZE TABLE {TABLE}")


def _copy(connection: Connection, rows: Path) -> None:
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {TABLE} ({', '.join(_COLUMNS)}) FROM STDIN WITH (FORMAT csv)") as copy, rows.open("rb") as file:
        while piece := file.read(1 << 20):
            copy.write(piece)


def _load(connection: Connection, rows: Path) -> None:
    marks = ", ".join(f"@{name}" if name in SENSORS else name for name in _COLUMNS)
    values = ", ".join(f"{name} = NULLIF(@{name}, '')" for name in SENSORS)
    connection.exec_driver_sql(
        f"LOAD DATA LOCAL INFILE '{rows}' INTO TABLE {TABLE} FIELDS TERMINATED BY ',' ({marks}) SET {values}"
    )
