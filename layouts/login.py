"""The page on which one signs in. Plain HTML: it works without scripts, and with password managers."""

from __future__ import annotations

from urllib.parse import urlencode

from i18n import gettext as _
from layouts.plain import Look, render


def login_page(look: Look, *, csrf: str, way_back: str, name: str = "", error: str = "", signed_out: bool = False) -> str:
    """The page as HTML text; ``way_back`` is the page to go to afterwards, ``error`` what was wrong with the last attempt."""
    return render(
        "login.html",
        look,
        title=_("Sign in"),
        words=_("You are signed out.") if signed_out else _("Histories of weather stations"),
        csrf=csrf,
        next=way_back,
        back=urlencode({"next": way_back}) if way_back != look.prefix else "",
        name=name,
        error=error,
    )
