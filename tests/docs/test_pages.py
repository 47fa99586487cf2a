"""Do the pages hold together? Links lead somewhere, generated parts are fresh, settings and commands exist."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import typer
from graphql import GraphQLSchema, build_schema, parse, validate

from docs import generate
from tests.docs.pages import PAGES, ROOT, blocks
from tocsin.cli import app
from tocsin.settings import Settings

LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
VARIABLE = re.compile(r"\bTOCSIN_[A-Z][A-Z0-9_]*")
COMMAND = re.compile(r"`tocsin ([a-z]+(?:-[a-z]+)*)")
MAKE = re.compile(r"\bmake ([a-z]+)\b")


def _prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    for found in LINK.finditer(_prose(page)):
        address, _, anchor = found["target"].partition("#")
        if "://" in address:
            continue
        target = (page.parent / address).resolve() if address else page
        assert target.exists(), f"{found['target']} does not exist"
        if anchor:
            assert anchor in _anchors(target), f"{found['target']}: {target.name} has no such heading"


def test_generated_parts_are_fresh() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_a_stale_part_is_seen_and_mended() -> None:
    page = "before\n<!-- generated: moves -->\nold\n<!-- end of generated -->\nafter\n"
    mended = generate.rendered(page)
    assert "| acknowledge | active | acknowledged |" in mended
    assert mended.startswith("before\n")
    assert mended.endswith("\nafter\n")
    assert "old" not in mended
    assert generate.rendered(mended) == mended


def test_every_generator_is_used() -> None:
    used = {found["name"] for page in generate.pages() for found in generate.BLOCK.finditer(page.read_text())}
    assert used == set(generate.GENERATORS)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_variables_named_are_settings(page: Path) -> None:
    known = {f"TOCSIN_{name.upper()}" for name in Settings.model_fields}
    named = {name for name in VARIABLE.findall(page.read_text()) if not name.endswith("_")}
    assert named <= known


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_named_exist(page: Path) -> None:
    absent = {"backup"}  # named where it is said that there is none yet
    commands = set(typer.main.get_group(app).commands)
    assert set(COMMAND.findall(_prose(page))) - absent <= commands
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = "".join(block.text for block in blocks(page) if block.language == "bash")
    assert set(MAKE.findall(shown)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_pages_name_no_machine(page: Path) -> None:
    text = page.read_text()
    for word in ("/root/", "/home/", "localhost:", "/work/"):
        assert word not in text


@cache
def _schema() -> GraphQLSchema:
    return build_schema((ROOT / "schema.graphql").read_text())


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_graphql_documents_fit_the_schema(page: Path) -> None:
    for block in blocks(page):
        if block.language == "graphql":
            errors = validate(_schema(), parse(block.text))
            assert not errors, f"{block.place}: {errors[0]}"
