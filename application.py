"""The web application: ``create_app(settings)`` puts pages, API and their guard on one server."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import flask_bootstrap
from dash import Dash
from dash.exceptions import DependencyException, InvalidResourceError
from flask import Flask, Response, request, send_file

from access.identity import Identity
from access.ingest_keys import ingest_keys
from access.restricted_site import restricted_site
from access.store import open_access
from api.authenticator import Authenticator
from api.compression import configure_compression
from api.concurrency import ConcurrencyLimit
from api.embed import embed_blueprint
from api.embed_preview import preview_blueprint
from api.error_answers import error_json
from api.guard import Guard
from api.headers import BrowserRules
from api.jobs import ApiServices
from api.monitoring.health import health_blueprint
from api.monitoring.metrics import WebMetrics
from api.monitoring.readiness import Readiness
from api.not_found import missing, register_not_found
from api.routes import register_api
from api.sign_in.install import install_sign_in, visitors_menu
from callbacks import (
    admin,
    arrival,
    embedding,
    following,
    form,
    formulas,
    jobs_page,
    run,
    saved,
    search,
    start,
    submit,
    view,
    widen,
)
from callbacks.malformed import refuse_malformed
from callbacks.presets import bounds, preset_range, wall_clock
from config import Settings
from data.database.drivers import WEB_BUSY_MS
from data.inventory import KnownStations
from data.site import open_web_site
from data.time.epoch import epoch_ms
from errors import RiwayatError
from i18n import current_language, zone_name
from i18n import gettext as _
from jobs.ledger.ledger import open_ledger
from jobs.manager import QueueManager, open_cache
from jobs.services import Services
from jobs.worker.wake import make_wake
from layouts.admin import admin_page as admin_layout
from layouts.chart import chart
from layouts.document import THEME_SCRIPT, DashParts, document
from layouts.files import ADMIN, HISTORY, JOBS, PageFiles
from layouts.form import DEFAULT_PRESET, zone_options
from layouts.header import Chrome
from layouts.jobs import jobs_page as jobs_layout
from layouts.page import PageContext, page, plain_page
from layouts.plain import asset_address
from layouts.start import with_data

BOOTSTRAP_CSS = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5" / "css" / "bootstrap.min.css"
_YEAR_S = 31_536_000


class RiwayatDash(Dash):
    """Dash whose document carries the language and the theme of the request.
    ``prefix`` is the site's, not the page's.
    """

    prefix = "/"
    files = HISTORY
    page_name = staticmethod(lambda: "")  # in the language of the request; empty: the history page

    def _config(self) -> dict[str, Any]:
        """Return what the page's script is told; nothing of elsewhere."""
        return {**super()._config(), "dash_version_url": "", "disable_version_check": True}

    def interpolate_index(self, **parts: Any) -> str:
        """The document of the page (see layouts/document.py)."""
        paths = (parts["scripts"], self.config.requests_pathname_prefix, self.prefix)
        scripts = self.files.scripts(*paths)
        found = DashParts(parts["metas"], parts["css"], parts["app_entry"], parts["config"], scripts, parts["renderer"])
        title = " · ".join(name for name in (self.page_name(), "Riwayat") if name)
        return document(
            found,
            title=title,
            language=current_language(),
            shade=_shade(),
            prefix=self.prefix,
            loading=_("Loading …"),
            unanswered=_("The server does not answer; trying again."),
            later={name: asset_address(self.prefix)(name) for name in self.files.later} | self.files.later_address(*paths),
        )


class ScriptHashes:
    """Hashes of the inline scripts of the documents, for their policy;
    known when all callbacks are registered.
    """

    def __init__(self) -> None:
        self.apps: list[Dash] = []
        digest = hashlib.sha256(THEME_SCRIPT.encode()).digest()
        self._theme = f"sha256-{base64.b64encode(digest).decode()}"

    def __call__(self) -> list[str]:
        """Return the hashes in the form of a policy, with or without quotes."""
        return [self._theme, *(value for app in self.apps for value in app.csp_hashes())]


def create_app(settings: Settings) -> Dash:
    """The application: layout a request, callbacks, guard of all routes.
    Opens no connection and starts no process.
    """
    settings.prepare()
    ingest_keys(settings)  # what is wrong with them is said at the start
    access = open_access(settings, busy_ms=WEB_BUSY_MS, impatient=True)
    hashes = ScriptHashes()
    server = _server(settings)
    authenticator = install_sign_in(server, settings, access)
    _guard(server, settings, authenticator, hashes)
    jobs_app, admin_app = _dash(settings, server, JOBS, "jobs/"), _dash(settings, server, ADMIN, "admin/")
    # the last one made is the one that Dash takes for the current one
    app = _dash(settings, server, HISTORY)
    hashes.apps += [app, jobs_app, admin_app]
    refuse_malformed(server, {f"{each.config.url_base_pathname}_dash-update-component": each for each in hashes.apps}, error_json)
    metrics = WebMetrics(settings.url_prefix)
    site = open_web_site(settings, access.definitions, access.decisions, access.limits)
    ledger = open_ledger(settings, busy_ms=WEB_BUSY_MS, impatient=True)
    wake = make_wake(settings, ledger)
    services = Services(
        settings, site, ledger, access, authenticator, wake, metrics.time_view, authenticator.must_prove, authenticator.logins
    )
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
    )
    app._background_manager = manager  # noqa: SLF001 - Dash's own cancel callback asks the application's manager
    for module in (form, formulas, start, submit, arrival, view, widen, embedding, saved, search, following):
        module.register(app, services)
    run.register(app, services, manager, renderer)
    _jobs_page(jobs_app, services)
    _admin_page(admin_app, services)
    _routes(app, services, authenticator, Readiness(site, ledger, cache), metrics)
    _prepare(
        app,
        lambda known: _layout(services, known),
        services,
        lambda: services.seen().knowing(form.formula_names(services)).inventory.known(),
    )
    return app


