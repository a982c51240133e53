"""Everything about signing in, put on a server; and what a page's menu offers of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask

from access.logins import open_logins
from access.store import AccessStore
from api.authenticator import Authenticator
from api.sign_in.account import AccountServices, account_blueprint
from api.sign_in.login import login_blueprint
from api.sign_in.pages import ACCOUNT, LOGIN
from api.sign_in.session_cookie import Sessions, configure_cookie, form_token
from config import Settings
from layouts.header import Menu


def install_sign_in(
    server: Flask, settings: Settings, access: AccessStore, now_s: Callable[[], float] = time.time
) -> Authenticator:
    """Put the sign-in of the site on a server; who asks is asked by what this returns.
    ``now_s`` is the clock.
    """
    configure_cookie(server, settings)
    if settings.auth != "login":
        authenticator = Authenticator(settings, access, now_s=now_s)
        server.register_blueprint(account_blueprint(AccountServices(settings, access, authenticator)))
        return authenticator
    logins = open_logins(settings, access, now_s)
    sessions = Sessions(settings, access, logins, now_s)
    sessions.install(server)
    authenticator = Authenticator(settings, access, sessions, now_s, logins)
    server.register_blueprint(login_blueprint(settings, access.audit, logins, sessions))
    server.register_blueprint(account_blueprint(AccountServices(settings, access, authenticator, logins, sessions)))
    return authenticator


def visitors_menu(settings: Settings) -> Menu:
    """What the menu of the request in hand offers; nothing where there is one user only."""
    prefix = settings.url_prefix
    if settings.auth == "none":
        return Menu()
    if settings.auth == "proxy":
        return Menu(account=f"{prefix}{ACCOUNT}", sign_out_url=settings.proxy_sign_out_url)
    return Menu(account=f"{prefix}{ACCOUNT}", sign_out_token=form_token(), sign_in=f"{prefix}{LOGIN}")
