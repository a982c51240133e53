"""A program that tests/forks.py forks finds what it would find if it had been started."""

from __future__ import annotations

import json

from tests import processes
from tests.processes import ServerProcess, site_environment

PROGRAM = """
import json, os, pathlib, signal, sys
import psutil
me = psutil.Process()
names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD", "SIGPIPE", "SIGUSR1")
print(json.dumps({
    "arguments": sys.argv, "command": sys.orig_argv, "shown": [word for word in me.cmdline() if word], "folder": os.getcwd(),
    "environment": dict(os.environ) == me.environ() and os.environ["RIWAYAT_TIMEZONE"],
    "leader": os.getsid(0) == os.getpid(), "threads": me.num_threads(), "name": __name__, "file": __file__,
    "files": sorted(os.path.basename(os.readlink(f"/proc/self/fd/{number}"))[:6] for number in (0, 1, 2)),
    "more files": sum(os.path.exists(f"/proc/self/fd/{number}") for number in range(3, 100)),
    "signals": [str(signal.getsignal(getattr(signal, name))) for name in names], "blocked": str(signal.pthread_sigmask(0, ())),
}))
sys.exit("for this reason")
"""


def look(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with ServerProcess([str(program), "--all", "two words"], cwd=tmp_path, env=site_environment(timezone="UTC")) as process:
        code = process.process.wait(60)
        found, reason = process.output().splitlines()
    return code, reason, json.loads(found)


def test_a_forked_program_finds_what_a_started_one_finds(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "forks", True)
    forked = look(tmp_path)
    with processes.real_starts():
        assert forked == look(tmp_path)
