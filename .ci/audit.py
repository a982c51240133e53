"""``make check``: is anything known to be wrong with a package that we pin? Asks pip-audit,
within a limit of time.

A finding fails. Where the advisories cannot be reached, it says so and passes: a check on a desk
without a network is no worse for it, and the same script asks again wherever there is one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PINS = Path(__file__).resolve().parent.parent / "constraints.txt"
LIMIT_S = 20
_COMMAND = ("--disable-pip", "--no-deps", "--progress-spinner", "off", "--timeout", "5", "-f", "json")
_NOT_AUDITED = "advisories not reachable: not audited"


def verdict(output: str) -> tuple[int, str]:
    """Exit status and sentences for what pip-audit wrote as JSON (anything else:
    it did not get that far).
    """
    try:
        found = json.loads(output)["dependencies"]
    except (ValueError, TypeError, KeyError):
        return 0, _NOT_AUDITED
    audited = [one for one in found if "skip_reason" not in one]
    wrong = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in audited
        for flaw in one["vulns"]
    ]
    if wrong:
        return 1, "\n".join(["known vulnerabilities:", *wrong])
    if not audited:
        return 0, _NOT_AUDITED
    left_out = len(found) - len(audited)
    return 0, f"{len(audited)} packages without a known vulnerability" + (f", {left_out} not audited" if left_out else "")


def main() -> int:
    """Ask, and say what came of it."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(PINS), *_COMMAND]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        output = done.stdout
    except subprocess.TimeoutExpired:
        output = ""
    status, sentence = verdict(output)
    print(f"pip-audit: {sentence}")
    return status


if __name__ == "__main__":
    sys.exit(main())
