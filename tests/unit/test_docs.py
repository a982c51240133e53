"""What the documents promise is there, and what is there is in the documents."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import errors
from config import Settings
from tests.processes import ROOT

TABLE_ROW = re.compile(r"^\| `RIWAYAT_(\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)


def tracked_files() -> list[Path]:
    """Every text file of the project, from git, or from the folder where it is not a clone."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git clone")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def shown_default(name: str) -> str:
    default = Settings.model_fields[name].default
    if hasattr(default, "get_secret_value"):
        default = default.get_secret_value()
    return "empty" if default in (None, "") else f"`{default}`"


def test_every_setting_is_documented_with_its_default_and_no_other():
    documented = {setting.lower(): default for setting, default in TABLE_ROW.findall(read("docs/configuration.md"))}
    assert documented == {name: shown_default(name) for name in Settings.model_fields}


@pytest.mark.parametrize("target", ["run", "test", "venv", "check", "fix", "bench"])
def test_every_make_target_exists_and_is_in_the_readme(target):
    assert re.search(rf"^{target}:.*## \S", read("Makefile"), re.MULTILINE), "needs a description after ##"
    assert f"make {target}" in read("README.md")


def every_error() -> list[type[errors.RiwayatError]]:
    found, left = [], [errors.RiwayatError]
    while left:
        kind = left.pop()
        found.append(kind)
        left.extend(kind.__subclasses__())
    return [kind for kind in found if kind.__module__ == "errors"]


def test_every_error_has_a_code_of_its_own():
    codes = [kind.code for kind in every_error()]
    assert sorted(codes) == sorted(set(codes))


def test_every_error_has_a_message_and_a_status():
    wrong = [kind.__name__ for kind in every_error() if not (kind().message.endswith(".") and 400 <= kind.http_status < 600)]
    assert not wrong


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_and_says_why(name):
    lines = [line for line in read(name).splitlines() if line and not line.startswith(("#", "-"))]
    for line in lines:
        assert re.fullmatch(r"[\w\[\],-]+==[\w.]+ +# .{10,}", line), line


def test_every_requirement_is_in_the_constraints_at_the_same_version():
    pins = {line.lower() for line in read("constraints.txt").splitlines()}
    for name in ("requirements.txt", "requirements-dev.txt"):
        for requirement in re.findall(r"^([\w\[\],-]+==[\w.]+)", read(name), re.MULTILINE):
            assert re.sub(r"\[.+\]", "", requirement).lower() in pins


def test_dash_is_never_older_than_4_4_1():
    version = re.search(r"^dash\[.+\]==([\d.]+)", read("requirements.txt"), re.MULTILINE)
    assert version is not None
    assert tuple(int(part) for part in version[1].split(".")) >= (4, 4, 1)


def test_every_runtime_requirement_is_in_docs_dependencies():
    for name in re.findall(r"^([\w-]+)(?:\[.+\])?==", read("requirements.txt"), re.MULTILINE):
        assert f"| {name} |" in read("docs/dependencies.md"), name


def test_the_changelog_has_the_keep_a_changelog_form():
    text = read("CHANGELOG.md")
    assert text.startswith("# Changelog\n")
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions, "no version"
    for version in versions:
        assert re.fullmatch(r"\[Unreleased\]|\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", version), version
    for section in re.findall(r"^### (.+)$", text, re.MULTILINE):
        assert section in {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}, section


def test_every_decision_has_a_number_of_its_own_and_its_three_parts():
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert len({int(page.name[:4]) for page in pages}) == len(pages)
    for page in pages:
        parts = re.findall(r"^(?:## |\*\*)(Context|Choice|Rejected)\b", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert parts == ["Context", "Choice", "Rejected"], page.name


def test_the_readme_leads_to_every_page():
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in read("README.md"), page.name


def test_links_between_documents_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.relative_to(ROOT)} → {link}"


def test_every_page_that_the_code_names_exists():
    for path in tracked_files():
        if path.suffix in {".py", ".toml", ".js"}:
            for page in re.findall(r"docs/[\w/-]+\.md", path.read_text(encoding="utf-8")):
                assert (ROOT / page).exists(), f"{path.relative_to(ROOT)} names {page}"


def test_the_project_names_no_place_of_a_machine():
    places = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/\w+")
    for path in tracked_files():
        if path.suffix in {".py", ".md", ".toml", ".txt", ".js", ".css", ".yml", ""} or path.name == "Makefile":
            found = places.search(path.read_text(encoding="utf-8", errors="replace"))
            assert found is None, f"{path.relative_to(ROOT)}: {found and found[0]}"


def test_no_page_asks_another_host_for_anything():
    outside = re.compile(r"(?:src|href)=[\"']https?://|@import\s+(?:url\()?[\"']?https?://|cdn\.(?:jsdelivr|plot|cloudflare)")
    for path in tracked_files():
        if path.suffix in {".js", ".css", ".html"} or (path.suffix == ".py" and "tests" not in path.parts):
            assert outside.search(path.read_text(encoding="utf-8")) is None, path.relative_to(ROOT)
