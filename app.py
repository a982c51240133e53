"""The web application. ``create_app(settings)`` makes it; gunicorn serves ``app:server``; ``python app.py`` is web + worker."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import flask_bootstrap
from dash import Dash
from dash.exceptions import DependencyException, InvalidResourceError
from flask import Flask, Response, request, send_file
from werkzeug.exceptions import HTTPException

from access.addresses import refuse_open_door
from access.identity import Identity
from access.seen import seen_by
from access.store import open_access
from api.asking import Asking
from api.callback_body import refuse_nonsense
from api.compression import configure_compression
from api.embed import embed_blueprint
from api.guard import Guard, error_json, http_error_json
from api.headers import BrowserRules
from api.health import health_blueprint
from api.jobs import Desk
from api.metrics import WebMetrics
from api.preview import preview_blueprint
from api.readiness import Readiness
from api.routes import is_api, register_api
from api.sign_in import install_sign_in, visitors_menu
from callbacks import admin, embedding, form, jobs_page, run, submit, url, view
from callbacks.presets import bounds, preset_range, wall_clock
from callbacks.services import Services
from callbacks.values import is_of_its_kind
from config import Settings, load_settings
from data.drivers import WEB_BUSY_MS
from data.inventory import KnownStations
from data.site import open_web_site
from errors import NotFound, RiwayatError
from i18n import current_language, zone_name
from i18n import gettext as _
from jobs.ledger import open_ledger
from jobs.manager import QueueManager, open_cache
from jobs.wake import make_wake
from layouts.admin import AdminContext
from layouts.admin import admin_page as admin_layout
from layouts.chart import chart
from layouts.document import DashParts, document, theme_script
from layouts.form import DEFAULT_PRESET
from layouts.header import Menu
from layouts.jobs import JobsContext
from layouts.jobs import jobs_page as jobs_layout
from layouts.page import PageContext, page, plain_page
from logs import configure_logs

BOOTSTRAP_CSS = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5" / "css" / "bootstrap.min.css"
_YEAR_S = 31_536_000
_GRID_SCRIPT = re.compile(r"<script[^>]*/dash_ag_grid/[^>]*></script>")  # 1.3 MB that only the Jobs page needs


class RiwayatDash(Dash):
    """Dash whose document carries the language and the theme of the request. ``prefix`` is the site's, not the page's."""

    prefix = "/"
    with_grid = False
    page_name = staticmethod(lambda: "")  # in the language of the request; empty: the history page

    def _config(self) -> dict[str, Any]:
        """What the page's script is told; nothing of elsewhere."""
        return {**super()._config(), "dash_version_url": "", "disable_version_check": True}

    def interpolate_index(self, **parts: Any) -> str:
        """The document of the page (see layouts/document.py)."""
        scripts = parts["scripts"] if self.with_grid else _GRID_SCRIPT.sub("", parts["scripts"])
        found = DashParts(parts["metas"], parts["css"], parts["app_entry"], parts["config"], scripts, parts["renderer"])
        title = " · ".join(name for name in (self.page_name(), "Riwayat") if name)
        return document(
            found, title=title, language=current_language(), shade=_shade(), prefix=self.prefix, loading=_("Loading …")
        )


class ScriptHashes:
    """Hashes of the inline scripts of the documents, for their policy; known when all callbacks are registered."""

    def __init__(self, prefix: str) -> None:
        self.apps: list[Dash] = []
        digest = hashlib.sha256(theme_script(prefix).encode()).digest()
        self._theme = f"sha256-{base64.b64encode(digest).decode()}"

    def __call__(self) -> list[str]:
        """In the form of a policy, with or without quotes."""
        return [self._theme, *(value for app in self.apps for value in app.csp_hashes())]


