"""How plain pages are answered: look, language, headers."""

from __future__ import annotations

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from api.sign_in.session_cookie import wants_secure
from config import Settings
from i18n import LANGUAGES, current_language
from layouts.plain import Appearance

LANGUAGE_COOKIE = "riwayat_language"
_YEAR_S = 31_536_000


def appearance(settings: Settings) -> Appearance:
    """Return the appearance of plain pages for the request in hand."""
    choice = request.cookies.get("riwayat_theme", "")
    return Appearance(settings.url_prefix, current_language(), choice if choice in ("light", "dark") else "auto")


def page_answer(html: str, status: int = 200) -> Response:
    """A page that nothing keeps."""
    return Response(html, status, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})


def chosen_language(settings: Settings, address: str) -> AnyResponse | None:
    """Keep the language that ``?language=`` chooses, and redirect to the page's address, so that a
    reload does not choose it again; None where it chooses none.
    """
    language = request.args.get("language", "")
    if language not in LANGUAGES:
        return None
    answer = redirect(address, 303)
    answer.set_cookie(
        LANGUAGE_COOKIE,
        language,
        max_age=_YEAR_S,
        path=settings.url_prefix,
        samesite="Lax",
        secure=wants_secure(settings, request),
    )
    return answer
