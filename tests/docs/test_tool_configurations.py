"""Would the tools take the configuration the pages show? Prometheus and Alertmanager check it themselves."""

import subprocess
from pathlib import Path

from tests.docs.pages import ROOT, blocks
from tests.e2e.real_tools import AMTOOL, program

KEY = "tcs_example"


def _shown(page: str, role: str = "") -> str:
    """The page's YAML of that role, with a key in place of `<key>`."""
    (text,) = (b.text for b in blocks(ROOT / page) if b.language == "yaml" and b.role == role)
    return text.replace("<key>", KEY)


def _check(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_configuration_of_the_readme(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "rules.yml"):
        (tmp_path / name).write_text(_shown("README.md", name))
    _check(program("promtool"), "check", "config", str(tmp_path / "prometheus.yml"))


def test_prometheus_takes_the_configuration_of_its_page(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(_shown("docs/sources/prometheus.md"))
    _check(program("promtool"), "check", "config", str(tmp_path / "prometheus.yml"))


def test_prometheus_takes_the_scrape_configuration(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(_shown("docs/operations.md"))
    _check(program("promtool"), "check", "config", str(tmp_path / "prometheus.yml"))


def test_alertmanager_takes_the_configuration_of_its_page(tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text(_shown("docs/sources/alertmanager.md", "alertmanager.yml"))
    _check(program(AMTOOL), "check-config", str(tmp_path / "alertmanager.yml"))