def create_app(settings: Settings) -> Dash:
    """The application: layout a request, callbacks, guard of all routes. Opens no connection and starts no process."""
    settings.prepare()
    access = open_access(settings, busy_ms=WEB_BUSY_MS, impatient=True)
    hashes = ScriptHashes(settings.url_prefix)
    server = _server(settings)
    asks = install_sign_in(server, settings, access)
    _guard(server, settings, asks, hashes)
    _only_for_administrators(server, settings.url_prefix, asks)
    jobs_app, admin_app = _dash(settings, server, "jobs/"), _dash(settings, server, "admin/")
    app = _dash(settings, server)  # the last one made is the one that Dash takes for the current one
    hashes.apps += [app, jobs_app, admin_app]
    metrics = WebMetrics(settings.url_prefix)
    site, ledger = open_web_site(settings), open_ledger(settings, busy_ms=WEB_BUSY_MS, impatient=True)
    wake = make_wake(settings, ledger)
    services = Services(settings, site, ledger, access, asks, wake, metrics.time_view)
    cache = open_cache(settings)
    renderer = run.JobRenderer(services)
    manager = QueueManager(
        cache,
        services.ledger,
        services.identify,
        renderer.progress,
        renderer.result,
        wake=services.wake,
        signing_secret=settings.signing_secret(),
        shown_s=settings.result_ttl,
    )
    app._background_manager = manager  # noqa: SLF001 - Dash's own cancel callback asks the application's manager
    for module in (form, submit, url, view, embedding):
        module.register(app, services)
    run.register(app, services, manager, renderer)
    _jobs_page(jobs_app, services)
    _admin_page(admin_app, services)
    _routes(app, services, asks, Readiness(site, ledger, cache), metrics)
    _prepare(app, lambda known: _layout(services, known), services, lambda: services.seen().inventory.known())
    return app


def _jobs_page(app: RiwayatDash, services: Services) -> None:
    """A Dash application of its own on the same server: leaving the history page ends its polls, and each loads what it needs."""
    app.with_grid, app.page_name = True, lambda: _("Jobs")
    jobs_page.register(app, services)
    app.server.add_url_rule(f"{services.settings.url_prefix}jobs", "jobs", app.index)  # as people type it
    _prepare(app, lambda _known: _jobs_layout(services), services)


def _admin_page(app: RiwayatDash, services: Services) -> None:
    """The administrators' page: one more, as the Jobs page is. Who else asks never comes as far as this."""
    app.with_grid, app.page_name = True, lambda: _("Administration")
    admin.register(app, services)
    app.server.add_url_rule(f"{services.settings.url_prefix}admin", "admin", app.index)  # as people type it
    _prepare(app, lambda _known: _admin_layout(services), services)


def _only_for_administrators(server: Flask, prefix: str, asks: Asking) -> None:
    """To others the administrators' page, its layout, its callbacks and its files are like any path that leads nowhere."""

    def hidden() -> Response | None:
        below = request.path.removeprefix(prefix).partition("/")[0]
        if not request.path.startswith(prefix) or below != "admin" or asks().admin:
            return None
        asks.access.audit.note(NotFound(), method=request.method, path=request.path)
        return _missing(prefix) if request.method in ("GET", "HEAD") else error_json(NotFound())

    server.before_request(hidden)


def _server(settings: Settings) -> Flask:
    server = Flask("riwayat", static_folder=None)
    server.secret_key = settings.signing_secret()
    configure_compression(server, settings.url_prefix)
    return server


def _guard(server: Flask, settings: Settings, asks: Asking, hashes: ScriptHashes) -> None:
    """Before Dash's own hook, which calls the layout at the first request, whoever asks."""
    rules = BrowserRules(settings, hashes)
    Guard(settings, asks, lambda title, sentence: plain_page(current_language(), title, sentence), rules).install(server)


def _dash(settings: Settings, server: Flask, path: str = "") -> RiwayatDash:
    app = RiwayatDash(
        "riwayat",
        server=server,
        url_base_pathname=f"{settings.url_prefix}{path}",
        assets_folder=str(Path(__file__).with_name("assets")),
        assets_ignore=r"embed\.(js|css)",  # of the frame of an embedded chart, which is no page of Dash
        external_stylesheets=[f"{settings.url_prefix}bootstrap.css?v={version('Bootstrap-Flask')}"],
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "robots", "content": "noindex"},
        ],
        title="Riwayat",
        update_title=None,
        compress=not path,  # once a server
        serve_locally=True,
        suppress_callback_exceptions=True,  # the buttons of notices come and go
        add_log_handler=False,
    )
    app.prefix = settings.url_prefix
    refuse_nonsense(server, f"{settings.url_prefix}{path}_dash-update-component", lambda: app.callback_map, is_of_its_kind)
    return app


def _prepare(
    app: RiwayatDash,
    layout: Callable[[KnownStations], Any],
    services: Services,
    known: Callable[[], KnownStations] = lambda: KnownStations(()),
) -> None:
    """What Dash would do in its first request, unlocked: other requests of that moment would find half of it."""
    app.layout = lambda: layout(KnownStations(()))  # Dash looks at the components only; no database yet
    with app.server.test_request_context(services.settings.url_prefix):
        app._setup_server()  # noqa: SLF001 - see above
    app.layout = lambda: layout(known())


