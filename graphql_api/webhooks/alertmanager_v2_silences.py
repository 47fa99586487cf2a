"""How does amtool make, change, list and end silences? `/api/v2/silences` and `/api/v2/silence/{id}`.

An integration's key sees and makes silences of its own integration only.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from domain.alerts.events import Actor, ActorKind
from domain.errors import InvalidInput, NotFound
from domain.integrations.model import Integration
from domain.silences.actions import create_silence, expire_silence, update_silence
from domain.silences.changing import Silencing
from domain.silences.drafts import SilenceDraft
from domain.silences.matchers import LabelMatcher, matchers_from_json
from graphql_api.webhooks.alertmanager_v2_shapes import gettable_silence, silence_fits, sorted_silences
from graphql_api.webhooks.diagnosis import ItemError
from graphql_api.webhooks.exchange import Exchange
from graphql_api.webhooks.fields import moment
from graphql_api.webhooks.intake import DoorState
from graphql_api.webhooks.refusal import Refusal
from persistence.silence_work import SilenceUnitOfWork
from persistence.silences import listed_silences

# Alertmanager's own default: how long an ended silence stays in the list.
RETENTION = timedelta(hours=120)
MAX_BYTES = 256 * 1024
_REQUIRED = ("comment", "createdBy", "endsAt", "matchers", "startsAt")
# The codes of Alertmanager's own validation.
REQUIRED, TOO_FEW, WRONG_TYPE = 602, 612, 601


class Silences:
    """The silences of the integration that asks."""

    def __init__(self, state: DoorState) -> None:
        self._state = state

    async def list_all(self, integration: Integration, filters: tuple[LabelMatcher, ...]) -> list[dict[str, Any]]:
        """Those that stand, and those that ended lately."""
        now = self._state.clock.now()
        async with self._state.engine.connect() as connection:
            found = await listed_silences(connection, integration_id=integration.id, ended_after=now - RETENTION)
        fitting = [silence for silence in found if silence_fits(silence, filters)]
        return [gettable_silence(silence, now) for silence in sorted_silences(fitting, now)]

    async def get(self, integration: Integration, silence_id: str) -> dict[str, Any]:
        """One of them; Refusal 404."""
        wanted = _id_of(silence_id)
        now = self._state.clock.now()
        async with self._state.engine.connect() as connection:
            found = await listed_silences(
                connection, integration_id=integration.id, ended_after=now - RETENTION, silence_id=wanted
            )
        if not found:
            raise Refusal(404, "NOT_FOUND", "silence not found")
        return gettable_silence(found[0], now)

    async def post(self, exchange: Exchange, integration: Integration) -> dict[str, str]:
        """Make one, or change the one whose id is given."""
        value = _decoded(await exchange.body(limit=MAX_BYTES))
        silencing = self._silencing(exchange, integration)
        longest = self._state.settings.silence_max_duration
        try:
            draft = _draft(value, silencing.clock.now())
            given = value.get("id")
            if given:
                silence = await update_silence(silencing, _known_id(given), draft, max_duration=longest)
            else:
                silence = await create_silence(silencing, draft, max_duration=longest)
        except InvalidInput as error:
            raise Refusal(400, "INVALID_PAYLOAD", error.message, tuple(error.path)) from None
        except NotFound:
            raise Refusal(404, "NOT_FOUND", "silence not found") from None
        return {"silenceID": str(silence.id)}

    async def expire(self, exchange: Exchange, integration: Integration, silence_id: str) -> None:
        """End one now; ended ones stay as they are."""
        try:
            await expire_silence(self._silencing(exchange, integration), _id_of(silence_id))
        except NotFound:
            raise Refusal(404, "NOT_FOUND", "silence not found") from None

    def _silencing(self, exchange: Exchange, integration: Integration) -> Silencing:
        return Silencing(
            actor=Actor(ActorKind.INTEGRATION, integration.id),
            integration_id=integration.id,
            clock=self._state.clock,
            open=lambda: SilenceUnitOfWork(self._state.engine),
            request_id=str(exchange.receipt_id),
            ip_address=exchange.ip_address,
        )


def _id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        message = f"silenceID in path must be of type uuid: {text[:100]!r}"
        raise Refusal(422, str(WRONG_TYPE), message) from None


def _known_id(value: object) -> UUID:
    """An id within a body: one that can be nobody's is not found, as in Alertmanager."""
    try:
        return UUID(str(value))
    except ValueError:
        raise NotFound("silence not found", ("id",)) from None


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "400", f'parsing silence body from "" failed, because {error}') from None
    if not isinstance(value, dict):
        raise Refusal(400, "400", 'parsing silence body from "" failed, because it is not an object')
    for name in _REQUIRED:
        if value.get(name) is None:
            raise Refusal(422, str(REQUIRED), f"{name} in body is required", (name,))
    if value["matchers"] == []:
        raise Refusal(422, str(TOO_FEW), "matchers in body should have at least 1 items", ("matchers",))
    return value


def _draft(value: dict[str, Any], now: datetime) -> SilenceDraft:
    times = {}
    for name in ("startsAt", "endsAt"):
        try:
            times[name] = moment(value[name], (name,))
        except ItemError as error:
            raise Refusal(400, "400", f'parsing silence body from "" failed, because {name} {error.message}') from None
    for name in ("createdBy", "comment"):
        if not isinstance(value[name], str):
            raise Refusal(422, str(WRONG_TYPE), f"{name} in body must be of type string", (name,))
    ends_at = times["endsAt"]
    if ends_at is None:
        raise InvalidInput("invalid zero end timestamp", ("endsAt",))
    return SilenceDraft(
        matchers=matchers_from_json(value["matchers"]),
        starts_at=times["startsAt"] or now,
        ends_at=ends_at,
        created_by=value["createdBy"],
        comment=value["comment"],
    )
