"""What links, people at the door and accounts promise, whichever the store: dictionaries or PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.identity.account_ports import AccountUnit
from domain.identity.admissions import Admission, AdmissionKind
from domain.identity.model import Role, User
from domain.identity.one_time import OneTimeToken, Purpose
from domain.ids import new_id
from persistence.engine import create_engine
from persistence.unit_of_work import UnitOfWork
from tests.account_fakes import NOW, FakeUnit, Held
from tests.api import api_settings

LATER = NOW + timedelta(hours=1)


@dataclass
class Store:
    """Begins units of one store or the other."""

    open: Callable[[], AccountUnit]

    async def user(self, **more: Any) -> User:  # noqa: ANN401 - fields of a person
        user = User(id=new_id(), email="ada@example.com", created_at=NOW, **{"role": Role.VIEWER, **more})
        async with self.open() as unit:
            assert await unit.users.add(user, email_digest=user.id.bytes)
            await unit.commit()
        return user


@pytest.fixture(params=["dictionaries", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """A database; none where dictionaries do."""
    return None if request.param == "dictionaries" else str(request.getfixturevalue("application_url"))


@pytest.fixture
async def store(url: str | None, tmp_path: Path) -> AsyncIterator[Store]:
    if url is None:
        held = Held()
        yield Store(lambda: FakeUnit(held))
        return
    engine = create_engine(api_settings(url, tmp_path), pool_size=2)
    yield Store(lambda: UnitOfWork(engine))
    await engine.dispose()


def token(user_id: UUID, digest: bytes, **more: Any) -> OneTimeToken:  # noqa: ANN401 - fields of a token
    values = {"purpose": Purpose.RESET_PASSWORD, "issued_at": NOW, "expires_at": LATER, **more}
    return OneTimeToken(user_id=user_id, digest=digest, **values)


def admission(digest: bytes, **more: Any) -> Admission:  # noqa: ANN401 - fields of an admission
    values = {
        "kind": AdmissionKind.REGISTRATION,
        "email": "ada@example.com",
        "email_digest": b"ada",
        "role": Role.VIEWER,
        "issued_at": NOW,
        "expires_at": LATER,
        "first_name": "Ada",
        "password_hash": "#x",
        **more,
    }
    return Admission(id=new_id(), digest=digest, **values)


async def test_a_link_is_found_until_it_is_too_old_and_used_once(store: Store) -> None:
    user = await store.user()
    kept = token(user.id, b"one", new_address="new@example.com", issues=3)
    async with store.open() as unit:
        await unit.one_time_tokens.put(kept)
        await unit.commit()
    async with store.open() as unit:
        links = unit.one_time_tokens
        assert await links.issued(user.id, Purpose.RESET_PASSWORD) == kept
        assert await links.issued(user.id, Purpose.VERIFY_ADDRESS) is None
        assert await links.find(b"one", now=NOW) == kept
        assert await links.find(b"one", now=LATER) is None
        assert await links.find(b"two", now=NOW) is None
        assert await links.use(b"one", now=LATER) is None
        assert await links.use(b"one", now=NOW) == kept
        assert await links.use(b"one", now=NOW) is None


async def test_what_is_not_committed_uses_nothing_up(store: Store) -> None:
    user = await store.user()
    async with store.open() as unit:
        await unit.one_time_tokens.put(token(user.id, b"one"))
        await unit.commit()
    async with store.open() as unit:
        assert await unit.one_time_tokens.use(b"one", now=NOW)
    async with store.open() as unit:
        assert await unit.one_time_tokens.use(b"one", now=NOW)


async def test_a_newer_link_of_the_purpose_takes_the_place_of_the_older(store: Store) -> None:
    user = await store.user()
    async with store.open() as unit:
        links = unit.one_time_tokens
        await links.put(token(user.id, b"one", new_address="old@example.com"))
        await links.put(token(user.id, b"other", purpose=Purpose.VERIFY_ADDRESS))
        newer = token(user.id, b"two", issued_at=LATER, expires_at=LATER + timedelta(hours=1))
        await links.put(newer)
        assert await links.find(b"one", now=NOW) is None
        assert await links.find(b"two", now=NOW) == newer
        assert await links.find(b"other", now=NOW)
        await links.void(user.id)
        assert await links.find(b"two", now=NOW) is None
        assert await links.find(b"other", now=NOW) is None


async def test_one_person_an_address_is_at_the_door(store: Store) -> None:
    first, second = admission(b"one"), admission(b"two", kind=AdmissionKind.INVITATION, password_hash=None)
    async with store.open() as unit:
        door = unit.admissions
        await door.put(first)
        assert await door.by_address([b"former", b"ada"]) == first
        await door.put(second)
        assert await door.by_address([b"ada"]) == second
        assert await door.find(b"one", now=NOW) is None
        assert await door.find(b"two", now=LATER) is None
        assert await door.by_address([b"grace"]) is None
        assert await door.use(b"two", now=NOW) == second
        assert await door.use(b"two", now=NOW) is None
        await door.put(first)
        assert await door.remove(second.id) is None
        assert await door.remove(first.id) == first
        assert await door.by_address([b"ada"]) is None


async def test_an_account_is_saved_and_an_address_belongs_to_one(store: Store) -> None:
    ada, grace = await store.user(), await store.user()
    async with store.open() as unit:
        locked = await unit.users.locked(ada.id)
        assert locked == ada
        changed = ada.edited(
            email="a@example.com", first_name="A", role=Role.ADMIN, password_hash="#y", email_verified_at=NOW
        )
        assert await unit.users.save(changed, email_digest=b"a")
        assert await unit.users.by_id(ada.id) == changed
        assert await unit.users.by_email(b"a") == changed
        assert await unit.users.by_email(ada.id.bytes) is None
        # The other's is not taken away, and the transaction goes on.
        assert not await unit.users.save(changed.edited(email="g@example.com"), email_digest=grace.id.bytes)
        assert await unit.users.by_id(ada.id) == changed
        assert await unit.users.save(replace(grace, is_active=False))
        found = await unit.users.by_id(grace.id)
        assert found is not None
        assert not found.is_active


async def test_another_administrator_is_one_who_may_sign_in(store: Store) -> None:
    first = await store.user(role=Role.ADMIN)
    async with store.open() as unit:
        await unit.users.lock_administrators()
        assert not await unit.users.other_administrator(first.id)
        await unit.commit()
    second = await store.user(role=Role.ADMIN, is_active=False)
    async with store.open() as unit:
        assert not await unit.users.other_administrator(first.id)
        await unit.users.save(replace(second, is_active=True))
        assert await unit.users.other_administrator(first.id)
        assert await unit.users.other_administrator(second.id)
