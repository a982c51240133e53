"""The line at the top: name, pages, language, theme, user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dash import html
from dash.development.base_component import Component

from i18n import LANGUAGES
from i18n import gettext as _
from layouts import ids

Page = Literal["history", "jobs", "admin"]


@dataclass(frozen=True)
class Menu:
    """What one's name opens: the account's page, and signing out by a form (with its token) or by an address.

    ``sign_in`` is the address of the sign-in, where the site has one; ``admin`` that of the administrators' page, for them only.
    Empty: there is no such thing.
    """

    account: str = ""
    sign_out_token: str = ""
    sign_out_url: str = ""
    sign_in: str = ""
    admin: str = ""


NO_MENU = Menu()  # of a site with one user


def header(
    *, prefix: str, language: str, theme_choice: str, user: str, here: Page = "history", menu: Menu = NO_MENU
) -> html.Header:
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
                    *([_page_link(_("Admin"), menu.admin, current=here == "admin", more="nav-admin")] if menu.admin else []),
                ],
                **{"aria-label": _("Pages")},
            ),
            *([_form_toggle()] if here == "history" else []),
            html.Div([_languages(language), _theme(theme_choice), _user(user, menu, prefix)], className="header-end"),
        ],
        className="site-header",
    )


def _page_link(name: str, href: str, *, current: bool, more: str = "") -> html.A:
    return html.A(name, href=href, className=f"nav-link {more}".strip(), **({"aria-current": "page"} if current else {}))


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


def theme_names() -> dict[str, str]:
    """What the button of the theme is called, by choice, in the order in which it goes through them."""
    return {"light": _("Light theme"), "dark": _("Dark theme"), "auto": _("Theme of the system")}


def _theme(choice: str) -> html.Button:
    names = theme_names()
    return html.Button(
        "",
        type="button",
        className="theme-toggle",
        title=names[choice],
        **{"data-theme-choice": choice, "data-names": "|".join(names.values()), "aria-label": names[choice]},
    )


def _user(user: str, menu: Menu, prefix: str) -> Component:
    title = _("Signed in as {user}").format(user=user)
    entries: list[Component] = []
    if menu.admin:
        entries.append(html.A(_("Admin"), href=menu.admin, className="menu-admin"))  # where the line has no room for it
    if menu.account:
        entries.append(html.A(_("Account"), href=menu.account))
    if menu.sign_out_token:
        button = html.Button(_("Sign out"), type="submit", name="csrf", value=menu.sign_out_token)
        entries.append(html.Form(button, method="post", action=f"{prefix}logout"))
    elif menu.sign_out_url:
        entries.append(html.A(_("Sign out"), href=menu.sign_out_url))
    if not entries:
        return html.Span(user, className="user", title=title)
    name = html.Summary(html.Span(user, className="user"), title=title)
    return html.Details([name, html.Div(entries, className="user-entries")], className="user-menu")
