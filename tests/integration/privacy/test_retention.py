"""What is past its time goes, and what is not stays (T10; GDPR Art. 5 (1) e)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from domain.ids import new_id
from domain.mail.model import Mail, MailKind
from persistence.retention import PAST_EXPORTS, Retention, purge_expired
from persistence.tables import data_exports, identity_challenges, outgoing_mail, sessions
from persistence.unit_of_work import UnitOfWork
from tests.api import DAY, Api, Person

KEPT = Retention(rejected=30 * DAY, ended_sessions=10 * DAY, settled_mail=5 * DAY)


async def session_that(api: Api, person: Person, **ended: datetime) -> object:
    """A session of the person that ended so."""
    async with UnitOfWork(api.engine) as work:
        one = await work.sessions.locked(person.session_id)
        assert one is not None
        fresh = replace(one, id=new_id(), refresh_digest=new_id().bytes, **ended)  # type: ignore[arg-type]
        await work.sessions.add(fresh)
        await work.commit()
    return fresh.id


@pytest.mark.parametrize("how", ["revoked_at", "idle_expires_at", "expires_at"])
async def test_an_ended_session_goes_however_it_ended(api: Api, how: str) -> None:
    person = await api.person(Role.VIEWER)
    now = api.clock.now()
    old = await session_that(api, person, **{how: now - 11 * DAY})
    young = await session_that(api, person, **{how: now - 9 * DAY})
    assert await purge_expired(api.engine, kept=KEPT, now=now) == 1
    async with api.engine.connect() as connection:
        left = set(await connection.scalars(sa.select(sessions.c.id)))
    assert left == {young, person.session_id}
    assert old not in left


async def test_mail_that_left_is_forgotten_after_its_days(api: Api) -> None:
    now = api.clock.now()
    async with UnitOfWork(api.engine) as work:
        for _ in range(2):
            await work.mail.append(
                Mail(to="ada@example.com", subject="A word", text="or two", kind=MailKind.SECURITY_NOTICE)
            )
        await work.commit()
    async with api.engine.begin() as connection:
        ids = list(await connection.scalars(sa.select(outgoing_mail.c.id)))
        for id_, age in zip(ids, (timedelta(days=6), timedelta(days=4)), strict=True):
            sent = sa.update(outgoing_mail).where(outgoing_mail.c.id == id_)
            await connection.execute(sent.values(sent_at=now - age))
    assert await purge_expired(api.engine, kept=KEPT, now=now) == 1


async def test_that_there_was_an_export_is_forgotten_in_the_end(api: Api) -> None:
    person = await api.person(Role.VIEWER)
    now = api.clock.now()
    rows = [
        {
            "id": new_id(),
            "user_id": person.id,
            "requested_by": person.id,
            "requested_at": now - 100 * DAY,
            "state": state,
            "finished_at": now - PAST_EXPORTS - age,
        }
        for state, age in (("expired", DAY), ("failed", DAY), ("expired", -DAY), ("ready", DAY))
    ]
    async with api.engine.begin() as connection:
        await connection.execute(sa.insert(data_exports), rows)
    assert await purge_expired(api.engine, kept=KEPT, now=now) == 2


async def test_the_settings_decide(api: Api) -> None:
    changed = api.settings.model_copy(update={"ended_session_retention_days": 3, "sent_mail_retention_days": 2})
    kept = Retention.of(changed)
    assert (kept.ended_sessions, kept.settled_mail, kept.rejected) == (3 * DAY, 2 * DAY, 30 * DAY)


async def test_a_proof_that_was_begun_and_never_given_goes_when_its_minutes_are_over(api: Api) -> None:
    await api.change("beginPasskeySignIn", {}, "__typename", who=None)
    now = api.clock.now()
    assert await purge_expired(api.engine, kept=KEPT, now=now) == 0
    assert await purge_expired(api.engine, kept=KEPT, now=now + timedelta(hours=1)) == 1
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(identity_challenges)) == 0
