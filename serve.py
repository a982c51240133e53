"""``python serve.py``: the web server in this process, the worker in another, and where
observations arrive by themselves, what takes them in and stores them; all ended together.

``python app.py`` is the same, a second later: it is imported before this can answer Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

import structlog

from access.addresses import refuse_open_door
from config import Settings, load_settings
from errors import RiwayatError, os_error_sentence
from jobs.worker.keeper import next_pause
from jobs.worker.process import single_threaded
from logs import configure_logs

_STOP_S = 15  # how long the worker may take to requeue its jobs and end

_PAUSE_S = 0.5  # before a keeper that died is started again; doubles as for workers

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
    kept = [Keeping(command) for command in ("worker", *settings.takes_in)]
    try:
        serve(settings)
    except KeyboardInterrupt:
        pass
    finally:
        for keeping in kept:
            keeping.begin_to_stop()
        for keeping in kept:
            keeping.stop()


def serve(settings: Settings) -> None:
    """Answer requests with threads until interrupted."""
    from api.guard import BODY_BYTES
    from api.servers.waitress import make_server
    from application import create_app

    server = create_app(settings).server
    log.info("serving", address=f"http://{settings.host}:{settings.port}{settings.url_prefix}")
    make_server(
        server,
        host=settings.host,
        port=settings.port,
        threads=settings.all_threads,
        health_below=settings.url_prefix,
        ident="riwayat",
        # written to a file before we are asked; what is only a little too long, we answer
        max_request_body_size=2 * BODY_BYTES,
        clear_untrusted_proxy_headers=False,
    ).run()


def start_keeper(command: str) -> subprocess.Popen[bytes]:
    """Start the process that keeps a command of manage.py running, and that ends with this one."""
    root = Path(__file__).parent
    return subprocess.Popen(
        [sys.executable, "-m", "jobs.worker.keeper", command, str(os.getpid())],
        env=single_threaded(os.environ) | {"PYTHONPATH": str(root)},
        start_new_session=True,  # Ctrl-C reaches the web process only; that one says when to stop
    )


class Keeping:
    """The keeper of a command, started at once, and again whenever it has died:
    its worker ends with it, and loads would wait for ever.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._keeper = start_keeper(self._command)
        threading.Thread(target=self._watch, name=f"keeper of {command}", daemon=True).start()

    def begin_to_stop(self) -> None:
        """Ask the keeper to end its command."""
        # a second Ctrl-C must not leave a process behind
        for again in (signal.SIGINT, signal.SIGTERM):
            signal.signal(again, signal.SIG_IGN)
        self._stopping.set()
        with self._starting:
            self._keeper.terminate()

    def stop(self) -> None:
        """Wait for the keeper to end with its command; kill it when it does not."""
        try:
            self._keeper.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()

    def _watch(self) -> None:
        pause_s = _PAUSE_S / 2
        while True:
            began_s = time.monotonic()
            ended = self._keeper.wait()
            pause_s = next_pause(pause_s, time.monotonic() - began_s)
            if self._stopping.is_set():
                return
            log.error("a keeper ended, and is started again", command=self._command, exit_code=ended, seconds=pause_s)
            while not self._stopping.wait(pause_s):
                if self._start():
                    break

    def _start(self) -> bool:
        with self._starting:
            if not self._stopping.is_set():
                try:
                    self._keeper = start_keeper(self._command)
                except OSError as exc:  # no memory, or no more processes: later
                    log.error("a keeper could not be started", command=self._command, error=str(exc))
                    return False
        return True


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _bring_up_to_date(settings: Settings) -> None:
    from commands.setup import bring_up_to_date, require_free_port

    refuse_open_door(settings, [settings.host])
    if settings.watch.strip():
        from jobs.watching import watched_folders

        watched_folders(settings)  # what is wrong with them is said at the start
    if settings.mqtt is not None:
        from jobs.listening import TopicListener

        TopicListener(settings)
    require_free_port(settings.host, settings.port)
    bring_up_to_date(settings)


if __name__ == "__main__":
    main()
