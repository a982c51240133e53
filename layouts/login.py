"""The page on which one signs in. Plain HTML for password managers; needs no scripts."""

from __future__ import annotations

from urllib.parse import urlencode

from i18n import gettext as _
from layouts.plain import Appearance, render


def login_page(
    appearance: Appearance, *, csrf: str, way_back: str, name: str = "", error: str = "", signed_out: bool = False
) -> str:
    """The page as HTML text; ``way_back`` is the page to go to afterwards,
    ``error`` what was wrong with the last attempt.
    """
    return render(
        "login.html",
        appearance,
        title=_("Sign in"),
        words=_("You are signed out.") if signed_out else _("Histories of weather stations"),
        csrf=csrf,
        next=way_back,
        back=urlencode({"next": way_back}) if way_back != appearance.prefix else "",
        name=name,
        error=error,
    )
