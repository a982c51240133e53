"""Headers: of a request by name, of an answer what it may do in a browser: how long it is kept, its
policy, and what other sites may do with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from flask import Request, Response, request

from access.addresses import came_by_tls
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


def lower_headers(asked: Request) -> dict[str, str]:
    """The headers of a request, by names in lower case."""
    return {name.lower(): value for name, value in asked.headers.items()}


def is_file(asked: Request, prefix: str) -> bool:
    """Whether a request is for a script, a style sheet or the coast lines of the site:
    the same for everybody, in every language.
    """
    path = page_path(asked.path, prefix)
    # the time of the file's last change; Plotly itself asks for the coast lines, by their bare name
    named = path.startswith("assets/") and ("m" in asked.args or path.endswith(".json"))
    # files of embedded charts (api/embed.py)
    frame = path.startswith("embed/") and path not in ("embed/trend", "embed/preview")
    return named or frame or path.startswith("_dash-component-suites/") or path == "bootstrap.css"


def page_path(path: str, prefix: str) -> str:
    """Return a path within its page: other pages have the same scripts below their own."""
    below = path.removeprefix(prefix)
    page, slash, rest = below.partition("/")
    return rest if slash and page in ("jobs", "admin") else below


def cache_policy(prefix: str) -> str:
    """Return the ``Cache-Control`` of an answer without one:
    files are revalidated, all else not kept.
    """
    return "no-cache" if is_file(request, prefix) else "no-store"
