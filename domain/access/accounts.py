"""How does a service account come to be, change and end? By an administrator's hand, and on the audit log."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.access.model import MAX_NAME, ServiceAccount
from domain.access.ports import AccessUnit
from domain.audit.model import AuditEntry
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.identity.model import Role
from domain.ids import new_id
from domain.text import checked_text
from domain.versions import require_version

MAX_TEAMS = 50
NO_SUCH_ACCOUNT = "no such service account"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """A service account to be made."""

    name: str
    role: Role
    team_ids: frozenset[UUID] = frozenset()


def make_account(new: NewAccount, *, created_by: UUID | None, now: datetime) -> ServiceAccount:
    """The account, checked."""
    account = ServiceAccount(
        id=new_id(),
        name=new.name,
        role=new.role,
        team_ids=new.team_ids,
        created_at=now,
        created_by=created_by,
    )
    return _checked(account)


def _checked(account: ServiceAccount) -> ServiceAccount:
    if len(account.team_ids) > MAX_TEAMS:
        raise InvalidInput(f"at most {MAX_TEAMS} teams", ("teamIds",))
    return replace(account, name=checked_text(account.name, path=("name",), limit=MAX_NAME))


async def add_account(account: ServiceAccount, *, unit: AccessUnit, entry: AuditEntry) -> None:
    """Write the account."""
    await _check_teams(account.team_ids, unit)
    if not await unit.access.add_account(account):
        raise AlreadyExists("another service account has this name", ("name",))
    await unit.audit.append(replace(entry, target_id=account.id, after=shown(account)))


async def _check_teams(team_ids: frozenset[UUID], unit: AccessUnit) -> None:
    if await unit.access.missing_teams(team_ids):
        raise NotFound("no such team", ("teamIds",))


async def update_account(
    account_id: UUID,
    edit: Callable[[ServiceAccount], ServiceAccount],
    *,
    expected_version: int | None,
    unit: AccessUnit,
    entry: AuditEntry,
) -> ServiceAccount:
    """The account after an edit. Its keys act with the new role and teams from their next operation on."""
    before = await _locked(account_id, unit)
    require_version("service account", actual=before.version, expected=expected_version)
    edited = edit(before)
    if edited == before:
        return before
    after = _checked(replace(edited, version=before.version + 1))
    await _check_teams(after.team_ids - before.team_ids, unit)
    if not await unit.access.save_account(after):
        raise AlreadyExists("another service account has this name", ("name",))
    await unit.audit.append(replace(entry, target_id=after.id, before=shown(before), after=shown(after)))
    return after


async def archive_account(account_id: UUID, *, unit: AccessUnit, now: datetime, entry: AuditEntry) -> ServiceAccount:
    """End the account: its keys count no more from now on, and it is not brought back."""
    before = await _locked(account_id, unit)
    after = replace(before, archived_at=now, version=before.version + 1)
    await unit.access.save_account(after)
    ended = await unit.access.revoke_all(account_id, now=now)
    told = {**shown(after), "keysRevoked": ended}
    await unit.audit.append(replace(entry, target_id=account_id, before=shown(before), after=told))
    return after


async def _locked(account_id: UUID, unit: AccessUnit) -> ServiceAccount:
    account = await unit.access.locked_account(account_id)
    if account is None:
        raise NotFound(NO_SUCH_ACCOUNT, ("id",))
    return account


def shown(account: ServiceAccount) -> dict[str, Any]:
    """What the audit log keeps of an account."""
    return {
        "name": account.name,
        "role": account.role.value,
        "teamIds": sorted(str(team_id) for team_id in account.team_ids),
        "archivedAt": None if account.archived_at is None else account.archived_at.isoformat(),
    }
