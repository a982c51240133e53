"""How plain pages are answered: look, language, headers."""

from __future__ import annotations

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from api.sessions import wants_secure
from config import Settings
from i18n import LANGUAGES, current_language
from layouts.plain import Look

LANGUAGE_COOKIE = "riwayat_language"
_YEAR_S = 31_536_000


def look(settings: Settings) -> Look:
    """The look of the request in hand."""
    choice = request.cookies.get("riwayat_theme", "")
    return Look(settings.url_prefix, current_language(), choice if choice in ("light", "dark") else "auto")


def page_answer(html: str, status: int = 200) -> Response:
    """A page that nothing keeps."""
    return Response(html, status, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})


def chosen_language(settings: Settings, address: str) -> AnyResponse | None:
    """Where ``?language=`` chooses one: keep it, and go to the page's address, so that a reload does not choose it again."""
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
