"""The rules of accounts over dictionaries: links, registration, recovery, one's own account, administration (P1, P2).

What each stops is named by OWASP ASVS 5 (V6: authentication) or API Top 10 2023.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access.throttle import AttemptKind
from domain.errors import (
    AlreadyExists,
    Forbidden,
    InvalidCredentials,
    InvalidInput,
    InvalidLink,
    LastAdministrator,
    NotFound,
    StaleVersion,
    TooManyAttempts,
    WeakPassword,
)
from domain.identity.administration import Invitation, change_person, invite, revoke_invitation
from domain.identity.admissions import AdmissionKind, RequestKind
from domain.identity.asking import Registration, ask, register
from domain.identity.following import accept_invitation, confirm_address, reset_password, verify_address
from domain.identity.model import Role, Team, User
from domain.identity.one_time import (
    FIRST_WAIT,
    LONGEST_WAIT,
    OneTimeToken,
    Purpose,
    fresh_link,
    new_token,
    token_digest,
    wait_for_next,
)
from domain.identity.own_account import change_password, request_address_change, update_name
from domain.ids import new_id
from domain.mail.model import MailKind
from tests.account_fakes import BASE, GOOD, NOW, Office

OTHER = "copper lantern seven rivers"
ADA = "ada@example.com"


@pytest.fixture
def office() -> Office:
    return Office()


def registration(**more: str) -> Registration:
    return Registration(**{"email": ADA, "password": GOOD, **more})


async def asked(office: Office, kind: RequestKind, email: str = ADA) -> None:
    await ask(office.desk, kind, email=email, entry=office.entry())
    await office.answer_all()


async def registered(office: Office, **more: str) -> str:
    await register(office.desk, registration(**more), entry=office.entry())
    await office.answer_all()
    return office.token()


# --- Links ------------------------------------------------------------------------------------------------------


def test_a_token_holds_256_bits_of_chance_and_only_its_digest_tells() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(len(token) == len("tco_") + 43 for token in tokens)


@given(st.sampled_from(list(Purpose)), st.sampled_from(list(Purpose)), st.text(max_size=200))
def test_a_link_for_one_thing_opens_nothing_else(one: Purpose, other: Purpose, text: str) -> None:
    assert (token_digest(text, one) == token_digest(text, other)) == (one is other)


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_who_asks_again_waits_longer_up_to_a_bound(issues: int, seconds: int) -> None:
    token = OneTimeToken(
        user_id=UUID(int=1),
        purpose=Purpose.RESET_PASSWORD,
        digest=b"",
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=3),
        issues=issues,
    )
    now = NOW + timedelta(seconds=seconds)
    wait = wait_for_next(token, now=now)
    assert timedelta() <= wait <= LONGEST_WAIT
    if now >= token.expires_at:
        assert not wait
    if wait:
        assert now + wait - NOW >= FIRST_WAIT


def test_the_count_goes_on_while_the_link_lives_and_begins_anew_after() -> None:
    first = fresh_link(Purpose.RESET_PASSWORD, lives=timedelta(hours=1), now=NOW, before=None)
    second = fresh_link(Purpose.RESET_PASSWORD, lives=timedelta(hours=1), now=NOW, before=first)
    after = fresh_link(Purpose.RESET_PASSWORD, lives=timedelta(hours=1), now=NOW + timedelta(hours=1), before=second)
    assert [link.issues for link in (first, second, after)] == [1, 2, 1]
    assert first.token != second.token


# --- Registration -----------------------------------------------------------------------------------------------


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


# --- Verification and recovery ----------------------------------------------------------------------------------


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


# --- One's own account ------------------------------------------------------------------------------------------


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


# --- Administration ---------------------------------------------------------------------------------------------


async def invited(office: Office, **more: object) -> str:
    asked_in = Invitation(**{"email": ADA, "role": Role.OPERATOR, **more})  # type: ignore[arg-type] # its fields
    async with office.unit() as unit:
        await invite(office.desk, asked_in, unit=unit, invited_by=new_id(), entry=lambda _: office.entry())
        await unit.commit()
    return office.token()


async def test_an_invited_person_comes_in_with_a_password_of_their_own(office: Office) -> None:
    team = Team(id=new_id(), name="Core", slug="core", created_at=NOW)
    office.held.teams[team.id] = team
    token = await invited(office, team_id=team.id, first_name="Ada")
    assert office.held.users == {}
    user = await accept_invitation(
        office.desk, token=token, password=GOOD, first_name=None, last_name="Lovelace", entry=office.entry()
    )
    assert (user.role, user.first_name, user.last_name, user.team_id) == (Role.OPERATOR, "Ada", "Lovelace", team.id)
    assert [(one.team_id, one.user_id) for one in office.held.members] == [(team.id, user.id)]
    with pytest.raises(InvalidLink):
        await accept_invitation(
            office.desk, token=token, password=GOOD, first_name=None, last_name=None, entry=office.entry()
        )


async def test_an_archived_team_takes_nobody_in(office: Office) -> None:
    team = Team(id=new_id(), name="Core", slug="core", created_at=NOW)
    office.held.teams[team.id] = team
    token = await invited(office, team_id=team.id)
    del office.held.teams[team.id]
    user = await accept_invitation(
        office.desk, token=token, password=GOOD, first_name=None, last_name=None, entry=office.entry()
    )
    assert (user.team_id, office.held.members) == (None, [])


async def test_a_stranger_cannot_take_an_invitation_away(office: Office) -> None:
    """Registering with an invited address only sends the invitation again; the role stays the administrator's word."""
    await invited(office)
    office.later(minutes=2)
    await register(office.desk, registration(password=OTHER), entry=office.entry())
    await office.answer_all()
    (admission,) = office.held.admissions.values()
    assert (admission.kind, admission.role, admission.password_hash) == (AdmissionKind.INVITATION, Role.OPERATOR, None)
    assert f"{BASE}/account/invitation#token=" in office.held.mails[-1].text
    user = await accept_invitation(
        office.desk, token=office.token(), password=GOOD, first_name=None, last_name=None, entry=office.entry()
    )
    assert user.role is Role.OPERATOR


