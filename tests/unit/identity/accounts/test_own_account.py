"""What may people change of their own account, and who is told? (P1, P2).

What each stops is named by OWASP ASVS 5 (V6: authentication) or API Top 10 2023.
"""

import pytest

from domain.access.throttle import AttemptKind
from domain.errors import (
    AlreadyExists,
    Forbidden,
    InvalidCredentials,
    InvalidInput,
    InvalidLink,
    StaleVersion,
    TooManyAttempts,
    WeakPassword,
)
from domain.identity.admissions import RequestKind
from domain.identity.following import confirm_address, reset_password
from domain.identity.own_account import change_password, request_address_change, update_name
from domain.ids import new_id
from tests.account_fakes import GOOD, Office
from tests.unit.identity.accounts.ways import ADA, OTHER, asked


async def test_a_changed_password_ends_all_other_sessions(office: Office) -> None:
    user, session = await office.user(), new_id()
    await change_password(
        office.desk, user_id=user.id, session_id=session, current=GOOD, new=OTHER, entry=office.entry()
    )
    assert office.now(user).password_hash == f"#{OTHER}"
    assert office.held.ended == [(user.id, session)]
    assert [mail.to for mail in office.held.mails] == [ADA]


@pytest.mark.parametrize(
    ("current", "new", "kind"),
    [
        (OTHER, OTHER, InvalidCredentials),
        (GOOD, GOOD, InvalidInput),
        (GOOD, "short", InvalidInput),
        (GOOD, "ada@example.com1", WeakPassword),
    ],
)
async def test_a_password_is_not_changed(office: Office, current: str, new: str, kind: type[Exception]) -> None:
    user = await office.user()
    with pytest.raises(kind):
        await change_password(
            office.desk, user_id=user.id, session_id=None, current=current, new=new, entry=office.entry()
        )
    assert (office.now(user), office.held.mails, office.held.ended) == (user, [], [])


async def test_guesses_at_the_current_password_are_counted_and_a_right_one_forgives(office: Office) -> None:
    """Credential guessing with a stolen session (API2:2023)."""
    user, throttle = await office.user(), office.throttles[AttemptKind.LOGIN]
    for _ in range(3):
        with pytest.raises(InvalidCredentials):
            await request_address_change(
                office.desk, user_id=user.id, password="wrong", email="new@example.com", entry=office.entry()
            )
    assert len(throttle.attempts) == 3
    await request_address_change(
        office.desk, user_id=user.id, password=GOOD, email="new@example.com", entry=office.entry()
    )
    assert throttle.attempts == []
    throttle.wait = 30
    with pytest.raises(TooManyAttempts):
        await change_password(
            office.desk, user_id=user.id, session_id=None, current=GOOD, new=OTHER, entry=office.entry()
        )


async def test_somebody_without_a_password_sets_one_by_mail_first(office: Office) -> None:
    user = await office.user(password_hash=None)
    with pytest.raises(Forbidden):
        await request_address_change(
            office.desk, user_id=user.id, password="", email="new@example.com", entry=office.entry()
        )


async def test_an_address_changes_once_the_new_mailbox_is_proved_and_the_old_one_is_told(office: Office) -> None:
    user = await office.user()
    await asked(office, RequestKind.RESET_PASSWORD)
    old_link = office.token()
    await request_address_change(
        office.desk, user_id=user.id, password=GOOD, email="new@example.com", entry=office.entry()
    )
    confirm, warning = office.held.mails[-2:]
    assert (confirm.to, warning.to) == ("new@example.com", ADA)
    assert office.now(user) == user
    await confirm_address(office.desk, token=office.token(-2), entry=office.entry())
    assert (office.now(user).email, office.now(user).email_verified) == ("new@example.com", True)
    assert office.held.mails[-1].to == ADA
    # A link in the old mailbox opens nothing any more.
    with pytest.raises(InvalidLink):
        await reset_password(office.desk, token=old_link, password=OTHER, entry=office.entry())
    await asked(office, RequestKind.RESET_PASSWORD, "new@example.com")
    assert office.held.mails[-1].to == "new@example.com"


async def test_whether_an_address_is_taken_is_told_to_its_mailbox_alone(office: Office) -> None:
    """User enumeration by a change of address (ASVS 6.3.8)."""
    user, other = await office.user(), await office.user("grace@example.com")
    await request_address_change(office.desk, user_id=user.id, password=GOOD, email=other.email, entry=office.entry())
    with pytest.raises(AlreadyExists):
        await confirm_address(office.desk, token=office.token(-2), entry=office.entry())
    assert office.now(user) == user


async def test_changes_of_address_are_paced(office: Office) -> None:
    user = await office.user()
    for email, wait in (("b@example.com", 0), ("c@example.com", 60)):
        change = request_address_change(office.desk, user_id=user.id, password=GOOD, email=email, entry=office.entry())
        if not wait:
            await change
            continue
        with pytest.raises(TooManyAttempts) as refused:
            await change
        assert refused.value.retry_after_seconds == wait


async def test_a_name_changes_unless_somebody_was_faster(office: Office) -> None:
    user = await office.user(first_name="A", last_name="B")
    named = await update_name(
        office.desk, user_id=user.id, first_name=" Ada ", last_name=None, expected_version=1, entry=office.entry()
    )
    assert (named.first_name, named.last_name, named.version) == ("Ada", "B", 2)
    with pytest.raises(StaleVersion) as refused:
        await update_name(
            office.desk, user_id=user.id, first_name="X", last_name=None, expected_version=1, entry=office.entry()
        )
    assert refused.value.actual == 2
