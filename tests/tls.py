"""Servers of a test's own that take only encrypted connections,
with certificates of an authority of their own.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.servers import OwnMariadb, OwnPostgresql, program


def make_authority(folder: Path) -> Path:
    """An authority that nobody knows; its certificate."""
    folder.mkdir()
    subject = ["-subj", "/CN=Authority of a test", "-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.crt")]
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject)
    return folder / "ca.crt"


def make_certificate(folder: Path, owner: str | None = None) -> Path:
    """A server's certificate (server.crt, server.key) for localhost by an authority (ca.crt),
    all in a new folder.
    """
    authority = make_authority(folder)
    request, made, extensions = folder / "server.csr", folder / "server.crt", folder / "extensions"
    extensions.write_text("subjectAltName = DNS:localhost\n")
    subject = ["-subj", "/CN=localhost", "-keyout", str(folder / "server.key"), "-out", str(request)]
    _openssl("req", "-newkey", "rsa:2048", "-nodes", *subject)
    signed = ["-CA", str(authority), "-CAkey", str(folder / "ca.key"), "-CAcreateserial", "-extfile", str(extensions)]
    _openssl("x509", "-req", "-in", str(request), *signed, "-days", "2", "-out", str(made))
    (folder / "server.key").chmod(0o600)
    if owner is not None:
        shutil.chown(folder / "server.key", owner)
    return authority


def _openssl(*arguments: str) -> None:
    done = subprocess.run([program("openssl"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class TlsPostgresql(OwnPostgresql):
    """A PostgreSQL that refuses whoever speaks in clear."""

    @property
    def authority(self) -> Path:
        """The certificate by which its own is known."""
        return self.folder / "tls" / "ca.crt"

    def _make(self, data: Path) -> None:
        super()._make(data)
        make_certificate(self.folder / "tls", self.user if self._as_user() else None)
        folder = self.authority.parent
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(f"ssl = on\nssl_cert_file = '{folder}/server.crt'\nssl_key_file = '{folder}/server.key'\n")
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")


class TlsMariadb(OwnMariadb):
    """A MariaDB that refuses whoever speaks in clear."""

    @property
    def administrator(self) -> str:
        """See OwnServer; its own certificate is known, but not by this address."""
        return f"{super().administrator}?ssl_ca={self.authority}&ssl_check_hostname=false"

    @property
    def authority(self) -> Path:
        """The certificate by which its own is known."""
        return self.folder / "tls" / "ca.crt"

    def _make(self, data: Path) -> None:
        super()._make(data)
        make_certificate(self.folder / "tls")

    def _command(self) -> Sequence[str]:
        folder = self.authority.parent
        own = [f"--ssl-cert={folder}/server.crt", f"--ssl-key={folder}/server.key"]
        return [*super()._command(), *own, "--require-secure-transport=ON"]
