"""What does a test of accounts do again and again? Register, ask for a link, invite, change somebody."""

from dataclasses import replace

from domain.identity.administration import Invitation, change_person, invite
from domain.identity.admissions import RequestKind
from domain.identity.asking import Registration, ask, register
from domain.identity.model import Role, User
from domain.ids import new_id
from tests.account_fakes import GOOD, Office

OTHER = "copper lantern seven rivers"
ADA = "ada@example.com"


def registration(**more: str) -> Registration:
    """What Ada says of herself."""
    return Registration(**{"email": ADA, "password": GOOD, **more})


async def asked(office: Office, kind: RequestKind, email: str = ADA) -> None:
    """Somebody asked for a mail, and what was asked for was answered."""
    await ask(office.desk, kind, email=email, entry=office.entry())
    await office.answer_all()


async def registered(office: Office, **more: str) -> str:
    """She registered; the token of the link that was mailed."""
    await register(office.desk, registration(**more), entry=office.entry())
    await office.answer_all()
    return office.token()


async def invited(office: Office, **more: object) -> str:
    """Somebody was asked in; the token of the link that was mailed."""
    asked_in = Invitation(**{"email": ADA, "role": Role.OPERATOR, **more})  # type: ignore[arg-type] # its fields
    async with office.unit() as unit:
        await invite(office.desk, asked_in, unit=unit, invited_by=new_id(), entry=lambda _: office.entry())
        await unit.commit()
    return office.token()


async def changed(office: Office, user: User, **changes: object) -> User:
    """The person, as an administrator made them."""
    return await change_person(
        office.desk,
        user.id,
        lambda before: replace(before, **changes),  # type: ignore[arg-type] # names of fields
        expected_version=None,
        entry=lambda _before, _after: office.entry(),
    )
