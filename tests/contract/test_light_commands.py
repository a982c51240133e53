"""What looks at history waits for no library that only loads, migrates or draws."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from config import load_settings
from data.request import request_of
from data.site import open_site
from jobs.kinds.history import load_history
from tests.processes import ROOT, site_environment

PACKAGES = ("alembic", "connectorx", "dash", "pandas", "pint", "plotly", "pyarrow")
HEAVY = (*PACKAGES, "analysis.registry", "sqlalchemy.dialects.mysql", "sqlalchemy.dialects.postgresql")
ASKED = ("JFK", "temperature", "2013-03-01", "2013-04-01")
CODE = f"""
import json, sys, manage
found = {{}}
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["manage.py", *arguments]
    try:
        manage.main()
    except SystemExit as end:
        found[arguments[0]] = [end.code, *(name for name in {HEAVY} if name in sys.modules)]
print(json.dumps(found), file=sys.stderr)
"""


def test_stations_and_history_import_nothing_that_only_loads_or_draws(data_dir: Path) -> None:
    site = open_site(load_settings(data_dir=data_dir))
    station, sensor, start, end = ASKED
    load_history(site, request_of([station], [sensor], start, end, "raw", "UTC"), lambda _: None)
    site.engine.dispose()

    history = ["history", "--station", station, "--sensor", sensor, "--from", start, "--to", end, "--timezone", "UTC"]
    environment = site_environment(data_dir=data_dir, log_level="warning")
    command = [sys.executable, "-c", CODE, json.dumps([["stations"], history])]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stderr.splitlines()[-1]) == {"stations": [0], "history": [0]}, done.stderr
