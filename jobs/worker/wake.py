"""Tells workers of this host at once that there is something to do.
Only a hint: they also look by themselves.

A worker binds a Unix datagram socket in DATA_DIR/run. Whoever changed the ledger sends an empty
datagram to each. Addresses go through /proc/self/fd, because the path of a Unix socket has at most
107 bytes and DATA_DIR may be deep.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from config import Settings
from errors import ConfigurationError

if TYPE_CHECKING:
    from jobs.ledger.ledger import Ledger

_SUFFIX = ".sock"


def make_wake(settings: Settings, ledger: Ledger) -> Callable[[], None]:
    """Return the function to call after the ledger has changed, for either queue.
    It never blocks for long and never raises.
    """
    if settings.queue == "celery":
        from jobs.celery.dispatcher import celery_wake  # celery is only loaded where it is used

        return celery_wake(settings, ledger)
    return partial(wake, settings)


def reconcile(settings: Settings, ledger: Ledger) -> int:
    """Send a message for every job that waits and has none; how many.

    Raises:
        ConfigurationError: there is no broker, or it does not answer.
    """
    if settings.queue != "celery":
        raise ConfigurationError("There is nothing to send: messages are used only with RIWAYAT_QUEUE=celery.")
    from jobs.celery.broker import BROKER_TROUBLE, Broker
    from jobs.celery.dispatcher import CeleryDispatcher

    broker = Broker(settings)
    try:
        return CeleryDispatcher(ledger, broker).reconcile()
    except BROKER_TROUBLE as exc:
        raise ConfigurationError("Redis does not answer ({why}); check RIWAYAT_REDIS_URL.", why=str(exc)) from exc
    finally:
        broker.close()


def wake(settings: Settings) -> None:
    """Wake this host's workers. Never blocks and never raises:
    a worker that misses it looks within a second.
    """
    run_dir = _run_dir(settings)
    names = [path.name for path in run_dir.glob(f"*{_SUFFIX}")]
    with contextlib.suppress(OSError), _folder(run_dir) as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for name in names:
            _send(sender, folder, name)


class WakeSocket:
    """A worker's end: readable when somebody called :func:`wake`."""

    def __init__(self, settings: Settings, worker_id: str) -> None:
        run_dir = _run_dir(settings)
        run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = run_dir / f"{worker_id}{_SUFFIX}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with _folder(run_dir) as folder:
            self._socket.bind(_address(folder, self._path.name))

    def fileno(self) -> int:
        """Return the descriptor, for select."""
        return self._socket.fileno()

    def drain(self) -> None:
        """Forget the wake-ups that have come."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(1)

    def close_copy(self) -> None:
        """Let go, in a child, of the socket, which stays the worker's."""
        self._socket.close()

    def close(self) -> None:
        """Close the socket, in the worker, and remove its address."""
        self._socket.close()
        self._path.unlink(missing_ok=True)


def _run_dir(settings: Settings) -> Path:
    return settings.data_dir / "run"


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _address(folder: int, name: str) -> str:
    return f"/proc/self/fd/{folder}/{name}"


def _send(sender: socket.socket, folder: int, name: str) -> None:
    try:
        sender.sendto(b"\0", _address(folder, name))
    except ConnectionRefusedError:  # its worker was killed: nobody will clean up but us
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)
    except OSError:  # the buffer is full (then it is awake anyway), or it has just gone
        pass
