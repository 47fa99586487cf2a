"""What happens when an alert arrives?

    normalise   caps sizes, maps the source's severity word, distrusts the source's clock
    rules       alert rules may change severity, team, labels and keys, or keep people from being woken: domain/rules/
    dedup key   the parser made it: `<recipe>:<version>:<payload>`, unique within the integration
    fold        into the newest alert of that key, or a new one: the state table is in fold.py
    team        a new alert is its owner's, by service or labels: routing.py
    group       an alert that fires joins an open group, or opens one: domain/correlation/
    silences    an alert that opens or changes its labels is marked with the silences that hold it
    explain     every decision goes onto the event that it caused, with its reason and inputs

All of it is pure: state, silences and time come in, alerts and events go out. The store (persistence/ingest_store.py)
has locked the keys before it read their state, and writes everything this returns in the same transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.alerts.events import Actor, ActorKind, AlertEvent
from domain.alerts.fold import Fold, FoldPolicy
from domain.alerts.marking import Marking
from domain.alerts.normalise import NormalSignal, normalise
from domain.alerts.problem import AlertState, Problem
from domain.alerts.signal import ItemResult, Outcome, RejectedItem, SignalStatus
from domain.alerts.submission import Submission
from domain.correlation.placing import Placing
from domain.correlation.way import BatchWays
from domain.correlation.ways import Correlation
from domain.inhibition.holding import Holding
from domain.inhibition.model import Inhibition
from domain.rules.applying import apply_rules
from domain.rules.rule_set import NO_RULES, RuleSet
from domain.rules.tally import Tally
from domain.silences.model import Silence
from domain.silences.standing import SilencesInForce
from domain.teams.ownership import NOTHING_OWNED, Ownership
from domain.values import value_class

Key = tuple[UUID, str]


@value_class(frozen=True, slots=True)
class Item:
    """One item of one submission, normalised, or rejected by its parser."""

    submission: Submission
    index: int
    content: NormalSignal | RejectedItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What a batch made: rows to write and the result of every item, in order."""

    results: list[ItemResult]
    alerts: list[AlertState]
    events: list[AlertEvent]
    problems: list[Problem]
    tally: Tally


def prepare(submissions: Sequence[Submission], rules: RuleSet = NO_RULES) -> list[Item]:
    """Every item of the batch, normalised and as the rules want it. It needs no state, so no transaction is open yet.

    Rules may change a dedup key, and keys are what is locked: should the transaction read another version of the
    rules, the batch is prepared again.
    """
    return [
        Item(
            submission,
            index,
            item
            if isinstance(item, RejectedItem)
            else apply_rules(
                normalise(item, submission.integration, submission.received_at), submission.integration.id, rules
            ),
        )
        for submission in submissions
        for index, item in enumerate(submission.items)
    ]


def keys_of(items: Sequence[Item]) -> list[Key]:
    """The dedup keys a batch will change, each once."""
    return list(
        {
            (item.submission.integration.id, item.content.signal.dedup_key): None
            for item in items
            if isinstance(item.content, NormalSignal)
        }
    )


def group_ways_of(
    items: Sequence[Item], correlation: Correlation, *, is_passing: Callable[[Key], bool] | None = None
) -> BatchWays:
    """The ways into groups of what fires. Pure, so their keys are known before the locks.

    Repeats of what is open need none: `is_passing` says which keys are open as far as is known. Should one of them
    open after all (`opening`), the batch begins again.
    """
    found = BatchWays()
    if correlation.is_empty and not any(getattr(item.content, "group_key", None) for item in items):
        return found
    ended = _ended(items)
    for item in items:
        content = item.content
        if isinstance(content, NormalSignal) and content.status is SignalStatus.FIRING:
            integration_id = item.submission.integration.id
            key = integration_id, content.signal.dedup_key
            if is_passing is None or key in ended or not is_passing(key):
                found.add(content, correlation.ways(content, integration_id))
            else:
                found.pass_over(content)
    return found


def inhibition_keys_of(items: Sequence[Item], inhibition: Inhibition) -> list[str]:
    """The keys under which what fires may hold others, or be held, each once."""
    if not inhibition.rules:
        return []
    return list(
        {
            role.key: None
            for item in items
            if isinstance(item.content, NormalSignal) and item.content.status is SignalStatus.FIRING
            for role in inhibition.roles(item.content.labels)
        }
    )


def opening(items: Sequence[Item], problems: Mapping[Key, Problem]) -> list[NormalSignal]:
    """The signals that may open an alert, or open one again: repeats of what is open need no groups."""
    ended = _ended(items)
    found = []
    for item in items:
        if isinstance(item.content, NormalSignal) and item.content.status is SignalStatus.FIRING:
            key = (item.submission.integration.id, item.content.signal.dedup_key)
            alert = problems[key].alert
            if alert is None or not alert.is_open or key in ended:
                found.append(item.content)
    return found


def _ended(items: Sequence[Item]) -> set[Key]:
    """The keys that the batch itself ends: what fires of them after that opens again."""
    return {
        (item.submission.integration.id, item.content.signal.dedup_key)
        for item in items
        if isinstance(item.content, NormalSignal) and item.content.status is SignalStatus.RESOLVED
    }


def ingest(
    items: Sequence[Item],
    problems: Mapping[Key, Problem],
    *,
    silences: Sequence[Silence] | SilencesInForce,
    policy: FoldPolicy,
    ownership: Ownership = NOTHING_OWNED,
    groups: Placing | None = None,
    inhibiting: Holding | None = None,
    rules: RuleSet = NO_RULES,
) -> Ingested:
    """Fold a batch into its problems, in order of arrival. `problems` holds every key of `keys_of(items)`."""
    marking = Marking(SilencesInForce.of(silences), ownership, rules, inhibiting)
    if groups is not None:
        groups.private_teams = ownership.private_teams
    fold = Fold(policy, marking, groups)
    results = []
    for item in items:
        content, integration = item.content, item.submission.integration
        if isinstance(content, RejectedItem):
            results.append(ItemResult(outcome=Outcome.REJECTED, reason=content.message, path=content.path))
            continue
        actor = item.submission.actor or Actor(ActorKind.INTEGRATION, integration.id)
        if content.verdict is not None:
            marking.tally.note(content.verdict.matched, content.verdict.failed, at=content.received_at)
        problem = problems[integration.id, content.signal.dedup_key]
        results.append(fold.apply(problem, content, actor, sight=item.submission.sight))
    made = fold.finish()
    return Ingested(
        results=results,
        alerts=list(made.touched.values()),
        events=made.events,
        problems=list(problems.values()),
        tally=marking.tally,
    )
