"""Hold NetCDF files against the CF conventions by the program that data centres do it with.

``python -m tests.conventions``: files of the bundled sample, of observations and of days;
``python -m tests.conventions FILE …``: these. Exits 1 where something is found. It makes
``.venv-conventions`` of requirements-conventions.txt first, where that is not there.
"""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog

from config import Settings
from data.export.formats import export_file
from data.request import request_of
from data.site import open_site
from jobs.kinds.history import load_history
from tests.processes import ROOT, run_manage

_PLACE = ROOT / ".venv-conventions"
_PASSED = "All tests passed!"
_EXCEPTION = re.compile(r"^cf:1\.11\.(\w+): ", re.MULTILINE)
_FAILS = {"check_domain_variables"}  # of version 6.1.0, on every file with a row_size
_RESOLUTIONS = ("raw", "1d")


def check(files: Sequence[Path]) -> list[Path]:
    """Print what the checker says of each file; returns those of which it says something, or of
    which a check failed that is not _FAILS.
    """
    program = _checker()
    found = []
    for file in files:
        done = subprocess.run([program, "--test", "cf:1.11", "-v", file], capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr, sep="\n")
        said = done.stdout + done.stderr
        if _PASSED not in said or set(_EXCEPTION.findall(said)) - _FAILS:
            found.append(file)
    return found


def sample_files(folder: Path) -> list[Path]:
    """Write files of the bundled sample into a folder: all sensors of two stations."""
    assert run_manage("setup", "--sample-only", cwd=folder, data_dir=folder / "var").returncode == 0
    site = open_site(Settings(data_dir=folder / "var", _env_file=None))
    files = []
    for resolution in _RESOLUTIONS:
        sensors = [sensor.name for sensor in site.catalogue if sensor.name not in ("solar_radiation", "par_sensor")]
        request = request_of(["EWR", "JFK"], sensors, "2013-01-01", "2013-03-01", resolution, "America/New_York")
        load_history(site, request, lambda progress: None)
        files.append(folder / f"{resolution}.nc")
        export_file(site, request, files[-1])
    return files


def _checker() -> Path:
    program = _PLACE / "bin" / "compliance-checker"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", _PLACE], check=True)
        pins = ROOT / "requirements-conventions.txt"
        subprocess.run([_PLACE / "bin" / "pip", "install", "--quiet", "-r", pins], check=True)
    return program


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as place:
        wrong = check([Path(name) for name in sys.argv[1:]] or sample_files(Path(place)))
    sys.exit(f"not by the conventions: {', '.join(map(str, wrong))}" if wrong else 0)
