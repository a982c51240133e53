"""The site as it is deployed: gunicorn with our configuration,
nginx with the file of deploy/ before it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.databases import missing_server
from tests.processes import ROOT, STOP_S, ServerProcess, answers, free_port, site_environment, wait_until

USER, PASSWORD = "siti", "rahasia"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def program(name: str) -> str:
    """The path of a program that deployment needs;
    a test without it is skipped, but fails in CI.
    """
    places = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ.get("PATH", ""), "/usr/sbin"])
    found = shutil.which(name, path=places)
    if found is None:
        reason = f"{name} is not installed (see .ci/servers)"
        missing_server(reason)
    return str(found)


class GunicornProcess(ServerProcess):
    """gunicorn with gunicorn.conf.py, started in a folder that is not the project's;
    ``config`` for another file.
    """

    def __init__(self, *, cwd: Path, config: Path = ROOT / "gunicorn.conf.py", **settings: object) -> None:
        self.port = int(str(settings.pop("port", 0))) or free_port()
        prefix = str(settings.get("url_prefix", "/"))
        self.url = f"http://127.0.0.1:{self.port}{prefix.rstrip('/')}"
        environment = site_environment(host="127.0.0.1", port=self.port, **settings)
        super().__init__(["-m", "gunicorn", "--config", str(config)], cwd=cwd, env=environment)

    def start(self) -> Self:
        """Wait until it answers."""
        self.wait_until_ready(lambda: answers(f"{self.url}/healthz"))
        return self

    def workers(self) -> list[int]:
        """Process ids of its web workers, sorted."""
        return sorted(process.pid for process in self.family() if process.pid != self.pid)


class NginxProcess:
    """nginx with ``deploy/nginx.conf`` on a free port;
    only addresses, files and limits are the test's.
    """

    def __init__(
        self,
        folder: Path,
        upstream_port: int,
        *,
        read_timeout: str = "30s",
        temp_file: str = "64m",
        listen: str = "",
        extra: str = "",
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/riwayat"
        self.folder = folder / f"nginx-{self.port}"
        self.folder.mkdir()
        self.log = self.folder / "access.log"
        site = _replaced(
            (ROOT / "deploy" / "nginx.conf").read_text(),
            {
                "listen 80;": f"listen 127.0.0.1:{self.port} {listen};",
                "127.0.0.1:8050": f"127.0.0.1:{upstream_port}",
                "/var/log/nginx/riwayat.log": str(self.log),
                "/etc/nginx/riwayat.users": str(self.folder / "users"),
                "proxy_read_timeout 30s;": f"proxy_read_timeout {read_timeout};",
                "proxy_max_temp_file_size 64m;": f"proxy_max_temp_file_size {temp_file};",
                "location = / {": f"{extra}\n    location = / {{",
            },
        )
        (self.folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        (self.folder / "site.conf").write_text(site)
        (self.folder / "nginx.conf").write_text(self._main())
        self._process: subprocess.Popen[bytes] | None = None

    def _main(self) -> str:
        here = self.folder
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "\n".join(f"    {kind}_temp_path {here}/{kind};" for kind in kinds)
        # else a child of root's cannot enter the test's folder
        mine = "user root;" if os.geteuid() == 0 else ""
        return (
            f"{mine}\ndaemon off;\nworker_processes 1;\npid {here}/pid;\nerror_log {here}/error.log warn;\n"
            f"events {{ worker_connections 512; }}\nhttp {{\n{places}\n    access_log off;\n    include {here}/site.conf;\n}}\n"
        )

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                program("nginx"),
                "-c",
                str(self.folder / "nginx.conf"),
                "-p",
                str(self.folder),
                "-e",
                str(self.folder / "error.log"),
            ],
            stdin=subprocess.DEVNULL,
        )
        wait_until(lambda: self._process.poll() is not None or self._listens(), "nginx to listen")  # type: ignore[union-attr]
        assert self._process.poll() is None, self.errors()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(STOP_S)
        if error is not None:
            print(f"--- nginx ---\n{self.errors()}")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def errors(self) -> str:
        """Its log of errors."""
        log = self.folder / "error.log"
        return log.read_text() if log.exists() else ""

    def requests(self) -> list[dict[str, Any]]:
        """Its access log so far: timestamp, method, path, status, seconds, bytes, user."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def ask(self, path: str, *, signed_in: bool = True, **headers: str) -> urllib.request.Request:
        """A request to a path below the prefix; header names with ``_`` for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return urllib.request.Request(f"{self.url}{path}", headers={"Authorization": BASIC} | named if signed_in else named)


def _replaced(text: str, parts: dict[str, str]) -> str:
    """The text with other values; each must stand there,
    so that the file cannot change without its tests.
    """
    for old, new in parts.items():
        assert re.search(re.escape(old), text), f"deploy/nginx.conf says no {old}"
        text = text.replace(old, new)
    return text