def _jobs_layout(services: Services) -> Any:
    identity = _identity(services)
    context = JobsContext(
        prefix=services.settings.url_prefix,
        language=current_language(),
        theme_choice=_cookie("riwayat_theme", ("auto", "light", "dark")),
        shade=_shade(),
        user=identity.user,
        admin=identity.admin,
        menu=_menu(services.settings, identity),
    )
    return jobs_layout(context)


def _admin_layout(services: Services) -> Any:
    settings, identity = services.settings, _identity(services)
    context = AdminContext(
        prefix=settings.url_prefix,
        language=current_language(),
        theme_choice=_cookie("riwayat_theme", ("auto", "light", "dark")),
        shade=_shade(),
        user=identity.user,
        zone=zone_name(time.time_ns() // 1_000_000, settings.timezone),
        passwords=settings.auth == "login",
        menu=_menu(settings, identity),
    )
    return admin_layout(context)


def _menu(settings: Settings, identity: Identity) -> Menu:
    menu = visitors_menu(settings)
    return replace(menu, admin=f"{settings.url_prefix}admin") if identity.admin else menu


def _layout(services: Services, known: KnownStations) -> Any:
    settings, identity = services.settings, _identity(services)
    found = bounds(known.stations, ())
    times = preset_range(DEFAULT_PRESET, *found, settings.timezone) if found else ()
    start, end = (wall_clock(time_ms, settings.timezone) for time_ms in times) if times else ("", "")
    context = PageContext(
        prefix=settings.url_prefix,
        language=current_language(),
        theme_choice=_cookie("riwayat_theme", ("auto", "light", "dark")),
        shade=_shade(),
        user=identity.user,
        nothing_granted=not (known.stations or known.away or identity.rights.everything),
        finest=identity.rights.finest,
        timezone=settings.timezone,
        zone=zone_name(found[1] if found else 0, settings.timezone),
        stations=known.stations,
        away=known.away,
        start=start,
        end=end,
        menu=_menu(settings, identity),
    )
    return page(context, seen_by(services.site, identity.rights).catalogue, chart(current_language(), _shade()))


def _routes(app: RiwayatDash, services: Services, asks: Asking, readiness: Readiness, metrics: WebMetrics) -> None:
    server, settings = app.server, services.settings
    metrics.install(server)
    server.register_blueprint(health_blueprint(readiness, metrics, settings.url_prefix))
    desk = Desk(services.site, services.ledger, services.access, asks, asks.later, services.wake, settings.url_prefix)
    register_api(server, desk, listeners=settings.event_listeners)
    server.register_blueprint(embed_blueprint(desk))
    server.register_blueprint(preview_blueprint(desk))
    _register_style(server, settings.url_prefix)
    _register_not_found(server, settings.url_prefix)


def _register_style(server: Flask, prefix: str) -> None:
    @server.get(f"{prefix}bootstrap.css")
    def bootstrap_css() -> Response:
        return send_file(BOOTSTRAP_CSS, mimetype="text/css", max_age=_YEAR_S)


def _register_not_found(server: Flask, prefix: str) -> None:
    """A small router: the history page at the prefix; any other path that Dash would answer with it is not there."""

    def unknown_path() -> Response | None:
        if request.endpoint is None or not request.endpoint.endswith("<path:path>"):
            return None
        return _missing(prefix)

    def answer(error: HTTPException) -> Response:
        wants_page = error.code == 404 and request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        return _missing(prefix) if wants_page and not is_api(request.path, prefix) else http_error_json(error)

    server.before_request(unknown_path)
    server.register_error_handler(HTTPException, answer)
    for unknown in (DependencyException, InvalidResourceError):  # a file that no component has
        server.register_error_handler(unknown, lambda _error: error_json(NotFound()))


def _missing(prefix: str) -> Response:
    html = plain_page(current_language(), _("There is no such page."), _("The address leads nowhere on this site."), prefix)
    return Response(html, 404, content_type="text/html; charset=utf-8")


def _identity(services: Services) -> Identity:
    """Nobody only while the application is made (see _prepare)."""
    try:
        return services.identify()
    except RiwayatError:
        return Identity("")


def _shade() -> str:
    return _cookie("riwayat_shade", ("light", "dark"))


def _cookie(name: str, allowed: tuple[str, ...]) -> str:
    value = request.cookies.get(name, "")
    return value if value in allowed else allowed[0]


def __getattr__(name: str) -> Any:
    """``server`` for gunicorn (``gunicorn app:server``), made when first asked for."""
    if name != "server":
        raise AttributeError(name)
    settings = load_settings()
    configure_logs(settings.log_level)
    refuse_open_door(settings, [settings.host])
    globals()["server"] = create_app(settings).server
    return globals()["server"]


if __name__ == "__main__":
    from serve import main

    main()
