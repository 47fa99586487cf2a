"""Who is invited, changed and sent away by administrators, and what stays? (P1, P2).

What each stops is named by OWASP ASVS 5 (V6: authentication) or API Top 10 2023.
"""

import pytest

from domain.errors import AlreadyExists, InvalidLink, LastAdministrator, NotFound
from domain.identity.administration import revoke_invitation
from domain.identity.admissions import AdmissionKind, RequestKind
from domain.identity.asking import register
from domain.identity.following import accept_invitation, reset_password, verify_address
from domain.identity.model import Role, Team
from domain.ids import new_id
from tests.account_fakes import BASE, GOOD, NOW, Office
from tests.unit.identity.accounts.ways import OTHER, asked, changed, invited, registered, registration


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
