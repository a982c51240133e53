"""What an answer may do in a browser: its policy, and what other sites may do with it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from flask import Response, request

from access.addresses import came_by_tls
from api.sign_in.session_cookie import lower_headers
from config import Settings

_DAY_S: Final = 86_400
# but for the page of an embedded chart, which names its one origin (api/embed.py)
_FRAMES: Final = "frame-ancestors 'none'"
_FRAME: Final = "embed/trend"  # below the prefix
_FEATURES: Final = ("accelerometer", "camera", "geolocation", "gyroscope", "magnetometer", "microphone", "payment", "usb")
_PERMISSIONS: Final = ", ".join(f"{name}=()" for name in _FEATURES)


@dataclass(frozen=True)
class BrowserRules:
    """Headers of every answer; ``script_hashes`` are of the inline scripts that pages hold."""

    settings: Settings
    script_hashes: Callable[[], Collection[str]]

    def apply(self, response: Response) -> None:
        """Set what the route has not set itself."""
        headers = response.headers
        page = response.mimetype == "text/html"
        framed = request.path == f"{self.settings.url_prefix}{_FRAME}"
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Content-Security-Policy", self._policy() if page else _FRAMES)
        headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if framed else "same-origin")
        if page:
            headers.setdefault("Permissions-Policy", _PERMISSIONS)
        if came_by_tls(self.settings, request.remote_addr, lower_headers(request), request.scheme):
            if page:
                # browsers believe it of TLS only, and say so
                headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
            if self.settings.hsts_days:
                headers.setdefault("Strict-Transport-Security", f"max-age={int(self.settings.hsts_days * _DAY_S)}")

    def _policy(self) -> str:
        scripts = " ".join(f"'{value}'" if not value.startswith("'") else value for value in self.script_hashes())
        return (
            f"default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
            f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
            f"object-src 'none'; base-uri 'none'; form-action 'self'; {_FRAMES}"
        )