async def test_an_invitation_replaces_a_registration_and_its_password(office: Office) -> None:
    link = await registered(office, password=OTHER)
    token = await invited(office)
    with pytest.raises(InvalidLink):
        await verify_address(office.desk, token=link, password=OTHER, entry=office.entry())
    user = await accept_invitation(
        office.desk, token=token, password=GOOD, first_name=None, last_name=None, entry=office.entry()
    )
    assert user.password_hash == f"#{GOOD}"


async def test_an_invitation_is_refused_or_taken_back(office: Office) -> None:
    await office.user("grace@example.com")
    with pytest.raises(AlreadyExists):
        await invited(office, email="GRACE@example.com")
    with pytest.raises(NotFound):
        await invited(office, team_id=new_id())
    token = await invited(office)
    (admission,) = office.held.admissions.values()
    await revoke_invitation(office.desk, admission.id, entry=office.entry())
    with pytest.raises(InvalidLink):
        await accept_invitation(
            office.desk, token=token, password=GOOD, first_name=None, last_name=None, entry=office.entry()
        )
    with pytest.raises(NotFound):
        await revoke_invitation(office.desk, admission.id, entry=office.entry())


async def changed(office: Office, user: User, **changes: object) -> User:
    return await change_person(
        office.desk,
        user.id,
        lambda before: replace(before, **changes),  # type: ignore[arg-type] # names of fields
        expected_version=None,
        entry=lambda _before, _after: office.entry(),
    )


async def test_the_last_administrator_stays(office: Office) -> None:
    admin = await office.user(role=Role.ADMIN)
    gone = await office.user("gone@example.com", role=Role.ADMIN, is_active=False)
    for change in ({"role": Role.MANAGER}, {"is_active": False}):
        with pytest.raises(LastAdministrator):
            await changed(office, admin, **change)
    await changed(office, gone, is_active=True)
    await changed(office, admin, role=Role.MANAGER)
    with pytest.raises(LastAdministrator):
        await changed(office, gone, role=Role.VIEWER)


async def test_whoever_is_sent_away_is_signed_out_and_their_links_are_dead(office: Office) -> None:
    user = await office.user()
    await asked(office, RequestKind.RESET_PASSWORD)
    await changed(office, user, is_active=False)
    assert (office.held.ended, office.held.tokens) == ([(user.id, None)], {})
    with pytest.raises(InvalidLink):
        await reset_password(office.desk, token=office.token(), password=OTHER, entry=office.entry())
    assert (await changed(office, user, is_active=True)).is_active


async def test_a_new_role_is_told_by_mail_and_the_same_one_is_not(office: Office) -> None:
    user = await office.user()
    audit = len(office.held.audit)
    assert await changed(office, user, role=Role.VIEWER) == user
    assert (office.held.mails, len(office.held.audit)) == ([], audit)
    await changed(office, user, role=Role.OPERATOR)
    (mail,) = office.held.mails
    assert "you are an operator now" in mail.text


async def test_a_link_says_how_long_it_works(office: Office) -> None:
    await office.user()
    await asked(office, RequestKind.RESET_PASSWORD)
    assert "works once, and for one hour" in office.held.mails[-1].text
    await invited(office, email="new@example.com")
    assert "for 7 days" in office.held.mails[-1].text
    assert office.held.mails[-1].expires_at == office.clock.now() + timedelta(days=7)
