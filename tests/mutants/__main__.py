"""Break each line of the table in a copy of the project, run the tests that must notice,
and say which did not.

``python -m tests.mutants [PART …]``: all, or those of files whose path has a part in it.
Exits 1 where one was not noticed.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.table import MUTANTS, Mutant
from tests.processes import ROOT

LONGEST_S = 300
_FAILED = 1  # of pytest and node: a test failed, not a wrong command line

_later = itertools.count(1)


def main(parts: list[str]) -> int:
    """Return 1 when a mutant was not noticed, else 0."""
    chosen = [mutant for mutant in MUTANTS if not parts or any(part in mutant.file for part in parts)]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
        for name in filter(None, listed.stdout.decode().split("\0")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_file():
                shutil.copy2(ROOT / name, copy / name)
        missed = [mutant for mutant in chosen if not noticed(copy, mutant)]
    print(f"{len(chosen) - len(missed)} of {len(chosen)} were noticed.")
    return 1 if missed else 0


def noticed(copy: Path, mutant: Mutant) -> bool:
    """Whether its tests fail while the mutant stands in the copy."""
    file = copy / mutant.file
    whole = file.read_text(encoding="utf-8")
    _write(file, whole.replace(mutant.old, mutant.new))
    try:
        code = _run(copy, mutant.tests)
    finally:
        _write(file, whole)
    verdict = {0: "NOT NOTICED", _FAILED: "noticed"}.get(code, f"could not be tried (exit code {code})")
    print(f"{verdict}: {mutant.file}: {mutant.old!r} -> {mutant.new!r}", flush=True)
    return code == _FAILED


def _run(copy: Path, tests: str) -> int:
    words = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests.split()]
    command = ["node", "--test", tests] if tests.endswith(".mjs") else [sys.executable, *words]
    quiet = subprocess.DEVNULL
    try:
        return subprocess.run(command, cwd=copy, stdout=quiet, stderr=quiet, timeout=LONGEST_S, check=False).returncode
    except subprocess.TimeoutExpired:  # it goes round for ever
        return _FAILED


def _write(file: Path, text: str) -> None:
    """Write a file with a time of its own: what Python has compiled is
    known by the second and the length.
    """
    file.write_text(text, encoding="utf-8")
    at = time.time() + 10 * next(_later)
    os.utime(file, (at, at))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
