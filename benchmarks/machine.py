"""The machine that measured: a number without it says little."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

_PACKAGES = ("dash", "numpy", "pyarrow", "connectorx", "pandas", "SQLAlchemy")


def describe_machine() -> dict[str, str]:
    """Processor, cores, memory, load average, kernel, Python and the packages that matter; names no
    host.
    """
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "load average": f"{os.getloadavg()[0]:.1f}",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def measured_on(machine: Mapping[str, str]) -> str:
    """Return a sentence of the page: today, and the machine as it was when measuring began."""
    told = "{processor}, {cores} cores, {memory}, load average {load average} before, {kernel}, Python {python}, {packages}"
    return f"{datetime.now(UTC):%Y-%m-%d}: {told.format_map(machine)}."


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()