def _jobs_page(app: RiwayatDash, services: Services) -> None:
    """A Dash application of its own on the same server:
    leaving the history page ends its polls, and each loads what it needs.
    """
    app.page_name = lambda: _("Jobs")
    jobs_page.register(app, services)
    # as people type it
    app.server.add_url_rule(f"{services.settings.url_prefix}jobs", "jobs", app.index)
    _prepare(app, lambda _known: _jobs_layout(services), services)


def _admin_page(app: RiwayatDash, services: Services) -> None:
    """Make the administrators' page, which others never reach."""
    app.page_name = lambda: _("Administration")
    admin.register(app, services)
    # as people type it
    app.server.add_url_rule(f"{services.settings.url_prefix}admin", "admin", app.index)
    _prepare(app, lambda _known: _admin_layout(services), services)


def _server(settings: Settings) -> Flask:
    server = Flask("riwayat", static_folder=None)
    server.secret_key = settings.signing_secret()
    configure_compression(server, settings.url_prefix)
    return server


def _guard(server: Flask, settings: Settings, authenticator: Authenticator, hashes: ScriptHashes) -> None:
    """Put the guard before Dash's own hook, which calls the layout at the first request."""
    rules = BrowserRules(settings, hashes)
    Guard(
        settings,
        authenticator,
        lambda title, sentence: plain_page(current_language(), title, sentence),
        rules,
        lambda: missing(settings.url_prefix),
    ).install(server)


def _dash(settings: Settings, server: Flask, files: PageFiles, path: str = "") -> RiwayatDash:
    app = RiwayatDash(
        "riwayat",
        server=server,
        url_base_pathname=f"{settings.url_prefix}{path}",
        assets_folder=str(Path(__file__).with_name("assets")),
        assets_ignore=files.ignored,
        # one address on all pages, so that the browser keeps one copy
        assets_external_path=settings.url_prefix,
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
    app.prefix, app.files = settings.url_prefix, files
    return app


def _prepare(
    app: RiwayatDash,
    layout: Callable[[KnownStations], Any],
    services: Services,
    known: Callable[[], KnownStations] = lambda: KnownStations(()),
) -> None:
    """Run Dash's first-request setup now: it takes no lock,
    and concurrent requests would find half of it.
    """
    # Dash looks at the components only; no database yet
    app.layout = lambda: layout(KnownStations(()))
    with app.server.test_request_context(services.settings.url_prefix):
        app._setup_server()  # noqa: SLF001 - see above
    app.layout = lambda: layout(known())


def _jobs_layout(services: Services) -> Any:
    identity = _identity(services)
    return jobs_layout(_chrome(services, identity), admin=identity.admin)


def _admin_layout(services: Services) -> Any:
    settings = services.settings
    zone = zone_name(epoch_ms(), settings.timezone)
    return admin_layout(_chrome(services, _identity(services)), zone=zone, passwords=settings.auth == "login")


def _chrome(services: Services, identity: Identity) -> Chrome:
    """Return what all pages know of the request in hand."""
    menu = visitors_menu(services.settings)
    return Chrome(
        prefix=services.prefix,
        language=current_language(),
        theme_choice=_cookie("riwayat_theme", ("auto", "light", "dark")),
        shade=_shade(),
        user=identity.user,
        menu=replace(menu, admin=f"{services.prefix}admin") if identity.admin else menu,
    )


def _layout(services: Services, known: KnownStations) -> Any:
    settings, identity = services.settings, _identity(services)
    first = [station.name for station in with_data(known.stations)[:1]]
    found, zone = bounds(known.stations, first), services.site.catalogue.zone_of(first, settings.timezone)
    times = preset_range(DEFAULT_PRESET, *found, zone) if found else ()
    start, end = (wall_clock(time_ms, zone) for time_ms in times) if times else ("", "")
    context = PageContext(
        chrome=_chrome(services, identity),
        nothing_granted=not (known.stations or known.away or identity.rights.everything),
        finest=identity.rights.finest,
        timezone=settings.timezone,
        zones=zone_options(found[1] if found else 0, zone, settings.timezone),
        stations=known.stations,
        away=known.away,
        lists=saved.listed(services) if known.stations else None,
        start=start,
        end=end,
    )
    site = restricted_site(services.site, identity.rights)
    own = form.formula_names(services) if known.stations else ()
    return page(context, site.knowing(own).catalogue, chart(current_language(), _shade()))


def _routes(
    app: RiwayatDash, services: Services, authenticator: Authenticator, readiness: Readiness, metrics: WebMetrics
) -> None:
    server, settings = app.server, services.settings
    metrics.install(server)
    server.register_blueprint(health_blueprint(readiness, metrics, settings.url_prefix))
    downloads = ConcurrencyLimit(each=settings.user_downloads, in_all=settings.downloads)
    api_services = ApiServices(**vars(services), reauthenticator=authenticator.reauthenticator, downloads=downloads)
    register_api(server, api_services, listeners=settings.event_listeners)
    server.register_blueprint(embed_blueprint(api_services))
    server.register_blueprint(preview_blueprint(api_services))
    _register_style(server, settings.url_prefix)
    register_not_found(server, settings.url_prefix, (DependencyException, InvalidResourceError))


def _register_style(server: Flask, prefix: str) -> None:
    @server.get(f"{prefix}bootstrap.css")
    def bootstrap_css() -> Response:
        return send_file(BOOTSTRAP_CSS, mimetype="text/css", max_age=_YEAR_S)


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
