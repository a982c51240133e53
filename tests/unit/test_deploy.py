"""The files of deploy/: in order by the programs that read them,
and in step with the code and the page about them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Settings
from tests.processes import ROOT
from tests.served import program

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
ALERTS = [rule for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
CASES = Path(__file__).with_name("alerts.test.yml")
PAGE = (ROOT / "docs" / "operations.md").read_text()


def promtool(*arguments: str) -> str:
    done = subprocess.run([program("promtool"), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def exposed(tmp_path: Path) -> set[str]:
    """Names of all families that /metrics names, whether they have values yet or not,
    and of their parts.
    """
    from app import create_app
    from commands.setup import bring_up_to_date

    made = Settings(data_dir=tmp_path / "var")
    bring_up_to_date(made)
    text = create_app(made).server.test_client().get("/metrics").get_data(as_text=True)
    names: set[str] = set()
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE):
        names |= {name} | ({f"{name}_{part}" for part in ("bucket", "count", "sum")} if kind == "histogram" else set())
    return names


def test_promtool_finds_nothing_wrong_with_the_alert_rules():
    promtool("check", "rules", str(DEPLOY / "alerts.yml"))


def test_each_alert_fires_when_it_should_and_not_before():
    promtool("test", "rules", str(CASES))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_has_cases_a_severity_and_a_section_that_says_what_to_do(rule):
    cases = yaml.safe_load(CASES.read_text())["tests"]
    expected = [bool(one["exp_alerts"]) for case in cases for one in case["alert_rule_test"] if one["alertname"] == rule["alert"]]
    assert set(expected) == {True, False}, "a case in which it fires, and one in which it does not"
    assert rule["labels"]["severity"] in {"page", "ticket"}
    section = re.search(rf"^### {rule['alert']}\n\n(.+?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None
    assert len(section[1]) > 100


def test_no_section_is_about_an_alert_that_does_not_exist():
    assert set(re.findall(r"^### (Riwayat\w+)$", PAGE, re.MULTILINE)) == {rule["alert"] for rule in ALERTS}


def test_every_metric_of_rules_and_page_is_one_that_the_site_tells(tmp_path):
    named = set(re.findall(r"riwayat_\w+", " ".join(rule["expr"] for rule in ALERTS)))
    documented = set(re.findall(r"`(riwayat_\w+)`", PAGE))
    told = exposed(tmp_path)
    assert named <= told
    assert documented <= told


def test_every_metric_of_the_site_is_on_the_page(tmp_path):
    families = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in exposed(tmp_path)}
    assert families <= set(re.findall(r"`(riwayat_\w+)`", PAGE))


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units as on a machine where everything is in its place."""
    found = []
    for unit in [*UNITS, *(DEPLOY / "systemd").glob("*.timer")]:
        text = unit.read_text().replace("/opt/riwayat", str(ROOT))
        found.append(tmp_path / unit.name)
        found[-1].write_text(re.sub(r"^(User|Group)=.*$", r"\1=root", text, flags=re.MULTILINE))
    return found


needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(units):
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "riwayat" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_units_are_hardened(unit):
    asked = ["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", str(unit)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


def settings_in(text: str) -> set[str]:
    return {name.lower() for name in re.findall(r"^\s*#?\s*RIWAYAT_(\w+)\s*[=:]", text, re.MULTILINE)}


@pytest.mark.parametrize("name", ["compose.yaml", "systemd/riwayat.env"])
def test_only_settings_that_exist_are_set(name):
    found = settings_in((DEPLOY / name).read_text())
    assert found
    assert found <= set(Settings.model_fields)


def test_the_settings_of_the_units_are_accepted(tmp_path, monkeypatch):
    for line in (DEPLOY / "systemd" / "riwayat.env").read_text().splitlines():
        if line and not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    made = Settings()
    assert (made.auth, made.url_prefix, made.port) == ("proxy", "/riwayat/", 8050)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def test_the_services_of_compose_fit_together():
    services, volumes = compose()["services"], compose()["volumes"]
    assert {"web", "worker", "migrate", "database", "broker", "proxy"} <= services.keys()
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= services.keys(), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in volumes or (DEPLOY / source).exists() or source == "./riwayat.users", name
    for name in ("web", "worker", "migrate"):
        assert services[name]["build"] == {"context": "..", "dockerfile": "deploy/Dockerfile"}
        assert services[name]["read_only"] is True
    assert services["web"]["network_mode"] == "service:proxy"
    assert [service for service in services if "ports" in services[service]] == ["proxy"]


def test_the_image_is_made_from_files_that_exist_and_holds_no_secret():
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY"):
            assert all((ROOT / source).exists() for source in line.split()[1:-1]), line
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "var", ".env", "deploy/.env"} <= set(ignored)
    assert any(line.startswith("USER riwayat") for line in lines)


@pytest.mark.parametrize("name", ["nginx.conf", "nginx-oauth2.conf"])
def test_nginx_logs_paths_without_what_opens_something(name):
    text = (DEPLOY / name).read_text()
    (form,) = re.findall(r"^log_format (.*?);$", text, re.MULTILINE | re.DOTALL)
    variables = set(re.findall(r"\$\w+", form))
    assert "$uri" in variables
    secret = {"$request", "$request_uri", "$args", "$query_string", "$http_referer", "$http_cookie", "$http_authorization"}
    assert not variables & secret
    assert not [variable for variable in variables if variable.startswith(("$arg_", "$cookie_"))]
    # no second one in another form
    assert len(re.findall(r"^\s*access_log ", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", ["nginx.conf", "nginx-oauth2.conf"])
def test_nginx_takes_bodies_as_long_as_the_site_does(name):
    from api.guard import BODY_BYTES

    (most,) = re.findall(r"client_max_body_size (\d+)m;", (DEPLOY / name).read_text())
    assert int(most) << 20 == BODY_BYTES
