"""Fixtures that several test files share. Helpers for real processes are in tests/processes.py."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
from dash._get_app import app_context
from selenium.webdriver.chrome.options import Options

from config import Settings
from data.site import Site, open_site
from tests import processes
from tests.databases import DATABASES, IN_CI, drop_all
from tests.servers import OWN_SERVERS, OwnServer

hypothesis.settings.register_profile(
    "riwayat", deadline=None, derandomize=IN_CI, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("riwayat")  # in CI the same examples each time; on a desk new ones


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start: a run in the background of a shell ignores it, and children inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_setup_options() -> Options:
    """Chromium for dash[testing]: as root, without a display, without a word to any network."""
    options = Options()
    for argument in (
        "no-sandbox",
        "disable-dev-shm-usage",
        "disable-gpu",
        "disable-background-networking",
        "disable-component-update",
        "no-first-run",
        "window-size=1280,900",
        "lang=en",
    ):
        options.add_argument(f"--{argument}")
    if not os.environ.get("DISPLAY"):
        options.add_argument("--headless")
    return options


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none; in CI leave it, so that it fails."""
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    for item in items:
        browser = {"dash_br", "dash_duo"} & set(getattr(item, "fixturenames", ()))
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
def _no_app_of_another_test() -> Iterator[None]:
    """Dash keeps the app that was set up in a context; another test's app must not answer for this one's."""
    token = app_context.set(None)
    yield
    app_context.reset(token)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a site whose folder is new, empty and the test's own; everything else is the default."""
    made = Settings(data_dir=tmp_path / "var")
    made.prepare()
    return made


@pytest.fixture(scope="session", autouse=True)
def _no_databases_left() -> Iterator[None]:
    yield
    drop_all()


@pytest.fixture(params=sorted(DATABASES))
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of each kind that is supported; emptied afterwards (tests/databases.py)."""
    with DATABASES[request.param](tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def _own_servers() -> Iterator[Callable[[str], OwnServer]]:
    """Servers that this run may kill, made when they are first asked for; each runs when it is handed over."""
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
def sample_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR with the bundled sample, made once; never write to it: take ``data_dir``."""
    folder = tmp_path_factory.mktemp("sample")
    done = processes.run_manage("setup", "--sample-only", cwd=folder, data_dir=folder / "var")
    assert done.returncode == 0, done.stderr
    return folder / "var"


@pytest.fixture
def data_dir(sample_data_dir: Path, tmp_path: Path) -> Path:
    """The test's own copy of a DATA_DIR that holds the bundled sample."""
    return Path(shutil.copytree(sample_data_dir, tmp_path / "site"))


@pytest.fixture
def site(data_dir: Path) -> Site:
    """The data layer of a site that holds the bundled sample (EWR, JFK, LGA, hourly, 2013); nothing is loaded yet."""
    return open_site(Settings(data_dir=data_dir))


@pytest.fixture
def start_site(data_dir: Path, tmp_path: Path) -> Iterator[Callable[..., processes.SiteProcess]]:
    """Start ``python app.py`` on the sample: ``start_site(job_timeout=5)``. Stopped at the end; an orphan is an error."""
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
