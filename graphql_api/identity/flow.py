"""What does a sign-in at a provider remember while the browser is there? All of it, sealed in a cookie of ten minutes.

Nothing is stored at the start, so nobody can fill a table by beginning sign-ins. The cookie binds the sign-in to the
browser that began it: a link that carries somebody else's answer finds no cookie, or another's. That one comes back
twice is seen by its id, which is written down when it comes back.
"""

import base64
import binascii
import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from domain.ids import new_id
from persistence.sealing import CannotUnseal, Sealer

LIFE = timedelta(minutes=10)
TICKET_LIFE = timedelta(minutes=5)
COOKIE = "tocsin_flow"
MAX_COOKIE = 4000
MAX_RETURN = 500
_FLOW_PLACE = "federation.flow"
_TICKET_PLACE = "federation.ticket"
# A path of this server, and nothing a browser could read as another's: no `//`, no backslash, no control character.
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)

Kind = TypeVar("Kind", "Flow", "Ticket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A signed-in person's leave to link a provider, for the browser of that session alone."""

    id: UUID
    provider: str
    user_id: UUID
    session_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sign-in under way. With `session_id` it links; with `challenge` a program takes it over."""

    id: UUID
    provider: str
    state: str
    verifier: str
    expires_at: datetime
    nonce: str | None = None
    return_to: str = "/"
    challenge: str | None = None
    user_id: UUID | None = None
    session_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Envelopes:
    """Seals flows and tickets, so that a browser carries them and can neither read nor change them."""

    sealer: Sealer

    def seal_flow(self, flow: Flow) -> str:
        """The cookie's value."""
        return self._seal(flow, _FLOW_PLACE)

    def flow(self, text: str | None, *, provider: str, now: datetime) -> Flow | None:
        """The flow of a cookie that we made for this provider and that has not expired."""
        return self._open(text, Flow, _FLOW_PLACE, provider=provider, now=now)

    def seal_ticket(self, ticket: Ticket) -> str:
        """The text of a ticket."""
        return self._seal(ticket, _TICKET_PLACE)

    def ticket(self, text: str | None, *, provider: str, now: datetime) -> Ticket | None:
        """The ticket of a text that we made for this provider and that has not expired."""
        return self._open(text, Ticket, _TICKET_PLACE, provider=provider, now=now)

    def _seal(self, thing: Flow | Ticket, place: str) -> str:
        # An id that was read from the database is of the driver's own class.
        text = orjson.dumps(asdict(thing), default=str).decode()
        sealed = self.sealer.seal(text, column=place, row=thing.id)
        return base64.urlsafe_b64encode(thing.id.bytes + sealed).decode().rstrip("=")

    def _open(self, text: str | None, kind: type[Kind], place: str, *, provider: str, now: datetime) -> Kind | None:
        if not text or len(text) > MAX_COOKIE:
            return None
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            values = orjson.loads(self.sealer.unseal(raw[16:], column=place, row=UUID(bytes=raw[:16])))
        except (binascii.Error, ValueError, CannotUnseal):
            return None
        thing = kind(**{name: _typed(name, value) for name, value in values.items()})
        return thing if thing.provider == provider and now < thing.expires_at else None


def _typed(name: str, value: Any) -> Any:  # noqa: ANN401 - a value of JSON, and what it stands for
    if value is None:
        return None
    if name == "id" or name.endswith("_id"):
        return UUID(value)
    return datetime.fromisoformat(value) if name == "expires_at" else value


def new_ticket(*, provider: str, user_id: UUID, session_id: UUID, now: datetime) -> Ticket:
    """Leave to link, given now."""
    return Ticket(id=new_id(), provider=provider, user_id=user_id, session_id=session_id, expires_at=now + TICKET_LIFE)


def local_path(given: str | None) -> str | None:
    """A path on this server to go back to; None for anything that a browser could take for another place."""
    if given is None or len(given) > MAX_RETURN or not _LOCAL.fullmatch(given):
        return None
    parts = urlsplit(given)
    return None if parts.scheme or parts.netloc else given


def is_challenge(given: str) -> bool:
    """Whether it is the S256 form of a verifier."""
    return _CHALLENGE.fullmatch(given) is not None
