"""What does a mailed link do? Verify an address, set a password, let an invited person in, or change an address.

Each is used up in the transaction of what it does: of two clicks at once one counts. Passwords are judged and hashed
before it, because that takes a while.
"""

from datetime import datetime, timedelta
from uuid import UUID

from domain.access.throttle import AttemptKind
from domain.alerts.events import Actor, ActorKind
from domain.audit.model import AuditEntry
from domain.errors import AlreadyExists, InvalidCredentials, InvalidInput, InvalidLink
from domain.identity.account_desk import NO_LINK, AccountDesk, done_by, use_link
from domain.identity.account_ports import AccountUnit
from domain.identity.admissions import Admission
from domain.identity.model import MAX_PERSON_NAME, Membership, User
from domain.identity.one_time import Purpose, token_digest
from domain.identity.passwords import words_about
from domain.identity.people import checked_name
from domain.ids import new_id

TAKEN = "another person has this address by now"


async def verify_address(desk: AccountDesk, *, token: str, password: str | None, entry: AuditEntry) -> User:
    """The person whose address is proved; for a registration, the new user.

    A registration is finished with the password it was begun with: the click proves the mailbox, the password that its
    owner is who registered. Else a stranger could register with somebody's address and wait for the owner to click.
    """
    registration = token_digest(token, Purpose.REGISTRATION)
    async with desk.units() as unit:
        admission = await unit.admissions.find(registration, now=desk.clock.now())
    if admission is None:
        return await _verify_user(desk, token_digest(token, Purpose.VERIFY_ADDRESS), entry=entry)
    if password is None:
        message = "the password chosen at the registration is needed"
        raise InvalidInput(message, ("password",))
    await desk.pace(AttemptKind.TOKEN, admission.email, entry.ip_address)
    if not await desk.passwords.hasher.verify(admission.password_hash, password):
        message = "this is not the password chosen at the registration"
        raise InvalidCredentials(message, ("password",))
    return await _let_in(desk, registration, entry=entry)


async def _verify_user(desk: AccountDesk, digest: bytes, *, entry: AuditEntry) -> User:
    now = desk.clock.now()
    async with desk.units() as unit:
        _, user = await use_link(unit, digest, now=now)
        user = user.edited(email_verified_at=now)
        await unit.users.save(user)
        await unit.audit.append(done_by(user, entry))
        await unit.commit()
    return user


async def accept_invitation(
    desk: AccountDesk, *, token: str, password: str, first_name: str | None, last_name: str | None, entry: AuditEntry
) -> User:
    """The new user. Names the person leaves out stay as the administrator wrote them."""
    digest = token_digest(token, Purpose.INVITATION)
    async with desk.units() as unit:
        admission = await unit.admissions.find(digest, now=desk.clock.now())
    if admission is None:
        raise InvalidLink(NO_LINK, ("token",))
    first = checked_name(first_name or admission.first_name, MAX_PERSON_NAME, "firstName", may_be_empty=True)
    last = checked_name(last_name or admission.last_name, MAX_PERSON_NAME, "lastName", may_be_empty=True)
    about = words_about(admission.email, first, last)
    password_hash = await desk.passwords.hashed(password, about=about, path="password")
    return await _let_in(desk, digest, entry=entry, first=first, last=last, password_hash=password_hash)


async def _let_in(
    desk: AccountDesk,
    digest: bytes,
    *,
    entry: AuditEntry,
    first: str | None = None,
    last: str | None = None,
    password_hash: str | None = None,
) -> User:
    """Make the person at the door a user. What is not given is as it was when they came to it."""
    now = desk.clock.now()
    async with desk.units() as unit:
        admission = await unit.admissions.use(digest, now=now)
        if admission is None:
            raise InvalidLink(NO_LINK, ("token",))
        team = await unit.users.team_by_id(admission.team_id) if admission.team_id else None
        user = User(
            id=new_id(),
            email=admission.email,
            role=admission.role,
            created_at=now,
            password_hash=password_hash or admission.password_hash,
            first_name=admission.first_name if first is None else first,
            last_name=admission.last_name if last is None else last,
            # A team that was archived meanwhile takes nobody in.
            team_id=team.id if team else None,
            email_verified_at=now,
        )
        await _add(user, admission, unit=unit, desk=desk)
        await unit.audit.append(done_by(user, entry))
        await unit.commit()
    return user


async def _add(user: User, admission: Admission, *, unit: AccountUnit, desk: AccountDesk) -> None:
    current, *older = desk.rules.digests(admission.email)
    if not await unit.users.add(user, email_digest=current, older_digests=older):
        raise AlreadyExists(TAKEN, ("token",))
    if user.team_id is not None:
        membership = Membership(team_id=user.team_id, user_id=user.id, role=user.role, created_at=user.created_at)
        # They let themselves in, by the link that somebody sent.
        await unit.users.put_member(membership, by=Actor(ActorKind.USER, user.id))


async def reset_password(desk: AccountDesk, *, token: str, password: str, entry: AuditEntry) -> User:
    """The person, with the new password, signed out everywhere. The link also proves the address."""
    digest = token_digest(token, Purpose.RESET_PASSWORD)
    async with desk.units() as unit:
        found = await unit.one_time_tokens.find(digest, now=desk.clock.now())
        known = await unit.users.by_id(found.user_id) if found else None
    if known is None:
        raise InvalidLink(NO_LINK, ("token",))
    about = words_about(known.email, known.first_name, known.last_name)
    password_hash = await desk.passwords.hashed(password, about=about, path="password")
    now = desk.clock.now()
    async with desk.units() as unit:
        _, user = await use_link(unit, digest, now=now, expected=known.id)
        user = user.edited(password_hash=password_hash, email_verified_at=user.email_verified_at or now)
        await unit.users.save(user)
        await end_everything(user, unit=unit, now=now)
        await unit.mail.append(desk.rules.letters.password_changed(user))
        await unit.audit.append(done_by(user, entry))
        await unit.commit()
    return user


async def end_everything(user: User, *, unit: AccountUnit, now: datetime, keep: UUID | None = None) -> None:
    """End the sessions of a person but one, sign-ins that are half-way, and whatever links are in their mailbox."""
    await unit.sessions.revoke_all(user.id, now=now, keep=keep)
    await unit.challenges.forget_person(user.id)
    await unit.one_time_tokens.void(user.id)


async def confirm_address(desk: AccountDesk, *, token: str, entry: AuditEntry) -> User:
    """The person, with the new address. Links in the old mailbox work no more."""
    now = desk.clock.now()
    async with desk.units() as unit:
        used, before = await use_link(unit, token_digest(token, Purpose.CHANGE_ADDRESS), now=now)
        if used.new_address is None:  # pragma: no cover - written with each link of this purpose
            raise InvalidLink(NO_LINK, ("token",))
        user = before.edited(email=used.new_address, email_verified_at=now)
        current, *older = desk.rules.digests(user.email)
        holder = await unit.users.by_email(current, *older)
        is_free = holder is None or holder.id == user.id
        if not is_free or not await unit.users.save(user, email_digest=current):
            raise AlreadyExists(TAKEN, ("token",))
        await unit.one_time_tokens.void(user.id)
        await unit.mail.append(desk.rules.letters.address_changed(before))
        await unit.audit.append(done_by(user, entry))
        await unit.commit()
    return user


def seconds_of(wait: timedelta) -> int:
    """A wait as it is told to a client: whole seconds, never none."""
    return max(1, round(wait.total_seconds()))
