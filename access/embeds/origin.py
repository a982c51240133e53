"""The origin of a page that may show an embedded chart: scheme, host and port."""

from __future__ import annotations

import re
from typing import Final

from errors import InvalidRequest

# what a policy can name
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LOCAL: Final = re.compile(r"localhost|.*\.localhost|127(\.[0-9]{1,3}){3}")
_PORTS: Final = {"https": 443, "http": 80}
_ORIGIN: Final = re.compile(r"(?P<scheme>https?)://(?P<host>[^\s/:?#@\[\]]{1,200})(:(?P<port>[0-9]{1,5}))?/?")


def check_origin(text: str) -> str:
    """An origin as browsers write it (``https://portal.example:8443``): lower case,
    without the scheme's own port.

    Plain http only for this machine: whoever can change a page on its way could take
    the link of the chart from it.

    Raises:
        InvalidRequest: it is no origin, or one that a policy cannot name (an IPv6 address,
            a pattern).
    """
    match = _ORIGIN.fullmatch(text.strip().lower())
    try:
        host = match["host"].encode("idna").decode() if match else ""
    except ValueError:  # too long, empty or forbidden labels
        host = ""
    if match is None or not _HOST.fullmatch(host) or int(match["port"] or 1) not in range(1, 65536):
        raise _not_origin(text)
    if match["scheme"] == "http" and not _LOCAL.fullmatch(host):
        raise InvalidRequest("The embedding page must use https; http is allowed for this computer only.", field="origin")
    port = int(match["port"] or _PORTS[match["scheme"]])
    return f"{match['scheme']}://{host}" + ("" if port == _PORTS[match["scheme"]] else f":{port}")


def _not_origin(text: str) -> InvalidRequest:
    return InvalidRequest(
        "{text} is not an origin; write the portal's scheme, name and, unless it is the default, port: https://portal.example.",
        field="origin",
        text=repr(text[:80]),
    )
