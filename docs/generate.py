"""Which parts of the documentation are printed from the code? Those between `<!-- generated: NAME -->` markers.

`python -m docs.generate` writes them anew (`make docs`); with `--check` it changes nothing and fails if one is stale.
A table that a person keeps in step by hand is wrong one release later.
"""

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer
from graphql import build_ast_schema, parse
from prometheus_client import CollectorRegistry
from pydantic_core import PydanticUndefined

from docs.attack_tests import attack_test_table
from domain.alerts import fold, lifecycle, model, severity
from domain.rules.condition import VOCABULARY, Since
from domain.teams import ownership
from graphql_api import permissions
from graphql_api.fields_below import FIELDS
from graphql_api.needs import Access, Need
from graphql_api.observability.metrics import Metrics
from graphql_api.step_up import DANGEROUS
from jobs.operations import Operations
from persistence import timescale
from persistence.sealed_columns import INSTALLATION, PERSONAL
from tocsin.cli import app
from tocsin.settings import Settings

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end of generated -->)", re.DOTALL)


def settings_table() -> str:
    """Every setting: its variable, its default and what it means."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `TOCSIN_{name.upper()}` | {_default(field.default)} | {_cell(field.description or '')} |")
    return "\n".join(lines)


def _default(value: Any) -> str:  # noqa: ANN401 - a default may be anything
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, timedelta):
        return f"`{value.total_seconds():g}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, StrEnum):
        return f"`{value.value}`"
    return f"`{value}`"


def moves_table() -> str:
    """The moves an alert's life allows."""
    return lifecycle.moves_table()


def fold_table() -> str:
    """What a signal does to the alert of its key: the table at the head of domain/alerts/fold.py."""
    return _tables_of(inspect.getdoc(fold) or "")


