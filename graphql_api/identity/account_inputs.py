"""What do the mutations of accounts have in common? Words for the same inputs, and their audit entries."""

from typing import Any

from domain.audit.model import AuditEntry
from domain.identity.administration import MakeEntry
from domain.identity.model import User
from graphql_api.context import Context

TOKEN = "What stands behind `#token=` in the mailed link. It works once."  # noqa: S105 - a description
NEW_PASSWORD = "10 to 1024 characters, hard to guess; `WeakPassword` says what would help."  # noqa: S105
CURRENT_PASSWORD = "The password you have: a session alone is not enough for this."  # noqa: S105
VERIFIED_EMAIL = "The address to sign in with."
EXPECTED_VERSION = "The version you read; the edit is refused when the person has another by now."


def own_entry(context: Context, action: str) -> AuditEntry:
    """The entry of what a person does to their own account. What changes is theirs: the entry says only that it did."""
    return context.audit_entry(action, target_kind="user", target_id=context.require_viewer().user_id)


def person_entry(context: Context, action: str) -> MakeEntry:
    """Makes the entry of what an administrator does to a person. A name is told as changed, not as what it is."""

    def make(before: User, after: User) -> AuditEntry:
        was, is_ = _shown(before), _shown(after)
        changed = {name for name in was if was[name] != is_[name]}
        after_values = {name: is_[name] for name in changed}
        if (before.first_name, before.last_name) != (after.first_name, after.last_name):
            after_values["nameChanged"] = True
        return context.audit_entry(
            action,
            target_kind="user",
            target_id=after.id,
            before={name: was[name] for name in changed},
            after=after_values,
        )

    return make


def _shown(user: User) -> dict[str, Any]:
    team_id = None if user.team_id is None else str(user.team_id)
    return {"role": user.role.value, "isActive": user.is_active, "teamId": team_id}
