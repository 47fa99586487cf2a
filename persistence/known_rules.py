"""How does a process know the alert rules? In memory, compiled, at the version that the running transaction has read.

As with what teams own (team_ownership.py): the version is one more column of a statement that ingest runs anyway. A
signal goes through the rules before its transaction begins, for a rule may say which alert it belongs to; should the
transaction read another version, the rules are read anew and the batch begins again.
"""

from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from domain.alerts.model import Severity
from domain.rules.model import AlertRule, Effects, RuleMode
from domain.rules.rule_set import NO_RULES, RuleSet
from domain.rules.tally import Tally
from persistence.conditions import CONDITIONS

_log = structlog.get_logger(__name__)
# One statement, so that the version is that of the rules beside it.
_READ = """
SELECT (SELECT version FROM alert_rules_version) AS version,
       (SELECT coalesce(json_agg(to_jsonb(r)), '[]')::text
          FROM alert_rules r WHERE archived_at IS NULL AND enabled) AS rules
"""
_COUNT = """
INSERT INTO alert_rule_activity AS known (rule_id, matches, failures, last_matched_at, last_failed_at, last_failure)
SELECT u.* FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::text[]) AS u
 ORDER BY 1
ON CONFLICT (rule_id) DO UPDATE SET matches = known.matches + excluded.matches,
  failures = known.failures + excluded.failures,
  last_matched_at = coalesce(greatest(known.last_matched_at, excluded.last_matched_at), known.last_matched_at),
  last_failed_at = coalesce(greatest(known.last_failed_at, excluded.last_failed_at), known.last_failed_at),
  last_failure = coalesce(excluded.last_failure, known.last_failure)
"""


class KnownRules:
    """The rules as this process read them last, and what they did since. Shared by all who write."""

    def __init__(self) -> None:
        self.current: RuleSet = NO_RULES
        self.tally = Tally()

    async def read(self, connection: asyncpg.Connection, *, version: int) -> None:
        """Have the rules of this version, or of a later one."""
        if version == self.current.version:
            return
        row = await connection.fetchrow(_READ)
        if row is not None:
            rules = [rule for told in orjson.loads(row["rules"]) if (rule := _readable(told)) is not None]
            self.current = RuleSet(version=row["version"], rules=rules, engine=CONDITIONS)


async def count_activity(connection: asyncpg.Connection, tally: Tally) -> None:
    """Write what rules did. A rule is archived and never deleted, so each is there."""
    counts = list(tally.counts.items())
    await connection.execute(
        _COUNT,
        [rule_id for rule_id, _ in counts],
        [count.matches for _, count in counts],
        [count.failures for _, count in counts],
        [count.last_matched_at for _, count in counts],
        [count.last_failed_at for _, count in counts],
        [count.last_failure for _, count in counts],
    )


def _readable(values: dict[str, Any]) -> AlertRule | None:
    """The rule; None for one that a newer version of this program wrote: alerts must not wait for it."""
    try:
        return rule_of(values)
    except (KeyError, TypeError, ValueError) as error:
        _log.error("an alert rule cannot be read and is passed over", rule_id=values.get("id"), error=repr(error))
        return None


def mode_of(*, enabled: bool, monitors: bool) -> RuleMode:
    """The mode that two columns tell: a rule that is only monitored is enabled."""
    if not enabled:
        return RuleMode.DISABLED
    return RuleMode.MONITOR if monitors else RuleMode.ENABLED


def rule_of(values: dict[str, Any]) -> AlertRule:
    """A row, as JSON, as the rule it is. The severity it sets has a column of its own."""
    effects = dict(values["effects"])
    if values["severity"] is not None:
        effects["severity"] = Severity(values["severity"])
    return AlertRule(
        id=UUID(str(values["id"])),
        name=values["name"],
        condition=values["condition"],
        description=values["description"],
        mode=mode_of(enabled=values["enabled"], monitors=values["monitors"]),
        position=values["position"],
        stops=values["stops"],
        service_filter=values["service_filter"],
        effects=Effects.of_json(effects),
        team_id=None if values["team_id"] is None else UUID(str(values["team_id"])),
        created_by=None if values["created_by"] is None else UUID(str(values["created_by"])),
        created_at=values["created_at"],
        updated_at=values["updated_at"],
        archived_at=values["archived_at"],
        version=values["version"],
    )
