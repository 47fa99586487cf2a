"""What may an administrator do about people? Invite them, edit them, change their role, send them away, take them back.

One administrator who can sign in always stays: whoever takes one away holds a lock, so of two who take the last two at
once, the second is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from domain.alerts.events import Actor
from domain.audit.model import AuditEntry
from domain.errors import AlreadyExists, LastAdministrator, NotFound
from domain.identity.account_desk import AccountDesk, find_user
from domain.identity.account_ports import AccountUnit
from domain.identity.addresses import checked_address
from domain.identity.admissions import Admission, AdmissionKind
from domain.identity.following import end_everything
from domain.identity.model import MAX_PERSON_NAME, Membership, Role, User
from domain.identity.one_time import Purpose, fresh_link
from domain.identity.people import checked_name
from domain.identity.versions import require_user_version
from domain.ids import new_id

LAST = "this is the last administrator who can sign in: make another one first"
# Makes the audit entry of a change, of what it was and what it is.
MakeEntry = Callable[[User, User], AuditEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Whom an administrator asks in."""

    email: str
    role: Role
    team_id: UUID | None = None
    first_name: str = ""
    last_name: str = ""


async def invite(
    desk: AccountDesk, asked: Invitation, *, unit: AccountUnit, invited_by: UUID, entry: Callable[[UUID], AuditEntry]
) -> Admission:
    """Put the person at the door and mail the link. An earlier invitation or registration of the address gives way."""
    email = checked_address(asked.email, "email")
    first = checked_name(asked.first_name, MAX_PERSON_NAME, "firstName", may_be_empty=True)
    last = checked_name(asked.last_name, MAX_PERSON_NAME, "lastName", may_be_empty=True)
    if asked.team_id is not None and await unit.users.team_by_id(asked.team_id) is None:
        message = "no such team"
        raise NotFound(message, ("teamId",))
    if await find_user(email, unit=unit, rules=desk.rules) is not None:
        message = "another person has this address"
        raise AlreadyExists(message, ("email",))
    now = desk.clock.now()
    before = await unit.admissions.by_address(desk.rules.digests(email))
    # An administrator may ask again at once: the pace is for strangers.
    link = fresh_link(Purpose.INVITATION, lives=desk.rules.lives.invitation, now=now, before=before)
    admission = Admission(
        id=new_id(),
        kind=AdmissionKind.INVITATION,
        email=email,
        email_digest=desk.rules.digests(email)[0],
        role=asked.role,
        digest=link.digest,
        issued_at=link.issued_at,
        expires_at=link.expires_at,
        issues=link.issues,
        first_name=first,
        last_name=last,
        team_id=asked.team_id,
        invited_by=invited_by,
    )
    await unit.admissions.put(admission)
    await unit.mail.append(desk.rules.letters.link(Purpose.INVITATION, link, to=email))
    await unit.audit.append(entry(admission.id))
    return admission


async def revoke_invitation(desk: AccountDesk, admission_id: UUID, *, entry: AuditEntry) -> None:
    """Take an invitation, or a registration that is not finished, back."""
    async with desk.units() as unit:
        if await unit.admissions.remove(admission_id) is None:
            message = "no such invitation"
            raise NotFound(message, ("id",))
        await unit.audit.append(entry)
        await unit.commit()


async def change_person(
    desk: AccountDesk,
    user_id: UUID,
    change: Callable[[User], User],
    *,
    expected_version: int | None,
    entry: MakeEntry,
) -> User:
    """The person after an edit. What takes an administrator away, ends sessions or tells a mail follows from it.

    Nothing is written where nothing changes.
    """
    now = desk.clock.now()
    async with desk.units() as unit:
        # Before the person's own lock: two who take each other away would otherwise each hold what the other needs.
        await unit.users.lock_administrators()
        before = await unit.users.locked(user_id)
        if before is None:
            message = "no such person"
            raise NotFound(message, ("id",))
        require_user_version(before, expected_version)
        after = change(before)
        if after == before:
            return before
        if _is_taken_away(before, after) and not await unit.users.other_administrator(user_id):
            raise LastAdministrator(LAST, ("id",))
        if after.team_id is not None and after.team_id != before.team_id:
            told = entry(before, after)
            await _join(after, unit=unit, desk=desk, by=Actor(told.actor_kind, told.actor_id))
        after = after.edited()
        await unit.users.save(after)
        if before.is_active and not after.is_active:
            await end_everything(after, unit=unit, now=now)
        if before.role is not after.role:
            await unit.mail.append(desk.rules.letters.role_changed(after, after.role))
        await unit.audit.append(entry(before, after))
        await unit.commit()
    return after


def _is_taken_away(before: User, after: User) -> bool:
    was = before.role is Role.ADMIN and before.is_active
    return was and not (after.role is Role.ADMIN and after.is_active)


async def _join(user: User, *, unit: AccountUnit, desk: AccountDesk, by: Actor) -> None:
    """A primary team is one the person is a member of; who is one already keeps the role they have there."""
    assert user.team_id is not None, "the caller looked"  # noqa: S101 - for the type checker
    if await unit.users.team_by_id(user.team_id) is None:
        message = "no such team"
        raise NotFound(message, ("teamId",))
    if await unit.users.is_member(user.team_id, user.id):
        return
    membership = Membership(team_id=user.team_id, user_id=user.id, role=user.role, created_at=desk.clock.now())
    await unit.users.put_member(membership, by=by)
