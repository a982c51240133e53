"""Processes of Linux: a child that cannot outlive its supervisor,
and the end of a child with all that it started.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_NAME = 15
_CHILD_NAME = b"riwayat-job"  # at most 15 bytes

# Libraries that start threads on import unless told not to. Read once, when they are imported.
SINGLE_THREADED = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}

_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def single_threaded(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which a worker need not restart itself."""
    return {**environment, **SINGLE_THREADED}


def ensure_single_threaded() -> None:
    """Replace this process by itself with the environment that keeps imported
    libraries from starting threads.

    To be called by a program that will fork, first thing; does nothing the second time.
    """
    if any(os.environ.get(name) != value for name, value in SINGLE_THREADED.items()):
        os.environ.update(SINGLE_THREADED)
        restart()


def restart() -> None:
    """Replace this process by a fresh one of the same command line and today's code."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command line again # nosec B606


def thread_count() -> int:
    """Threads of this process, native ones included."""
    return len(list(Path("/proc/self/task").iterdir()))


def fork_child(body: Callable[[], None]) -> int:
    """Run ``body`` in a forked child with a session of its own,
    which the kernel kills when this process dies.

    The child exits 0 when ``body`` returns, 1 (with a traceback on standard error) when it raises.
    Returns its pid. The caller must be single-threaded and hold no database connection.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    supervisor = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    exit_code = 1
    try:
        _become_child(supervisor)
        body()
        exit_code = 0
    except BaseException:  # noqa: BLE001 - a child must never return into its supervisor's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


def poll_child(pid: int) -> int | None:
    """Exit code of a child that has ended (negative: the signal's number), None while it runs.
    Leaves no zombie and no group.
    """
    if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        return None
    return end_child(pid)


def end_child(pid: int) -> int:
    """Kill a child and all of its group, and wait for it; its exit code.
    The pid cannot be another's: it is not reaped yet.
    """
    # a child that has only just been forked has no group of its own
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def stop_process(process: subprocess.Popen[bytes], patience_s: float) -> None:
    """Ask a program to end, and kill it when it has not ended in time."""
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def limit_memory(megabytes: int) -> None:
    """Limit the memory that this process may take from now on to so many MB (10^6 bytes)
    more than it has; beyond, it gets a MemoryError.

    The kernel counts private writable memory (RLIMIT_DATA): unlike the address space (RLIMIT_AS)
    that is what a process really takes. Mapped tiles and what allocators merely reserve would count
    there.
    """
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    now = int(fields["VmData"].split()[0]) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (now + megabytes * 1_000_000, hard))


def lift_memory_limit() -> None:
    """Take :func:`limit_memory` back, so that what went wrong can be written down."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def name_process(name: str) -> None:
    """Set the name of this process and its children in ``ps``; at most 15 letters."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def die_with(parent: int, number: signal.Signals) -> None:
    """Let the kernel send this process a signal when its parent (process id) dies;
    at once when it has died already.
    """
    _die_with_parent(number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def _become_child(supervisor: int) -> None:
    signal.set_wakeup_fd(-1)
    for number in _HANDLED:
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    libc = _die_with_parent(signal.SIGKILL)
    libc.prctl(_PR_SET_NAME, _CHILD_NAME, 0, 0, 0)
    if os.getppid() != supervisor:  # it died before the kernel knew our wish
        os._exit(1)


def _die_with_parent(number: signal.Signals) -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    return libc
