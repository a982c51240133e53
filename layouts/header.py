"""The line at the top: name, pages, language, theme, user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dash import html
from dash.development.base_component import Component

from i18n import LANGUAGES
from i18n import gettext as _
from layouts.controls import button
from layouts.search import search

Page = Literal["history", "jobs", "admin"]


@dataclass(frozen=True)
class Menu:
    """What one's name opens: the account's page, and signing out by a form (with its token)
    or by an address.

    ``sign_in`` is the address of the sign-in, where the site has one; ``admin`` that of the
    administrators' page, for them only. Empty: there is no such thing.
    """

    account: str = ""
    sign_out_token: str = ""
    sign_out_url: str = ""
    sign_in: str = ""
    admin: str = ""


@dataclass(frozen=True)
class Chrome:
    """What all pages know: the site's prefix, language, theme, who is asking,
    and what their name opens.

    ``shade`` is light or dark, ``theme_choice`` also auto.
    """

    prefix: str
    language: str
    theme_choice: str
    shade: str
    user: str
    menu: Menu = Menu()  # of a site with one user


def header(chrome: Chrome, here: Page = "history") -> html.Header:
    """Return the header of the page ``here``; assets/page.js acts on its data attributes."""
    prefix, menu = chrome.prefix, chrome.menu
    logo = html.Img(src=f"{prefix}assets/logo.svg", alt="", width=24, height=24)
    pages = [
        _page_link(_("History"), prefix, current=here == "history"),
        _page_link(_("Jobs"), f"{prefix}jobs", current=here == "jobs"),
    ]
    if menu.admin:
        pages.append(_page_link(_("Admin"), menu.admin, current=here == "admin", more="nav-admin"))
    end = [_languages(chrome.language), _theme(chrome.theme_choice), _user(chrome.user, menu, prefix)]
    parts = [
        html.A([logo, html.Span("Riwayat")], href=prefix, className="brand"),
        html.Nav(pages, **{"aria-label": _("Pages")}),
        *([search()] if here == "history" else []),
        html.Div(end, className="header-end"),
    ]
    return html.Header(parts, className="site-header")


def _page_link(name: str, href: str, *, current: bool, more: str = "") -> html.A:
    return html.A(name, href=href, className=f"nav-link {more}".strip(), **({"aria-current": "page"} if current else {}))


def _languages(language: str) -> html.Div:
    buttons = []
    for code, name in sorted(LANGUAGES.items(), reverse=True):
        says = {"data-language": code, "aria-pressed": str(code == language).lower()}
        buttons.append(button(code.upper(), "", title=name, lang=code, **says))
    return html.Div(buttons, className="languages", role="group", **{"aria-label": _("Language")})


def theme_names() -> dict[str, str]:
    """Return the button's label for each theme, in the order in which it goes through them."""
    return {"light": _("Light theme"), "dark": _("Dark theme"), "auto": _("Theme of the system")}


def _theme(choice: str) -> html.Button:
    names = theme_names()
    says = {"data-theme-choice": choice, "data-names": "|".join(names.values())}
    return button("", "theme-toggle", label=names[choice], title=names[choice], **says)


def _user(user: str, menu: Menu, prefix: str) -> Component:
    title = _("Signed in as {user}").format(user=user)
    entries: list[Component] = []
    if menu.admin:
        # where the line has no room for it
        entries.append(html.A(_("Admin"), href=menu.admin, className="menu-admin"))
    if menu.account:
        entries.append(html.A(_("Account"), href=menu.account))
    if menu.sign_out_token:
        send = html.Button(_("Sign out"), type="submit", name="csrf", value=menu.sign_out_token)
        entries.append(html.Form(send, method="post", action=f"{prefix}logout"))
    elif menu.sign_out_url:
        entries.append(html.A(_("Sign out"), href=menu.sign_out_url))
    if not entries:
        return html.Span(user, className="user", title=title)
    name = html.Summary(html.Span(user, className="user"), title=title)
    return html.Details([name, html.Div(entries, className="menu-entries")], className="menu user-menu")
