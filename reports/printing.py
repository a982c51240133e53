"""A page as a PDF, printed by the machine's Chromium without a network."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from config import Settings
from errors import ConfigurationError, PrintFailed
from jobs.chromium import NAMES, find_chromium, opened_browser_folder
from jobs.worker.process import lift_memory_limit

_FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-pdf-header-footer",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def require_printer(settings: Settings) -> str:
    """Return the path of the program that prints.

    Raises:
        ConfigurationError: there is none; says what to install.
    """
    found = find_chromium(settings)
    if found is None:
        raise ConfigurationError(
            "A PDF is printed by Chromium, which is not installed here ({known}). "
            "Install it (Debian: apt install chromium) or set RIWAYAT_CHROMIUM; HTML and Excel need no browser.",
            known=settings.chromium or ", ".join(NAMES),
        )
    return found


def print_page(settings: Settings, page: Path, pdf: Path, name: str, timeout_s: float) -> None:
    """Print an HTML file; ``name`` is one that no other attempt has. The browser ends with this
    process's group, and its profile is gone afterwards.

    Raises:
        ConfigurationError: there is no browser.
        PrintFailed: it printed nothing, or not in time.
    """
    program = require_printer(settings)
    # Chromium's sandbox does not start as root; the page is ours, has no script and may load
    # nothing.
    own = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with opened_browser_folder(name) as folder:
        place = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"), str(folder))
        command = [program, *_FLAGS, *own, f"--user-data-dir={folder}", f"--print-to-pdf={pdf}", page.resolve().as_uri()]
        try:
            subprocess.run(
                command,
                env={**os.environ, **place},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_s,
                check=True,
                preexec_fn=lift_memory_limit,
            )
        except subprocess.TimeoutExpired as exc:
            raise PrintFailed("Chromium did not print the report within {seconds} s.", seconds=round(timeout_s)) from exc
        except subprocess.CalledProcessError as exc:
            raise PrintFailed("Chromium could not print the report: {why}.", why=_reason(exc)) from exc
    if not pdf.is_file() or not pdf.stat().st_size:
        raise PrintFailed("Chromium could not print the report: {why}.", why=str(pdf))
    _pack(pdf)


def _pack(pdf: Path) -> None:
    """Compress what Chromium writes as text: each cell's place in the order of reading, which of a
    long report is four fifths of the file.
    """
    import pikepdf  # only where a PDF is printed

    with pikepdf.open(pdf, allow_overwriting_input=True) as document:
        document.save(pdf, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def _reason(exc: subprocess.CalledProcessError) -> str:
    """The line that says why, among others that say nothing."""
    said = str(exc.stderr.decode(errors="replace")).strip().splitlines()
    return next((line for line in said if "FATAL" in line), said[-1] if said else str(exc.returncode))
