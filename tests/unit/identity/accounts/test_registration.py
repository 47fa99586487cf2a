"""Does registering make nobody before the mailbox is proved, and tell nobody who is here? (P1, P2).

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
    TooManyAttempts,
    WeakPassword,
)
from domain.identity.admissions import RequestKind
from domain.identity.asking import ask, register
from domain.identity.following import verify_address
from domain.identity.model import Role
from domain.mail.model import MailKind
from tests.account_fakes import BASE, GOOD, Office
from tests.unit.identity.accounts.ways import ADA, OTHER, registered, registration


async def test_a_registration_makes_nobody_until_the_mailbox_and_the_password_are_proved(office: Office) -> None:
    """Pre-hijacking: registering with somebody else's address waits for ever (ASVS 6.3, 6.4)."""
    token = await registered(office, first_name="Ada")
    assert office.held.users == {}
    with pytest.raises(InvalidInput) as refused:
        await verify_address(office.desk, token=token, password=None, entry=office.entry())
    assert refused.value.path == ("password",)
    with pytest.raises(InvalidCredentials):
        await verify_address(office.desk, token=token, password=OTHER, entry=office.entry())
    user = await verify_address(office.desk, token=token, password=GOOD, entry=office.entry())
    assert (user.email, user.role, user.first_name, user.email_verified) == (ADA, Role.VIEWER, "Ada", True)
    assert office.held.audit[-1].actor_id == user.id
    with pytest.raises(InvalidLink):
        await verify_address(office.desk, token=token, password=GOOD, entry=office.entry())


async def test_a_closed_server_takes_no_registration(office: Office) -> None:
    with pytest.raises(Forbidden):
        await register(office.closed(), registration(), entry=office.entry())
    assert office.held.requests == []


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"email": "no address"}, InvalidInput),
        ({"password": "short"}, InvalidInput),
        ({"password": "password1234"}, WeakPassword),
        ({"password": "i am ada indeed"}, WeakPassword),
        ({"first_name": "two\nlines"}, InvalidInput),
    ],
)
async def test_what_is_refused_is_refused_before_anything_is_looked_up(
    office: Office, more: dict[str, str], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await register(office.desk, registration(**more), entry=office.entry())
    assert office.held.requests == []


async def test_a_known_address_is_told_by_mail_and_nothing_changes(office: Office) -> None:
    user = await office.user()
    await register(office.desk, registration(password=OTHER), entry=office.entry())
    await office.answer_all()
    (mail,) = office.held.mails
    assert (mail.to, mail.kind) == (ADA, MailKind.SECURITY_NOTICE)
    assert "#token=" not in mail.text
    assert office.now(user) == user
    assert office.held.admissions == {}


async def test_the_same_work_is_done_for_a_known_and_an_unknown_address(office: Office) -> None:
    """User enumeration by work (ASVS 6.3.8): what a request does differs in the address alone."""
    await office.user()
    seen = []
    for email in (ADA, "nobody@example.com"):
        before = office.hasher.hashed
        await register(office.desk, registration(email=email), entry=office.entry())
        for kind in RequestKind:
            if kind is not RequestKind.REGISTER:
                await ask(office.desk, kind, email=email, entry=office.entry())
        requests, office.held.requests = office.held.requests, []
        seen.append((office.hasher.hashed - before, [(one.kind, bool(one.password_hash)) for one in requests]))
    assert seen[0] == seen[1]
    assert office.held.mails == []


async def test_a_newer_registration_takes_the_place_of_the_older_and_its_link(office: Office) -> None:
    first = await registered(office, password=OTHER)
    office.later(minutes=2)
    second = await registered(office)
    with pytest.raises(InvalidLink):
        await verify_address(office.desk, token=first, password=OTHER, entry=office.entry())
    assert (await verify_address(office.desk, token=second, password=GOOD, entry=office.entry())).email == ADA


async def test_nobodys_mailbox_can_be_filled(office: Office) -> None:
    """Unrestricted access to sensitive business flows (API6:2023): mails to one address are paced."""
    await office.user("grace@example.com")
    for _ in range(60):
        for email in (ADA, "grace@example.com"):
            await register(office.desk, registration(email=email), entry=office.entry())
            for kind in (RequestKind.RESET_PASSWORD, RequestKind.RESEND_VERIFICATION):
                await ask(office.desk, kind, email=email, entry=office.entry())
        await office.answer_all()
        office.later(minutes=1)
    to_stranger = [mail for mail in office.held.mails if mail.to == ADA]
    assert len(to_stranger) <= 7
    assert len(office.held.mails) - len(to_stranger) <= 3 * 7


async def test_who_asks_too_often_is_held_up_alike_for_every_address(office: Office) -> None:
    await office.user()
    office.throttles[AttemptKind.RESET].wait = 60
    for email in (ADA, "nobody@example.com"):
        with pytest.raises(TooManyAttempts) as refused:
            await ask(office.desk, RequestKind.RESET_PASSWORD, email=email, entry=office.entry())
        assert refused.value.retry_after_seconds == 60
    assert office.held.requests == []


async def test_a_mail_to_a_stranger_holds_nothing_that_a_stranger_typed(office: Office) -> None:
    await registered(office, first_name="WIN at http://evil.example", last_name="<b>click</b>")
    (mail,) = office.held.mails
    assert "evil" not in mail.text + (mail.html or "") + mail.subject
    assert "click" not in mail.text + (mail.html or "")
    assert f"{BASE}/account/verify#token=" in mail.text


async def test_an_address_that_was_taken_meanwhile_is_not_given_twice(office: Office) -> None:
    token = await registered(office)
    await office.user()
    with pytest.raises(AlreadyExists):
        await verify_address(office.desk, token=token, password=GOOD, entry=office.entry())
