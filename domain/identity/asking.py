"""What may a stranger ask for? To register, for another verification mail, and for a new password.

Each request is checked for itself, kept as one row, and answered by mail later (answering.py). So the answer, the work
and the time are the same whether the address has an account or not: nobody learns it from here.
"""

from dataclasses import dataclass

from domain.access.throttle import AttemptKind
from domain.audit.model import AuditEntry
from domain.errors import Forbidden
from domain.identity.account_desk import AccountDesk
from domain.identity.addresses import checked_address
from domain.identity.admissions import AccountRequest, RequestKind
from domain.identity.model import MAX_PERSON_NAME
from domain.identity.passwords import checked_length, words_about
from domain.identity.people import checked_name
from domain.ids import new_id

_PACED_AS = {
    RequestKind.REGISTER: AttemptKind.REGISTRATION,
    RequestKind.RESEND_VERIFICATION: AttemptKind.REGISTRATION,
    RequestKind.RESET_PASSWORD: AttemptKind.RESET,
}
CLOSED = "this server is not open to registration: ask an administrator for an invitation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a stranger tells of themselves."""

    email: str
    password: str
    first_name: str = ""
    last_name: str = ""


async def register(desk: AccountDesk, asked: Registration, *, entry: AuditEntry) -> None:
    """Take in a registration. The person comes in by the link that is mailed, with the same password."""
    if not desk.is_open:
        raise Forbidden(CLOSED)
    email = checked_address(asked.email, "email")
    first = checked_name(asked.first_name, MAX_PERSON_NAME, "firstName", may_be_empty=True)
    last = checked_name(asked.last_name, MAX_PERSON_NAME, "lastName", may_be_empty=True)
    checked_length(asked.password, "password")
    await desk.pace(AttemptKind.REGISTRATION, email, entry.ip_address)
    about = words_about(email, first, last)
    password_hash = await desk.passwords.hashed(asked.password, about=about, path="password")
    await _keep(
        desk,
        AccountRequest(
            id=new_id(),
            kind=RequestKind.REGISTER,
            email=email,
            asked_at=desk.clock.now(),
            first_name=first,
            last_name=last,
            password_hash=password_hash,
            ip_address=entry.ip_address,
            request_id=entry.request_id,
        ),
        entry,
    )


async def ask(desk: AccountDesk, kind: RequestKind, *, email: str, entry: AuditEntry) -> None:
    """Take in a request for a mail."""
    email = checked_address(email, "email")
    await desk.pace(_PACED_AS[kind], email, entry.ip_address)
    request = AccountRequest(
        id=new_id(),
        kind=kind,
        email=email,
        asked_at=desk.clock.now(),
        ip_address=entry.ip_address,
        request_id=entry.request_id,
    )
    await _keep(desk, request, entry)


async def _keep(desk: AccountDesk, request: AccountRequest, entry: AuditEntry) -> None:
    async with desk.units() as unit:
        await unit.account_requests.add(request)
        await unit.audit.append(entry)
        await unit.commit()