def _tables_of(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


def team_choice_table() -> str:
    """Whose an arriving alert is: the table at the head of domain/teams/ownership.py."""
    return _tables_of(inspect.getdoc(ownership) or "")


def severity_words() -> str:
    """Which words of the sources mean which severity."""
    lines = ["| severity | words (in any case) |", "|---|---|"]
    for name, words in severity._WORDS.items():  # noqa: SLF001 - the table itself, printed
        lines.append(f"| `{name.value}` | {', '.join(f'`{word}`' for word in words.split())} |")
    return "\n".join(lines)


def size_limits() -> str:
    """How long the parts of an alert may be."""
    rows = (
        ("title", f"{model.MAX_TITLE} characters"),
        ("description", f"{model.MAX_DESCRIPTION} characters"),
        ("service", f"{model.MAX_SERVICE_NAME} characters"),
        ("labels", f"{model.MAX_LABELS}"),
        ("a label's name", f"{model.MAX_LABEL_NAME} characters"),
        ("a label's value", f"{model.MAX_LABEL_VALUE} characters"),
    )
    return "\n".join(["| field | limit |", "|---|---|", *(f"| {name} | {limit} |" for name, limit in rows)])


def permission_tables() -> str:
    """What each root field of the schema asks of its caller, and each field below that asks more than its parent."""
    parts = []
    for root, fields in permissions.ROOT_FIELDS.items():
        lines = [f"### {root}", "", "| field | least role | scope of a key |", "|---|---|---|"]
        lines += [f"| `{name}` | {_role(need)} | {_scope(need)} |" for name, need in sorted(fields.items())]
        parts.append("\n".join(lines))
    lines = ["### Fields below", "", "| field | least role | scope of a key | personal |", "|---|---|---|---|"]
    for name, need in sorted(FIELDS.items()):
        lines.append(f"| `{name}` | {_role(need)} | {_scope(need)} | {'yes' if need.personal else ''} |")
    return "\n\n".join([*parts, "\n".join(lines)])


def _role(need: Need) -> str:
    return f"{need.access.value}, everywhere or in the team" if need.in_team else need.access.value


def _scope(need: Need) -> str:
    if need.scope is None:
        return "" if need.access is Access.ANYONE else "no key"
    return f"`{need.scope.name}`"


def step_up_list() -> str:
    """The mutations that ask for a fresh proof."""
    return ", ".join(f"`{name}`" for name in sorted(DANGEROUS))


def error_codes() -> str:
    """The codes of refusals, as the schema describes them."""
    schema = build_ast_schema(parse((ROOT / "schema.graphql").read_text()))
    codes: Any = schema.type_map["ErrorCode"]
    rows = (f"| `{name}` | {_cell(value.description or '')} |" for name, value in codes.values.items())
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def command_table() -> str:
    """Every command of `tocsin`."""
    lines = ["| command | what it does |", "|---|---|"]
    for name, command in sorted(typer.main.get_group(app).commands.items()):
        first_line = (command.help or "").strip().split("\n\n")[0]
        lines.append(f"| `tocsin {name}` | {_cell(first_line)} |")
    return "\n".join(lines)


def timescale_levels() -> str:
    """What each level of TimescaleDB gives: the table at the head of persistence/timescale.py."""
    return _tables_of(inspect.getdoc(timescale) or "")


def rule_vocabulary() -> str:
    """What a condition over an alert may name."""
    lines = ["| name | type | meaning | known |", "|---|---|---|---|"]
    known = {Since.SIGNAL: "from the signal", Since.ALERT: "after the fold"}
    lines += [f"| `{fact.name}` | `{fact.type}` | {_cell(fact.meaning)} | {known[fact.since]} |" for fact in VOCABULARY]
    return "\n".join(lines)


def sealed_columns() -> str:
    """Every column that is kept sealed, and under whose key."""
    lines = ["| column | what it holds | under the key of |", "|---|---|---|"]
    for whose, columns in (("the installation", INSTALLATION), ("the person", PERSONAL)):
        lines += [f"| `{sealed.name}` | {_cell(sealed.holds)} | {whose} |" for sealed in columns]
    return "\n".join(lines)


def metric_table() -> str:
    """Every metric of the API's registry. Those made for one scrape are listed by the page itself."""
    return _metrics_of(Metrics().registry)


def role_metric_table() -> str:
    """Every metric of a relay's, scheduler's or worker's registry."""
    return _metrics_of(Operations().registry)


def _metrics_of(registry: CollectorRegistry) -> str:
    lines = ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    collectors: Any = registry._collector_to_names  # noqa: SLF001 - the registry has no public list of them
    for collector in collectors:
        for family in collector.describe():
            labels = ", ".join(f"`{label}`" for label in getattr(collector, "_labelnames", ()))
            suffix = "_total" if family.type == "counter" else ""
            lines.append(f"| `{family.name}{suffix}` | {family.type} | {labels} | {_cell(family.documentation)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


GENERATORS: Mapping[str, Callable[[], str]] = {
    "settings": settings_table,
    "moves": moves_table,
    "fold": fold_table,
    "severity-words": severity_words,
    "team-choice": team_choice_table,
    "size-limits": size_limits,
    "permissions": permission_tables,
    "step-up": step_up_list,
    "error-codes": error_codes,
    "commands": command_table,
    "timescale-levels": timescale_levels,
    "rule-vocabulary": rule_vocabulary,
    "sealed-columns": sealed_columns,
    "metrics": metric_table,
    "role-metrics": role_metric_table,
    "attack-tests": attack_test_table,
}


def rendered(text: str, generators: Mapping[str, Callable[[], str]] = GENERATORS) -> str:
    """The page with every generated part printed anew. KeyError for a part nobody generates."""
    return BLOCK.sub(lambda found: f"{found[1]}{generators[found['name']]()}\n{found[3]}", text)


def pages() -> list[Path]:
    """Every page that may hold generated parts."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def main(arguments: list[str]) -> int:
    """Write the stale pages, or only name them."""
    stale = [page for page in pages() if rendered(page.read_text()) != page.read_text()]
    for page in stale:
        if "--check" in arguments:
            print(f"{page.relative_to(ROOT)} is stale: run `make docs`", file=sys.stderr)
        else:
            page.write_text(rendered(page.read_text()))
            print(f"wrote {page.relative_to(ROOT)}")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
