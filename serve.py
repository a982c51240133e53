"""``python serve.py``: the web server in this process, the worker in another, both ended together.

``python app.py`` is the same, a second later: it is imported before this can answer Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

import structlog
import waitress

from access.addresses import refuse_open_door
from config import Settings, load_settings
from errors import RiwayatError, os_error_sentence
from logs import configure_logs

_STOP_S = 15  # how long the worker may take to requeue its jobs and end

_INTERRUPTED = 130  # 128 + SIGINT, as shells do

log = structlog.get_logger(__name__)


def main() -> None:
    """Serve until SIGINT or SIGTERM; no process is left."""
    try:
        settings = load_settings()
        configure_logs(settings.log_level)
        _bring_up_to_date(settings)
    except RiwayatError as error:
        sys.exit(f"Error: {error.message}")
    except OSError as error:
        sys.exit(f"Error: {os_error_sentence(error)}")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    signal.signal(signal.SIGTERM, _interrupt)
    keeper = start_keeper()  # before any thread runs; from here on this process starts no other
    try:
        serve(settings)
    except KeyboardInterrupt:
        pass
    finally:
        stop_keeper(keeper)


def serve(settings: Settings) -> None:
    """Answer requests with threads until interrupted."""
    from api.guard import BODY_BYTES
    from app import create_app

    server = create_app(settings).server
    log.info("serving", address=f"http://{settings.host}:{settings.port}{settings.url_prefix}")
    waitress.serve(
        server,
        host=settings.host,
        port=settings.port,
        threads=settings.web_threads,
        ident="riwayat",
        max_request_body_size=2 * BODY_BYTES,  # written to a file before we are asked; what is only a little too long, we answer
        clear_untrusted_proxy_headers=False,
        asyncore_use_poll=True,  # select() knows files up to number 1,023 only; each open tile is one
    )


def start_keeper() -> subprocess.Popen[bytes]:
    """The small process that keeps a worker running (jobs/keeper.py); it ends when this one does."""
    root = Path(__file__).parent
    return subprocess.Popen(
        [sys.executable, "-m", "jobs.keeper", str(os.getpid())],
        env=os.environ | {"PYTHONPATH": str(root)},
        start_new_session=True,  # Ctrl-C reaches the web process only; that one says when to stop
    )


def stop_keeper(keeper: subprocess.Popen[bytes]) -> None:
    """Ask the keeper to end its worker and wait for it; kill it when it does not."""
    for again in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C must not leave a process behind
        signal.signal(again, signal.SIG_IGN)
    keeper.terminate()
    try:
        keeper.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _bring_up_to_date(settings: Settings) -> None:
    from commands.setup import bring_up_to_date, require_free_port

    refuse_open_door(settings, [settings.host])
    require_free_port(settings.host, settings.port)
    bring_up_to_date(settings)


if __name__ == "__main__":
    main()
