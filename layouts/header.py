"""The line at the top: name, pages, language, theme, user."""

from __future__ import annotations

from typing import Literal

from dash import html

from i18n import LANGUAGES
from i18n import gettext as _
from layouts import ids

Page = Literal["history", "jobs"]


def header(*, prefix: str, language: str, theme_choice: str, user: str, here: Page = "history") -> html.Header:
    """The header of the page ``here``; assets/page.js acts on ``data-language`` and ``data-theme-choice``."""
    return html.Header(
        [
            html.A(
                [html.Img(src=f"{prefix}assets/logo.svg", alt="", width=24, height=24), html.Span("Riwayat")],
                href=prefix,
                className="brand",
            ),
            html.Nav(
                [
                    _page_link(_("History"), prefix, current=here == "history"),
                    _page_link(_("Jobs"), f"{prefix}jobs", current=here == "jobs"),
                ],
                **{"aria-label": _("Pages")},
            ),
            *([_form_toggle()] if here == "history" else []),
            html.Div([_languages(language), _theme(theme_choice), _user(user)], className="header-end"),
        ],
        className="site-header",
    )


def _page_link(name: str, href: str, *, current: bool) -> html.A:
    return html.A(name, href=href, className="nav-link", **({"aria-current": "page"} if current else {}))


def _form_toggle() -> html.Button:
    return html.Button(
        _("Select data"),
        id=ids.FORM_TOGGLE,
        type="button",
        className="btn btn-sm form-toggle",
        **{"aria-expanded": "false"},
    )


def _languages(language: str) -> html.Div:
    return html.Div(
        [
            html.Button(
                code.upper(),
                type="button",
                title=name,
                lang=code,
                **{"data-language": code, "aria-pressed": str(code == language).lower(), "aria-label": name},
            )
            for code, name in sorted(LANGUAGES.items(), reverse=True)
        ],
        className="languages",
        role="group",
        **{"aria-label": _("Language")},
    )


def _theme(choice: str) -> html.Button:
    names = {"light": _("Light theme"), "dark": _("Dark theme"), "auto": _("Theme of the system")}
    return html.Button(
        "",
        type="button",
        className="theme-toggle",
        title=names[choice],
        **{"data-theme-choice": choice, "data-names": "|".join(names.values()), "aria-label": names[choice]},
    )


def _user(user: str) -> html.Span:
    return html.Span(user, className="user", title=_("Signed in as {user}").format(user=user))
