"""A figure drawn as a picture by Chromium, which kaleido drives; nothing is fetched from elsewhere.

The browser runs in the process group of whoever starts it, so that it ends with it; what it writes
besides lies in one folder of this machine.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from config import Settings
from errors import Conflict, PictureFailed

if TYPE_CHECKING:
    from kaleido import Kaleido

PICTURE_FORMATS: Final = ("png", "svg", "pdf")
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

_SCALE: Final = 2  # pixels of a PNG for each of the figure's, for sharp print
_RENDER_S: Final = 60.0
_END_S: Final = 15.0
_LOCALE: Final = Path(__file__).resolve().parent.parent / "assets" / "locale.js"
# so that not even a look-up of a name leaves the machine
_ALONE: Final = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-background-networking",
    "--disable-component-extensions-with-background-pages",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--no-pings",
)


def find_chromium(settings: Settings) -> str | None:
    """Return the path of the browser that draws pictures: that of the settings, else the first that
    is found; None where there is none.
    """
    if settings.chromium:
        return shutil.which(settings.chromium)
    return next(filter(None, map(shutil.which, NAMES)), None)


def require_chromium(settings: Settings) -> str:
    """Return the path of the browser.

    Raises:
        Conflict: there is none; says what to do.
    """
    found = find_chromium(settings)
    if found is None:
        raise Conflict(
            "PNG, SVG and PDF pictures need Chromium on the server, and none is found. "
            "Install it (on Debian: apt install chromium) or set RIWAYAT_CHROMIUM to its path. HTML needs none."
        )
    return found


def browser_folder(name: str) -> Path:
    """Return the folder in which a browser keeps what it needs while it draws for an attempt."""
    return Path(tempfile.gettempdir()) / f"riwayat-chromium-{name}"  # short: sockets lie in it


def remove_browser_folder(name: str) -> None:
    """Remove what a browser left whose attempt was killed, if anything is."""
    shutil.rmtree(browser_folder(name), ignore_errors=True)


def render(settings: Settings, figure: Mapping[str, Any], kind: str, language: str, name: str) -> bytes:
    """Return a figure (``data`` and ``layout`` with width and height) as a PNG, an SVG or a PDF.

    Months and numbers are written in ``language``; ``name`` is one that no other attempt has.
    Starts threads and a browser, and has ended them on return.

    Raises:
        Conflict: there is no Chromium.
        PictureFailed: it does not start, or cannot draw this.
    """
    path = require_chromium(settings)
    with opened_browser_folder(name) as folder:
        page = _page(folder, language)
        try:
            return asyncio.run(asyncio.wait_for(_drawn(path, page, folder, figure, kind), _RENDER_S + _END_S))
        except (RuntimeError, OSError, TimeoutError) as exc:  # what kaleido and choreographer raise are RuntimeErrors
            raise PictureFailed(why=str(exc).splitlines()[0][:200] if str(exc) else type(exc).__name__) from exc


@contextmanager
def opened_browser_folder(name: str) -> Iterator[Path]:
    """A folder that only this user may enter, which is gone afterwards."""
    folder = browser_folder(name)
    remove_browser_folder(name)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _page(folder: Path, language: str) -> Path:
    """Write the page that kaleido opens: Plotly and our words of it, no MathJax."""
    from kaleido import PageGenerator

    words = folder / "language.js"
    words.write_text(f"Plotly.setPlotConfig({{locale: '{language}'}});\n", encoding="utf-8")
    scripts = [(script.as_uri(), "utf-8") for script in (_LOCALE, words)]
    page = folder / "index.html"
    page.write_text(PageGenerator(mathjax=False, others=scripts).generate_index(), encoding="utf-8")
    return page


async def _drawn(path: str, page: Path, folder: Path, figure: Mapping[str, Any], kind: str) -> bytes:
    browser = _browser(path, page, folder)
    try:
        await browser.open()
        drawn: bytes = await browser.calc_fig(dict(figure), opts={"format": kind, "scale": _SCALE if kind == "png" else 1})
        return drawn
    finally:
        with suppress(Exception):  # it is killed then
            await browser.close()
        _kill(browser)


def _browser(path: str, page: Path, folder: Path) -> Kaleido:
    from choreographer.browsers.chromium import Chromium
    from kaleido import Kaleido

    class Ours(Chromium):
        """A browser that ends with our process group and leaves everything else alone."""

        def get_popen_args(self) -> Mapping[str, Any]:
            return {**super().get_popen_args(), "start_new_session": False}

        def get_cli(self) -> Sequence[str]:
            return [*super().get_cli(), *_ALONE]

        def get_env(self) -> dict[str, str]:
            # its own small files lie in the folder as well, whatever may be written elsewhere
            return {**super().get_env(), "TMPDIR": str(folder), "HOME": str(folder)}

    return Kaleido(
        n=1,
        timeout=_RENDER_S,
        page_generator=page,
        path=path,
        browser_cls=Ours,
        tmp_dir=str(folder),
        enable_extensions=False,
    )


def _kill(browser: Kaleido) -> None:
    """End what closing has not ended."""
    process = getattr(browser, "subprocess", None)
    if process is None or process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    process.wait(_END_S)
