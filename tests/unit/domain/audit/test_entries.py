"""Does an entry refuse to be made with what must never be on the log?"""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.alerts.events import ActorKind
from domain.audit.model import FORBIDDEN, AuditEntry
from domain.ids import new_id


def entry(**values: Any) -> AuditEntry:  # noqa: ANN401 - fields of an entry
    return AuditEntry(
        id=new_id(), occurred_at=datetime.now(tz=UTC), actor_kind=ActorKind.SYSTEM, action="updateUser", **values
    )


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_secrets_and_what_tells_of_a_person_are_refused(name: str) -> None:
    for values in ({"before": {name: "x"}}, {"after": {"role": "viewer", name: None}}):
        with pytest.raises(ValueError, match=f"the audit entry of updateUser would keep {name}"):
            entry(**values)


def test_what_changed_may_be_told_by_its_name() -> None:
    assert entry(after={"changed": ["email"], "role": "viewer"}).after == {"changed": ["email"], "role": "viewer"}
    # Labels and metadata are an alert's, whatever its source calls them.
    assert entry(before={"labels": {"email": "ops", "token": "x"}}).before
