"""What may people change of their own account? The name; with the current password, the password and the address.

A session that was left open, or stolen, is not enough to take an account over: what would lock its owner out needs the
password once more. Wrong ones are counted as at the sign-in.
"""

from datetime import timedelta
from uuid import UUID

from domain.access.throttle import AttemptKind
from domain.audit.model import AuditEntry
from domain.errors import Forbidden, InvalidCredentials, InvalidInput, NotFound, TooManyAttempts
from domain.identity.account_desk import AccountDesk, issue_link
from domain.identity.account_ports import AccountUnit
from domain.identity.addresses import checked_address
from domain.identity.following import end_everything, seconds_of
from domain.identity.model import MAX_PERSON_NAME, User
from domain.identity.one_time import Purpose
from domain.identity.passwords import checked_length, words_about
from domain.identity.people import checked_name
from domain.identity.versions import require_user_version

WRONG_PASSWORD = "this is not your current password"  # noqa: S105 - a refusal
NO_PASSWORD = "your account has no password: ask for a link to set one"  # noqa: S105 - a refusal


async def change_password(
    desk: AccountDesk, *, user_id: UUID, session_id: UUID | None, current: str, new: str, entry: AuditEntry
) -> User:
    """The person, with the new password; signed out everywhere but here."""
    checked_length(new, "newPassword")
    user = await _proved(desk, user_id, current, path="currentPassword", entry=entry)
    if new == current:
        message = "this is the password you have"
        raise InvalidInput(message, ("newPassword",))
    about = words_about(user.email, user.first_name, user.last_name)
    password_hash = await desk.passwords.hashed(new, about=about, path="newPassword")
    now = desk.clock.now()
    async with desk.units() as unit:
        user = (await _still(user, unit, path="currentPassword")).edited(password_hash=password_hash)
        await unit.users.save(user)
        await end_everything(user, unit=unit, now=now, keep=session_id)
        await unit.mail.append(desk.rules.letters.password_changed(user))
        await unit.audit.append(entry)
        await unit.commit()
    return user


async def request_address_change(
    desk: AccountDesk, *, user_id: UUID, password: str, email: str, entry: AuditEntry
) -> None:
    """Mail a link to the new address, and a warning to the old one.

    An address that belongs to somebody gets the mail all the same: whether it does is not for the asker to know.
    """
    email = checked_address(email, "email")
    user = await _proved(desk, user_id, password, path="password", entry=entry)
    if email == user.email:
        message = "this is the address you have"
        raise InvalidInput(message, ("email",))
    now = desk.clock.now()
    async with desk.units() as unit:
        user = await _still(user, unit, path="password")
        purpose = Purpose.CHANGE_ADDRESS
        link = await issue_link(user, purpose, unit=unit, rules=desk.rules, now=now, new_address=email)
        if isinstance(link, timedelta):
            message = "a mail for this is on its way; wait before you ask for another"
            raise TooManyAttempts(message, retry_after_seconds=seconds_of(link))
        letters = desk.rules.letters
        await unit.mail.append(
            letters.link(purpose, link, to=email, user_id=user.id), letters.address_change_asked(user)
        )
        await unit.audit.append(entry)
        await unit.commit()


async def update_name(
    desk: AccountDesk,
    *,
    user_id: UUID,
    first_name: str | None,
    last_name: str | None,
    expected_version: int | None,
    entry: AuditEntry,
) -> User:
    """The person, with the name as given; None leaves it as it is."""
    first = None if first_name is None else checked_name(first_name, MAX_PERSON_NAME, "firstName", may_be_empty=True)
    last = None if last_name is None else checked_name(last_name, MAX_PERSON_NAME, "lastName", may_be_empty=True)
    async with desk.units() as unit:
        user = await unit.users.locked(user_id)
        if user is None:
            message = "no such person"
            raise NotFound(message)
        require_user_version(user, expected_version)
        user = user.edited(
            first_name=user.first_name if first is None else first,
            last_name=user.last_name if last is None else last,
        )
        await unit.users.save(user)
        await unit.audit.append(entry)
        await unit.commit()
    return user


async def _proved(desk: AccountDesk, user_id: UUID, password: str, *, path: str, entry: AuditEntry) -> User:
    """The person, once the current password was given. Slow, so before the transaction."""
    async with desk.units() as unit:
        user = await unit.users.by_id(user_id)
    if user is None:
        message = "no such person"
        raise NotFound(message)
    if user.password_hash is None:
        raise Forbidden(NO_PASSWORD)
    await desk.pace(AttemptKind.LOGIN, user.email, entry.ip_address)
    if not await desk.passwords.hasher.verify(user.password_hash, password):
        raise InvalidCredentials(WRONG_PASSWORD, (path,))
    await desk.forgive(AttemptKind.LOGIN, user.email, entry.ip_address)
    return user


async def _still(proved: User, unit: AccountUnit, *, path: str) -> User:
    """The same person, locked, if the password that was checked is still theirs."""
    user = await unit.users.locked(proved.id)
    if user is None or not user.is_active or user.password_hash != proved.password_hash:
        raise InvalidCredentials(WRONG_PASSWORD, (path,))
    return user
