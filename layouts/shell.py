"""What all pages of Dash have around their own parts."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from layouts import ids
from layouts.header import Chrome, Page, header
from layouts.notices import offline


def shell(chrome: Chrome, here: Page, stores: Sequence[Component], skip: tuple[str, str], parts: Sequence[Component]) -> html.Div:
    """Return the page ``here``: stores, header, the line of trouble, then its parts.

    ``skip`` are the words of the link past the header, and the id of the component it leads to.
    """
    words, target = skip
    return html.Div(
        [
            *stores,
            dcc.Store(id=ids.THEME, data=chrome.shade),
            dcc.Store(id=ids.LANGUAGE, data=chrome.language),
            html.A(words, href=f"#{target}", className="skip-link"),
            header(chrome, here),
            offline(chrome.menu.sign_in),
            *parts,
        ],
        className="page",
    )
