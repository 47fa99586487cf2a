"""Does a trial that works out only what may differ find what working out every signal twice would find?"""

from collections import Counter
from typing import Any
from uuid import UUID

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.alerts.normalise import normalise
from domain.alerts.signal import SignalStatus
from domain.ids import new_id
from domain.rules.applying import apply_rules, holding, merged_labels
from domain.rules.condition import RANKS
from domain.rules.findings import TrialChange
from domain.rules.model import AlertRule, Effects, RuleMode
from domain.rules.rule_set import RuleSet
from domain.rules.stored import StoredSignal
from domain.rules.trial import Trial
from persistence.conditions import CONDITIONS
from persistence.ingest_rows import signal_body
from tests.unit.alerts.signals import INTEGRATION, START, at, signal

CONDITIONS_OF_SIGNALS = (
    'alert.labels.env == "a"',
    'alert.severity >= HIGH && alert.service == "web"',
    "alert.title.size() > 4",
    'alert.labels.exists(name, name == "env")',
    "1 / alert.labels.size() > 0",
    "true",
)
CONDITIONS_OF_ALERTS = (
    "alert.occurrences > 1",
    "alert.occurrences >= 2 && alert.severity == LOW",
    'alert.status == "active" && alert.labels.env == "b"',
    'alert.team == "" && alert.title.size() > 4',
)
EFFECTS = (
    Effects(severity=Severity.LOW),
    Effects(severity=Severity.CRITICAL, labels={"env": "b"}),
    Effects(labels={"env": "a"}),
    Effects(suppress="quiet"),
)
KEYS = (Effects(dedup_by=("alert.service",)), Effects(group_by=("alert.service",)))


@st.composite
def rules(draw: st.DrawFn, *, may_be_off: bool = True) -> AlertRule:
    of_signal = draw(st.booleans())
    return AlertRule(
        id=new_id(),
        name="r",
        condition=draw(st.sampled_from(CONDITIONS_OF_SIGNALS if of_signal else CONDITIONS_OF_ALERTS)),
        created_at=START,
        updated_at=START,
        position=draw(st.integers(1, 3)),
        mode=draw(st.sampled_from(list(RuleMode))) if may_be_off else RuleMode.ENABLED,
        stops=draw(st.booleans()),
        effects=draw(st.sampled_from((*EFFECTS, *KEYS) if of_signal else EFFECTS)),
    )


@st.composite
def pasts(draw: st.DrawFn) -> list[StoredSignal]:
    past = []
    for number in range(draw(st.integers(1, 6))):
        said = signal(
            draw(st.sampled_from([SignalStatus.FIRING, SignalStatus.FIRING, SignalStatus.RESOLVED])),
            key=f"t:1:{draw(st.integers(0, 1))}",
            title=draw(st.sampled_from(["Disk full", "CPU"])),
            labels=draw(st.dictionaries(st.just("env"), st.sampled_from(["a", "b"]))),
            service_name=draw(st.sampled_from([None, "web"])),
            severity=draw(st.sampled_from(list(Severity))),
        )
        body = orjson.loads(orjson.dumps(signal_body(normalise(said, INTEGRATION, at(number)))))
        past.append(
            StoredSignal(body, received_at=at(number), integration_id=INTEGRATION.id, alert_id=new_id(), team_id=None)
        )
    return past


