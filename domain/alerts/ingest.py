"""What happens when an alert arrives?

    normalise   caps sizes, maps the source's severity word, distrusts the source's clock
    dedup key   the parser made it: `<recipe>:<version>:<payload>`, unique within the integration
    fold        into the newest alert of that key, or a new one: the state table is in fold.py
    team        a new alert is its owner's, by service or labels: routing.py
    silences    an alert that opens or changes its labels is marked with the silences that hold it
    explain     every decision goes onto the event that it caused, with its reason and inputs

All of it is pure: state, silences and time come in, alerts and events go out. The store (persistence/ingest_store.py)
has locked the keys before it read their state, and writes everything this returns in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.alerts.events import Actor, ActorKind, AlertEvent
from domain.alerts.fold import Fold, FoldPolicy
from domain.alerts.normalise import NormalSignal, normalise
from domain.alerts.problem import AlertState, Problem
from domain.alerts.signal import ItemResult, Outcome, RejectedItem
from domain.alerts.submission import Submission
from domain.silences.model import Silence
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


def prepare(submissions: Sequence[Submission]) -> list[Item]:
    """Every item of the batch, normalised. Needs no state, so it runs before the transaction begins."""
    return [
        Item(
            submission,
            index,
            item if isinstance(item, RejectedItem) else normalise(item, submission.integration, submission.received_at),
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


def ingest(
    items: Sequence[Item],
    problems: Mapping[Key, Problem],
    *,
    silences: Sequence[Silence],
    policy: FoldPolicy,
    ownership: Ownership = NOTHING_OWNED,
) -> Ingested:
    """Fold a batch into its problems, in order of arrival. `problems` holds every key of `keys_of(items)`."""
    fold = Fold(policy, tuple(silences), ownership)
    results = []
    for item in items:
        content, integration = item.content, item.submission.integration
        if isinstance(content, RejectedItem):
            results.append(ItemResult(outcome=Outcome.REJECTED, reason=content.message, path=content.path))
            continue
        actor = item.submission.actor or Actor(ActorKind.INTEGRATION, integration.id)
        problem = problems[integration.id, content.signal.dedup_key]
        results.append(fold.apply(problem, content, actor, sight=item.submission.sight))
    fold.finish()
    return Ingested(
        results=results, alerts=list(fold.touched.values()), events=fold.events, problems=list(problems.values())
    )
