"""How it must not be done: a load inside a request. Started by test_proof_nginx.py:
``python -m tests.e2e.naive PORT URL``.
"""

from __future__ import annotations

import sys

import pandas as pd
import waitress
from flask import Flask
from sqlalchemy import create_engine, text

MONTHS = text("SELECT station, month FROM month_inventory ORDER BY station, month")
# Of one month, as the product reads it; a month is year * 12 + month - 1.
ROWS = text("""
    SELECT time, temperature FROM observation WHERE station = :station
    AND time >= 1000 * extract(epoch FROM make_timestamptz(:month / 12, :month % 12 + 1, 1, 0, 0, 0, 'UTC'))
    AND time < 1000 * extract(epoch FROM make_timestamptz(:month / 12, :month % 12 + 1, 1, 0, 0, 0, 'UTC') + interval '1 month')
""")


def naive_app(url: str) -> Flask:
    """One route that reads everything and then answers."""
    server, engine = Flask("naive"), create_engine(url)

    @server.get("/naive/load")
    def load() -> str:
        rows = 0
        with engine.connect() as connection:
            for station, month in connection.execute(MONTHS).all():
                rows += len(pd.read_sql(ROWS, connection, params={"station": station, "month": month}))
        return str(rows)

    @server.get("/naive/here")
    def here() -> str:
        return "yes"

    return server


if __name__ == "__main__":
    waitress.serve(naive_app(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), threads=2, ident=None)