def plain(draft: AlertRule, today: list[AlertRule], past: list[StoredSignal]) -> Counter[TrialChange]:
    """Every signal worked out twice, whole."""
    found = Counter[TrialChange]()
    without = [rule for rule in today if rule.id != draft.id]
    sets = [RuleSet(version=n, rules=of, engine=CONDITIONS) for n, of in enumerate((today, [*without, draft]))]
    reasons = {rule.id: rule.effects.suppress for rule in (*today, draft)}
    occurred = Counter[str]()
    for stored in past:
        occurred[stored.dedup_key] += stored.status is SignalStatus.FIRING
        if stored.status is SignalStatus.RESOLVED:
            del occurred[stored.dedup_key]
        state = {
            "alert.team": "",
            "alert.status": "resolved" if stored.status is SignalStatus.RESOLVED else "active",
            "alert.occurrences": occurred.get(stored.dedup_key, 1),
        }
        before, after = (_worked_out(rules, stored, state, reasons) for rules in sets)
        found[TrialChange.DEDUP_KEY] += before["key"] != after["key"]
        if stored.status is SignalStatus.FIRING:
            found[TrialChange.SEVERITY] += before["severity"] != after["severity"]
            found[TrialChange.LABELS] += before["labels"] != after["labels"]
            found[TrialChange.GROUP_KEY] += before["group"] != after["group"]
            found[TrialChange.SUPPRESSED] += bool(after["marks"]) and not before["marks"]
            found[TrialChange.LET_GO] += bool(before["marks"]) and not after["marks"]
    return +found


def _worked_out(rules: RuleSet, stored: StoredSignal, state: dict[str, Any], reasons: dict[Any, Any]) -> dict[str, Any]:
    made = apply_rules(stored.signal, stored.integration_id, rules)
    severity, labels = made.severity, made.labels
    marks = [] if made.verdict is None else list(made.verdict.suppressed_by)
    if stored.status is SignalStatus.FIRING:
        folded = {"alert.severity": RANKS[severity], "alert.labels": labels, "alert.dedup_key": made.signal.dedup_key}
        for one in holding(rules.on_alert, rules, {**stored.facts(), **state, **folded}).rules:
            if not one.is_monitored:
                severity = one.rule.effects.severity or severity
                labels = merged_labels(labels, one.rule.effects.all_labels)
                marks += [one.rule.id] if reasons[one.rule.id] is not None else []
    return {
        "severity": severity,
        "labels": labels,
        "marks": marks,
        "key": made.signal.dedup_key,
        "group": made.group_key,
    }


@settings(max_examples=150, deadline=None)
@given(rules(may_be_off=False), st.lists(rules(), max_size=3), st.booleans(), pasts())
def test_a_trial_finds_what_working_out_every_signal_twice_would_find(
    draft: AlertRule, today: list[AlertRule], stands_for_one: bool, past: list[StoredSignal]
) -> None:
    if stands_for_one:
        today = [*today, AlertRule(**{**_fields(draft), "condition": "true", "effects": EFFECTS[3]})]
    trial = Trial(draft, today, engine=CONDITIONS)
    for stored in past:
        trial.take(stored)

    report = trial.report(is_whole=True)
    compared = {TrialChange.DEDUP_KEY, TrialChange.SEVERITY, TrialChange.LABELS, TrialChange.GROUP_KEY}
    compared |= {TrialChange.SUPPRESSED, TrialChange.LET_GO}
    told = {one.kind: one.signals for one in report.differences if one.kind in compared}
    assert told == dict(plain(draft, today, past))


def _fields(rule: AlertRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in AlertRule.__dataclass_fields__}


def test_a_teams_draft_is_tried_on_what_a_person_gave_the_team() -> None:
    """Everybody's rule gives such alerts to another team when they open, which is no word against who moved one."""
    first, mine = new_id(), new_id()

    def rule(effects: Effects, team_id: UUID | None = None) -> AlertRule:
        return AlertRule(
            id=new_id(),
            name="r",
            condition="true",
            created_at=START,
            updated_at=START,
            effects=effects,
            team_id=team_id,
        )

    said = signal(title="Disk full", severity=Severity.LOW)
    body = orjson.loads(orjson.dumps(signal_body(normalise(said, INTEGRATION, at(1)))))
    moved = StoredSignal(body, received_at=at(1), integration_id=INTEGRATION.id, alert_id=new_id(), team_id=mine)
    today = [rule(Effects(team_id=first)), rule(Effects(suppress="theirs"), first)]
    trial = Trial(rule(Effects(severity=Severity.CRITICAL), mine), today, engine=CONDITIONS)
    trial.take(moved)
    report = trial.report(is_whole=True)
    assert (report.signals, report.matched) == (1, 1)
    assert [(one.kind, one.signals) for one in report.differences] == [(TrialChange.SEVERITY, 1)]
