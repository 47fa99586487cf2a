"""Which tests attack what? Those whose docstring names a line of OWASP's lists, found in the tests themselves."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# `API1:2023` of the API Security Top 10; `ASVS 5 V6.2.1` or `ASVS 5.0 6.2.1` of the verification standard.
_IDS = re.compile(r"API\d{1,2}:2023|ASVS 5(?:\.0(?:\.0)?)?[ -]?(?:V?\d+(?:\.\d+)*(?:(?:, | and )V?\d+(?:\.\d+)+)*)")


@dataclass(frozen=True, slots=True)
class AttackTest:
    """One test and what it stops."""

    ids: tuple[str, ...]
    path: Path
    name: str

    @property
    def says(self) -> str:
        """The test's name as a sentence."""
        return self.name.removeprefix("test_").replace("_", " ")


def attack_tests(folder: Path = ROOT / "tests") -> list[AttackTest]:
    """Every such test, in order of the ids."""
    found = [test for path in sorted(folder.rglob("test_*.py")) for test in _in_file(path)]
    return sorted(found, key=lambda test: ([_natural(one) for one in test.ids], test.path, test.name))


def _in_file(path: Path) -> Iterator[AttackTest]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            ids = tuple(dict.fromkeys(_named(one) for one in _IDS.findall(ast.get_docstring(node) or "")))
            if ids:
                yield AttackTest(ids, path.relative_to(ROOT), node.name)


def _named(text: str) -> str:
    """The same id in one way of writing."""
    return re.sub(r"^ASVS 5(?:\.0)*[ -]?|(?<= )V", lambda found: "ASVS " if found[0].startswith("ASVS") else "", text)


def _natural(text: str) -> list[tuple[int, str]]:
    """So that 10 comes after 2."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", text) if part]


def attack_test_table() -> str:
    """The checklist of docs/security.md."""
    rows = (f"| {', '.join(test.ids)} | {test.says} | [{test.path.name}](../{test.path}) |" for test in attack_tests())
    return "\n".join(["| stops | the test | in |", "|---|---|---|", *rows])
