"""Who gets in by a mailed link, and what ends with a new password? (P1, P2).

What each stops is named by OWASP ASVS 5 (V6: authentication) or API Top 10 2023.
"""

import pytest

from domain.errors import InvalidLink, WeakPassword
from domain.identity.admissions import RequestKind
from domain.identity.asking import register
from domain.identity.following import accept_invitation, confirm_address, reset_password, verify_address
from domain.identity.model import Role, User
from domain.ids import new_id
from tests.account_fakes import BASE, NOW, Office
from tests.unit.identity.accounts.ways import ADA, OTHER, asked, registered, registration


async def test_a_person_whose_address_is_not_proved_can_prove_it(office: Office) -> None:
    user = await office.user()
    await asked(office, RequestKind.RESEND_VERIFICATION)
    await verify_address(office.desk, token=office.token(), password=None, entry=office.entry())
    assert office.now(user).email_verified
    office.later(hours=2)
    mails = len(office.held.mails)
    await asked(office, RequestKind.RESEND_VERIFICATION)
    assert len(office.held.mails) == mails  # nothing is left to verify


async def test_a_new_password_ends_every_session_and_every_link(office: Office) -> None:
    user = await office.user()
    await asked(office, RequestKind.RESET_PASSWORD)
    token = office.token()
    await asked(office, RequestKind.RESEND_VERIFICATION)
    await reset_password(office.desk, token=token, password=OTHER, entry=office.entry())
    changed = office.now(user)
    assert (changed.password_hash, changed.email_verified, changed.version) == (f"#{OTHER}", True, 2)
    assert office.held.ended == [(user.id, None)]
    assert office.held.tokens == {}
    assert office.held.mails[-1].subject == "Tocsin: your password was changed"
    with pytest.raises(InvalidLink):
        await reset_password(office.desk, token=token, password=OTHER, entry=office.entry())


async def test_a_weak_password_does_not_use_the_link_up(office: Office) -> None:
    await office.user()
    await asked(office, RequestKind.RESET_PASSWORD)
    with pytest.raises(WeakPassword) as refused:
        await reset_password(office.desk, token=office.token(), password="password1234", entry=office.entry())
    assert refused.value.suggestions == ("take another",)
    await reset_password(office.desk, token=office.token(), password=OTHER, entry=office.entry())


async def test_a_link_ends_by_time_by_a_newer_one_and_by_purpose(office: Office) -> None:
    user = await office.user()
    await asked(office, RequestKind.RESET_PASSWORD)
    first = office.token()
    office.later(minutes=2)
    await asked(office, RequestKind.RESET_PASSWORD)
    second = office.token()
    with pytest.raises(InvalidLink):
        await reset_password(office.desk, token=first, password=OTHER, entry=office.entry())
    with pytest.raises(InvalidLink):
        await verify_address(office.desk, token=second, password=None, entry=office.entry())
    with pytest.raises(InvalidLink):
        await confirm_address(office.desk, token=second, entry=office.entry())
    with pytest.raises(InvalidLink):
        await accept_invitation(
            office.desk, token=second, password=OTHER, first_name=None, last_name=None, entry=office.entry()
        )
    office.later(hours=1)
    with pytest.raises(InvalidLink):
        await reset_password(office.desk, token=second, password=OTHER, entry=office.entry())
    assert office.now(user) == user


@pytest.mark.parametrize("kind", list(RequestKind))
async def test_an_unknown_or_switched_off_person_gets_no_mail(office: Office, kind: RequestKind) -> None:
    await office.user(is_active=False)
    if kind is RequestKind.REGISTER:
        await registered_silently(office)
    else:
        await asked(office, kind)
        await asked(office, kind, "nobody@example.com")
    assert office.held.mails == []


async def registered_silently(office: Office) -> None:
    await register(office.desk, registration(), entry=office.entry())
    await office.answer_all()


async def test_whoever_forgot_that_they_only_registered_gets_that_link_again(office: Office) -> None:
    await registered(office)
    office.later(minutes=2)
    await asked(office, RequestKind.RESET_PASSWORD)
    assert f"{BASE}/account/verify#token=" in office.held.mails[-1].text


async def test_an_address_is_found_under_a_former_key(office: Office) -> None:
    user = User(id=new_id(), email=ADA, role=Role.VIEWER, created_at=NOW)
    async with office.unit() as unit:
        await unit.users.add(user, email_digest=office.desk.rules.digests(ADA)[1])
        await unit.commit()
    await asked(office, RequestKind.RESET_PASSWORD)
    assert office.held.mails[-1].to == ADA
