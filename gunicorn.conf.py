"""gunicorn serves a site with several web workers: ``gunicorn --config gunicorn.conf.py``.

Threads in a few processes that are forked once, before anything is opened in them;
none of them forks.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

_HERE = str(Path(__file__).resolve().parent)
sys.path.insert(0, _HERE)  # gunicorn may be started in any folder

from access.addresses import refuse_open_door  # noqa: E402
from config import load_settings  # noqa: E402
from errors import ConfigurationError  # noqa: E402
from jobs.worker.process import SINGLE_THREADED  # noqa: E402
from logs import standard_library_logs  # noqa: E402

try:
    _settings = load_settings()
except ConfigurationError as _wrong:
    sys.exit(f"Error: {_wrong.message}")
_MEMORY = Path("/dev/shm")  # noqa: S108 - memory: signs of life must not wait for a disk # nosec B108
_METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_M_ARENA_MAX = -8  # glibc's malloc.h
_MARK = f"riwayat-metrics-{os.getpid()}-"

wsgi_app = "app:server"
pythonpath = _HERE
bind = [f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"]

workers = _settings.web_workers
worker_class = "api.servers.gunicorn.BufferingWorker"  # threads, of which no slow client holds one
threads = _settings.all_threads
sendfile = False  # files go through the worker's buffers as everything does
# each worker opens its own databases and caches: nothing is carried across the fork
preload_app = False
worker_tmp_dir = str(_MEMORY) if os.access(_MEMORY, os.W_OK) else None

worker_connections = 500  # a process may open 1,024 files on most systems, and tiles are files, too
timeout = 60  # of a worker without a sign of life, not of a request
graceful_timeout = 20  # what a request in hand may still take when its worker is to end
# longer than a proxy keeps its idle connections (nginx:
# 60), so that none is closed as it is used again
keepalive = 75
limit_request_line = 8190  # a page's address may name many stations

# X-Forwarded-Proto and the like are believed from the proxy only;
# who is asking is decided by access/identity.py.
forwarded_allow_ips = _settings.proxy_addresses
header_map = "drop"  # X_Forwarded_User is not X-Forwarded-User
forwarder_headers = ""  # SCRIPT_NAME as a header moves no path: the prefix is RIWAYAT_URL_PREFIX

accesslog = None  # the proxy has one; slow and refused requests are in ours
logconfig_dict = standard_library_logs(_settings.log_level)
control_socket_disable = True  # would run a thread in the process that forks

# Where the workers of this server leave their counts for whichever of them answers /metrics;
# read when gunicorn reloads, too.
if _MARK not in os.environ.get(_METRICS_VARIABLE, ""):
    os.environ[_METRICS_VARIABLE] = tempfile.mkdtemp(prefix=_MARK, dir=worker_tmp_dir)
    for _left in Path(os.environ[_METRICS_VARIABLE]).parent.glob("riwayat-metrics-*"):
        if not Path("/proc", _left.name.split("-")[2]).exists():  # its server was killed
            shutil.rmtree(_left, ignore_errors=True)


# Each thread would have a heap of its own, which keeps what one large answer took: a quarter of
# what a web process holds. Python runs one thread at a time, so they hardly wait for each other.
with suppress(AttributeError):  # a C library that is not glibc
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)

# Modules, but no application: importing takes seconds,
# in which a worker that is forked first would keep requests waiting.
os.environ.update(SINGLE_THREADED)  # a fork copies only one thread, but the locks of all
importlib.import_module("app")


def on_starting(server: Any) -> None:
    """Check the address before anything listens: ``--bind`` on the command line may
    say another than RIWAYAT_HOST.
    """
    try:
        refuse_open_door(_settings, [address[0] for address in server.address if isinstance(address, tuple)])
        _settings.signing_secret()  # makes the folder and the secret, or says why it cannot
    except ConfigurationError as error:
        sys.exit(f"Error: {error.message}")


def when_ready(_server: Any) -> None:
    """Leave what was imported to be shared, before the first fork."""
    gc.collect()
    gc.freeze()


def child_exit(_server: Any, worker: Any) -> None:
    """Drop the gauges of a worker that has ended; its counts stay."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Leave no counts behind."""
    shutil.rmtree(os.environ[_METRICS_VARIABLE], ignore_errors=True)
