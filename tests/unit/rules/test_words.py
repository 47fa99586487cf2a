"""Is a comparison with a value that a fact never has refused when it is written, and told what would be right?"""

from datetime import UTC, datetime

import pytest

from domain.correlation.drafts import checked_condition
from domain.errors import InvalidCondition, InvalidInput
from domain.ids import new_id
from domain.routing.actions import RoutingDraft
from domain.routing.actions import checked as checked_routing
from domain.rules.condition import ConditionInvalid
from domain.rules.drafts import RuleDraft
from domain.rules.drafts import checked as checked_rule
from domain.rules.model import AlertRule
from domain.rules.rule_set import RuleSet
from domain.rules.words import written
from domain.silences.expression import expression
from persistence.conditions import CONDITIONS

STATUSES = 'it is one of "active", "acknowledged", "investigating", "resolved"'
WORDS = "a severity is compared with LOW, MEDIUM, HIGH or CRITICAL, without quotes"


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ('alert.status == "ACTIVE"', f'alert.status is never "ACTIVE": did you mean "active"? {STATUSES}', (1, 17)),
        ('alert.status != "closed"', f'alert.status is never "closed": {STATUSES}', (1, 17)),
        ('"Resolved" == alert.status', 'did you mean "resolved"?', (1, 1)),
        ('true &&\n alert.status in ["active", "acked"]', 'did you mean "acknowledged"?', (2, 29)),
        ('!(alert.status == "open") || true', 'alert.status is never "open"', (1, 19)),
        ('alert.labels.exists(l, alert.status == "x")', 'alert.status is never "x"', (1, 40)),
        ('alert.severity == "warn"', f"did you mean MEDIUM? {WORDS}", (1, 16)),
        ("alert.severity >= 'P1'", f"did you mean CRITICAL? {WORDS}", (1, 16)),
        ('"fatal" == alert.severity', "did you mean CRITICAL?", (1, 9)),
        ('alert.severity in ["error"]', "did you mean HIGH?", (1, 16)),
        ('alert.severity in [HIGH, "info"]', f'alert.severity is never "info": did you mean LOW? {WORDS}', (1, 26)),
        ('alert.severity in [HIGH, "whatever"]', f'never "whatever": {WORDS}', (1, 26)),
        ('now - alert.started_at > duration("1d")', '"1d" is no length of time', (1, 35)),
        ('alert.title == "a" || now > timestamp("2026-02-30T00:00:00Z")', "is no moment", (1, 39)),
        ('now > timestamp("2026-03-01")', "write it like 2026-03-01T00:00:00Z", (1, 17)),
        ('now.getHours("europe/berlin") < 6', "no time zone: write it like Europe/Berlin", (1, 14)),
        ("alert.occurrences / 0 > 1", "divided by 0", (1, 21)),
        ("alert.severity == 7", "alert.severity is never 7: it is LOW, MEDIUM, HIGH or CRITICAL", (1, 19)),
        ("alert.severity > CRITICAL", "no severity is above it", (1, 18)),
        ("LOW > alert.severity", "no severity is below it", (1, 1)),
        ('alert.team == "payments"', "it is the team's id, not its name", (1, 15)),
        ('alert.integration in ["prom"]', "it is the integration's id, not its name", (1, 23)),
        ('alert.integration == ""', "it is the integration's id", (1, 22)),
    ],
)
def test_what_is_never_so_is_refused(text: str, said: str, place: tuple[int, int]) -> None:
    with pytest.raises(ConditionInvalid) as refused:
        written(text, CONDITIONS)
    assert said in refused.value.message
    assert (refused.value.line, refused.value.column) == place


@pytest.mark.parametrize(
    "text",
    [
        'alert.status in ["active", "resolved"] && alert.status != "acknowledged"',
        "alert.severity in [LOW, HIGH] || alert.severity >= LOW || alert.severity <= 3",
        'alert.team == "" || alert.team == "01890000-0000-7000-8000-000000000009"',
        'alert.integration != "01890000-0000-7000-8000-000000000009"',
        'alert.labels.severity == "warn" && alert.labels.status == "ACTIVE" && alert.metadata.status == "OPEN"',
        'alert.status.startsWith("ack")',
        'now - alert.started_at > duration("1.5h") || now.getHours("Europe/Berlin") < 6 || now.getHours("+02:00") > 20',
        'now > timestamp("2026-03-01T00:00:00.5+01:00") || alert.occurrences / 2 > 1',
    ],
)
def test_what_may_be_so_is_taken(text: str) -> None:
    assert written(text, CONDITIONS).text == text


def test_everything_that_takes_a_condition_refuses_it() -> None:
    wrong = 'alert.severity in [HIGH, "warn"]'
    now = datetime(2026, 3, 4, tzinfo=UTC)
    with pytest.raises(InvalidCondition, match="did you mean MEDIUM") as refused:
        checked_rule(RuleDraft(name="r", condition=wrong), CONDITIONS)
    assert (refused.value.line, refused.value.column) == (1, 26)
    with pytest.raises(InvalidCondition, match="did you mean MEDIUM"):
        checked_condition(wrong, CONDITIONS)
    with pytest.raises(InvalidCondition, match="did you mean MEDIUM"):
        checked_routing(RoutingDraft(name="r", condition=wrong, events=frozenset(), targets=()), CONDITIONS)
    with pytest.raises(InvalidInput, match="did you mean MEDIUM"):
        expression(wrong, CONDITIONS)
    # A rule that was saved before this was looked at goes on, and can be switched off, renamed and widened as it is.
    checked_rule(RuleDraft(name="r", condition=wrong), CONDITIONS, kept=wrong)
    assert checked_condition(wrong, CONDITIONS, kept=wrong) == wrong
    with pytest.raises(InvalidCondition, match="did you mean MEDIUM"):
        checked_rule(RuleDraft(name="r", condition=wrong), CONDITIONS, kept="true")
    kept = AlertRule(id=new_id(), name="r", condition='alert.status != "ACTIVE"', created_at=now, updated_at=now)
    assert len(RuleSet(version=1, rules=[kept], engine=CONDITIONS)) == 1
