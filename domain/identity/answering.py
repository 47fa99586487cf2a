"""How are strangers' requests answered? By mail to the address they named, or by nothing at all where there is no need.

A worker does it, after the request was answered: see asking.py. Mails to one address are paced, whoever asks for them.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry
from domain.identity.account_desk import AccountRules, find_user, issue_link
from domain.identity.account_ports import AccountUnit
from domain.identity.admissions import AccountRequest, Admission, AdmissionKind, RequestKind
from domain.identity.model import Role, User
from domain.identity.one_time import Purpose, fresh_link, wait_for_next
from domain.ids import new_id


async def answer(request: AccountRequest, *, unit: AccountUnit, rules: AccountRules, now: datetime) -> None:
    """Do what the request asks for, in the unit's transaction. The caller commits."""
    user = await find_user(request.email, unit=unit, rules=rules)
    if user is not None:
        user = await unit.users.locked(user.id)
    if user is not None:
        if user.is_active and await _answer_user(user, request, unit=unit, rules=rules, now=now):
            await unit.audit.append(_entry(request, now, user))
        return
    known = await unit.admissions.by_address(rules.digests(request.email))
    is_invited = known is not None and known.kind is AdmissionKind.INVITATION and now < known.expires_at
    if request.kind is RequestKind.REGISTER and not is_invited:
        await _register(request, known, unit=unit, rules=rules, now=now)
    elif known is not None and now < known.expires_at:
        await admit_again(known, unit=unit, rules=rules, now=now)


async def _answer_user(
    user: User, request: AccountRequest, *, unit: AccountUnit, rules: AccountRules, now: datetime
) -> bool:
    """Whether a mail was left for the person."""
    purpose = {
        RequestKind.REGISTER: Purpose.KNOWN_ADDRESS,
        RequestKind.RESEND_VERIFICATION: Purpose.VERIFY_ADDRESS,
        RequestKind.RESET_PASSWORD: Purpose.RESET_PASSWORD,
    }[request.kind]
    if purpose is Purpose.VERIFY_ADDRESS and user.email_verified_at is not None:
        return False
    link = await issue_link(user, purpose, unit=unit, rules=rules, now=now)
    if isinstance(link, timedelta):
        return False
    if purpose is Purpose.KNOWN_ADDRESS:
        await unit.mail.append(rules.letters.known_address(user))
    else:
        await unit.mail.append(rules.letters.link(purpose, link, to=user.email, user_id=user.id))
    return True


async def _register(
    request: AccountRequest, known: Admission | None, *, unit: AccountUnit, rules: AccountRules, now: datetime
) -> None:
    """Put the person at the door. An earlier registration of the address gives way, and its link with it."""
    if wait_for_next(known, now=now):
        return
    link = fresh_link(Purpose.REGISTRATION, lives=rules.lives.verification, now=now, before=known)
    admission = Admission(
        id=new_id(),
        kind=AdmissionKind.REGISTRATION,
        email=request.email,
        email_digest=rules.digests(request.email)[0],
        role=Role.VIEWER,
        digest=link.digest,
        issued_at=link.issued_at,
        expires_at=link.expires_at,
        issues=link.issues,
        first_name=request.first_name,
        last_name=request.last_name,
        password_hash=request.password_hash,
    )
    await unit.admissions.put(admission)
    await unit.mail.append(rules.letters.link(Purpose.REGISTRATION, link, to=admission.email))


async def admit_again(admission: Admission, *, unit: AccountUnit, rules: AccountRules, now: datetime) -> None:
    """Mail the person at the door a new link; the older one works no more."""
    if wait_for_next(admission, now=now):
        return
    purpose = admission.kind.purpose
    link = fresh_link(purpose, lives=rules.lives.of(purpose), now=now, before=admission)
    await unit.admissions.put(
        replace(
            admission,
            digest=link.digest,
            issued_at=link.issued_at,
            expires_at=link.expires_at,
            issues=link.issues,
        )
    )
    await unit.mail.append(rules.letters.link(purpose, link, to=admission.email))


def _entry(request: AccountRequest, now: datetime, user: User) -> AuditEntry:
    return AuditEntry(
        id=new_id(),
        occurred_at=now,
        actor_kind=ActorKind.SYSTEM,
        action="answerAccountRequest",
        ip_address=request.ip_address,
        target_kind="user",
        target_id=user.id,
        after={"asked": request.kind.value},
        request_id=request.request_id,
    )
