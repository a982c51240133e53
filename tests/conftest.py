"""Fixtures that several test files share. Helpers for real processes are in tests/processes.py."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import structlog
from argon2 import PasswordHasher
from dash._get_app import app_context
from dash.testing.browser import Browser
from selenium.webdriver.chrome.options import Options
from xdist.scheduler import LoadFileScheduling

from access import passwords
from config import Settings
from data.site import Site, open_site
from i18n import DEFAULT_LANGUAGE, set_language
from tests import processes
from tests.browser import SharedBrowser
from tests.databases import DATABASES, IN_CI, MIGRATED, drop_all, share_tls_context
from tests.order import duration_rank, unit_of
from tests.servers import OWN_SERVERS, OwnServer

CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
REAL_HASHER = passwords._HASHER

hypothesis.settings.register_profile(
    "riwayat", deadline=None, derandomize=IN_CI, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("riwayat")  # in CI the same examples each time; on a desk new ones


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start: a run in the background of a shell ignores it,
    and children inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    processes.forks = "TEST_REAL_STARTS" not in os.environ
    gc.disable()  # until everything is imported
    share_tls_context()


def pytest_collection_finish() -> None:
    """Keep what was imported, half a million objects, out of garbage collections from now on.

    What is garbage of it stays, a few megabytes; to find it would take each process half a second.
    """
    gc.freeze()
    gc.enable()


def pytest_setup_options() -> Options:
    """Chromium for dash[testing]: as root, without a display, without a word to any network."""
    options = Options()
    for argument in (
        "no-sandbox",
        "disable-dev-shm-usage",
        "disable-gpu",
        "process-per-site",  # a second tab compiles nothing anew
        "disable-background-networking",
        "disable-component-update",
        "no-first-run",
        "force-prefers-reduced-motion",  # a page that still scrolls smoothly moves away from under a click
        "window-size=1280,900",
        "lang=en",
    ):
        options.add_argument(f"--{argument}")
    if not os.environ.get("DISPLAY"):
        options.add_argument("--headless")
    return options


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Give each process whole files, but parts of those that are too long for one."""
    if config.getoption("dist") != "loadfile":
        return None
    made = LoadFileScheduling(config, log)
    made._split_scope = unit_of
    return made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; skip what needs a browser where there is none (in CI leave it,
    so that it fails).
    """
    items.sort(key=duration_rank)
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    for item in items:
        browser = "_shared_browser" in getattr(item, "fixturenames", ())
        if browser:
            item.add_marker(pytest.mark.browser)
        if browser and missing and not IN_CI:
            item.add_marker(pytest.mark.skip(reason=f"{' and '.join(missing)} not installed (see make test)"))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests must not decide them."""
    for name in [name for name in os.environ if name.startswith("RIWAYAT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


@pytest.fixture(autouse=True)
def _in_english() -> None:
    """A language that another test chose must not be this one's."""
    set_language(DEFAULT_LANGUAGE)


@pytest.fixture
def logs_not_set_up() -> Iterator[None]:
    """As at the start of a program; other tests of this process may have set the logs up."""
    before = structlog.get_config() if structlog.is_configured() else None
    structlog.reset_defaults()
    yield
    if before:
        structlog.configure(**before)


@pytest.fixture(autouse=True)
def _no_app_of_another_test() -> Iterator[None]:
    """Dash keeps the app that was set up in a context;
    another test's app must not answer for this one's.
    """
    token = app_context.set(None)
    yield
    app_context.reset(token)


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hash passwords with the weakest parameters, also those that a file's tests share: each look
    at a real one takes a seventh of a second.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", CHEAP_HASHER)
        yield


@pytest.fixture(autouse=True)
def _real_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test marked ``real_passwords`` has the product's parameters, 64 MiB a hash."""
    if request.node.get_closest_marker("real_passwords") is not None:
        monkeypatch.setattr(passwords, "_HASHER", REAL_HASHER)
    passwords._dummy.cache_clear()


@pytest.fixture(autouse=True)
def _real_starts(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test marked ``real_start`` starts programs as a user does;
    for all others they are forked, a second quicker.
    """
    with processes.real_starts() if request.node.get_closest_marker("real_start") else nullcontext():
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a site whose folder is new, empty and the test's own;
    everything else is the default.
    """
    made = Settings(data_dir=tmp_path / "var")
    made.prepare()
    return made


@pytest.fixture(scope="session", autouse=True)
def _no_databases_left() -> Iterator[None]:
    yield
    drop_all()


@pytest.fixture(params=sorted(DATABASES))
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of each kind that is supported;
    emptied afterwards (tests/databases.py).
    """
    with DATABASES[request.param](tmp_path) as url:
        yield url


@pytest.fixture(params=sorted(MIGRATED))
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database of each kind that has all tables of the program and not a row."""
    with MIGRATED[request.param](tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def _own_servers() -> Iterator[Callable[[str], OwnServer]]:
    """Servers that this run may kill, made when they are first asked for;
    each runs when it is handed over.
    """
    made: dict[str, OwnServer] = {}
    with ExitStack() as stack:

        def server(kind: str) -> OwnServer:
            if kind not in made:
                made[kind] = stack.enter_context(OWN_SERVERS[kind]())
            return made[kind].start()

        yield server


@pytest.fixture
def own_postgresql(_own_servers: Callable[[str], OwnServer]) -> OwnServer:
    """A PostgreSQL that the test may stop, kill and start again (tests/servers.py)."""
    return _own_servers("postgresql")


@pytest.fixture(params=sorted(OWN_SERVERS))
def own_server(request: pytest.FixtureRequest, _own_servers: Callable[[str], OwnServer]) -> OwnServer:
    """A server of each kind that the test may stop, kill and start again (tests/servers.py)."""
    return _own_servers(request.param)


@pytest.fixture
def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    return processes.free_port()


@pytest.fixture(scope="session")
def site_port() -> int:
    """A port for all sites that the browser visits one after the other:
    it knows their scripts, at one address, already.

    No other test is given one of these, and each process of the run has a range of its own:
    were two given the same, the site that starts later would be asked for at the earlier one.
    """
    first = 32_000 + 48 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16)
    return processes.free_port(first, first + 47)


@pytest.fixture(scope="session")
def sample_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR with the bundled sample, made once a run; never write to it: take ``data_dir``."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sample"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other processes of the run wait for the first
        if not (folder / "done").exists():
            done = processes.run_manage("setup", "--sample-only", cwd=folder, data_dir=folder / "var")
            assert done.returncode == 0, done.stderr
            (folder / "done").touch()
    return folder / "var"


@pytest.fixture
def data_dir(sample_data_dir: Path, tmp_path: Path) -> Path:
    """The test's own copy of a DATA_DIR that holds the bundled sample."""
    return Path(shutil.copytree(sample_data_dir, tmp_path / "site"))


@pytest.fixture
def site(data_dir: Path) -> Site:
    """The data layer of a site that holds the bundled sample (EWR, JFK, LGA, hourly, 2013);
    nothing is loaded yet.
    """
    return open_site(Settings(data_dir=data_dir))


@pytest.fixture(scope="session")
def _shared_browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedBrowser]:
    options = request.config.hook.pytest_setup_options()
    shared = SharedBrowser(options, tmp_path_factory.mktemp("browser"), headless=request.config.getoption("headless"))
    yield shared
    shared.quit()


@pytest.fixture
def dash_br(_shared_browser: SharedBrowser, tmp_path: Path) -> Iterator[Browser]:
    """The browser of dash[testing], started once a test process;
    a new tab that knows nothing of other tests'.
    """
    downloads = tmp_path / "download"
    downloads.mkdir()
    yield _shared_browser.fresh(downloads)
    _shared_browser.leave()


@pytest.fixture
def start_site(data_dir: Path, tmp_path: Path) -> Iterator[Callable[..., processes.SiteProcess]]:
    """Start ``python app.py`` on the sample: ``start_site(job_timeout=5)``. Stopped at the end;
    an orphan is an error.
    """
    started: list[processes.SiteProcess] = []

    def start(**settings: object) -> processes.SiteProcess:
        site = processes.SiteProcess(cwd=tmp_path, **{"data_dir": data_dir, **settings})
        started.append(site)
        return site.start()

    try:
        yield start
        for site in started:
            site.stop()
    finally:
        for site in started:
            site.kill()
