"""How is each mutation that succeeds looked for on the audit log? An API asks the log after every one."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from persistence.tables import audit_log
from tests.api import Api, Person
from tests.second_factors import Member

# What leaves no entry of its own, and why.
WITHOUT = {
    "previewSignal": "reads alone",
    "previewSchedule": "reads alone",
    "previewCalendarImport": "reads alone",
    "previewThresholdRule": "reads alone",
    "previewSilence": "reads alone",
    "previewTemplate": "reads alone",
    "previewPersonMessage": "reads alone",
    "testAlertRule": "reads alone",
    "testGroupRule": "reads alone",
    "previewMaintenanceWindow": "reads alone",
    "beginPasskeySignIn": "hands out a challenge: what is done with it is on the log",
    "beginPasskeyRegistration": "hands out a challenge: what is done with it is on the log",
    "beginPasskeyStepUp": "hands out a challenge: what is done with it is on the log",
    "refreshSession": "within ten seconds the same token gives the same successor, and changes nothing",
}
# A sign-in is one thing, by however many steps it is come to.
NAMED = {"completeLogin": "login", "finishPasskeySignIn": "login"}
SECRET_KEYS = {
    "password", "newPassword", "currentPassword", "token", "accessToken", "refreshToken", "deviceToken", "key",
    "secret", "totpCode", "code", "recoveryCode", "recoveryCodes", "challenge", "otpauthUri", "hmacSecret",
}  # fmt: skip
PERSONAL_KEYS = {"email", "confirmEmail", "firstName", "lastName"}
LEAST = 4


@dataclass
class WatchedApi(Api):
    """An API whose every mutation is looked for on the log."""

    shown: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    async def change(self, field: str, what: dict[str, Any], shown: str, *, who: Person | str | None) -> dict[str, Any]:
        """As the real one; a success must be on the log."""
        before = await self.newest()
        answer = await super().change(field, what, shown, who=who)
        self.hidden |= set(_hidden_in(what)) | set(_hidden_in(answer))
        if answer["__typename"].endswith("Success") and field not in WITHOUT:
            entries = await self.since(before)
            mine = [entry for entry in entries if entry.action == NAMED.get(field, field)]
            assert mine, f"{field} succeeded and left no entry; there are {[entry.action for entry in entries]}"
            assert all(entry.outcome == "done" and entry.request_id for entry in mine), mine
            assert who is None or all(entry.actor_id for entry in mine), mine
            self.shown[field] = "done"
        return answer

    async def newest(self) -> int:
        """The last entry's number."""
        async with self.engine.connect() as connection:
            return await connection.scalar(sa.select(sa.func.coalesce(sa.func.max(audit_log.c.seq), 0))) or 0

    async def since(self, number: int) -> list[Any]:
        """The entries after it."""
        async with self.engine.connect() as connection:
            statement = sa.select(audit_log).where(audit_log.c.seq > number).order_by(audit_log.c.seq)
            return list(await connection.execute(statement))


def _hidden_in(value: object, key: str = "") -> list[str]:
    """Every secret and every name or address in an input or an answer."""
    if isinstance(value, dict):
        return [found for name, one in value.items() for found in _hidden_in(one, name)]
    if isinstance(value, list):
        return [found for one in value for found in _hidden_in(one, key)]
    is_hidden = key in SECRET_KEYS | PERSONAL_KEYS and isinstance(value, str) and len(value) >= LEAST
    return [str(value)] if is_hidden and not str(value).isupper() else []


async def do(api: Api, who: Person | Member | str | None, mutation: str, shown: str = "__typename", **what: Any) -> Any:  # noqa: ANN401
    """One mutation that must succeed; what it shows."""
    token = who.token if isinstance(who, Person | Member) else who
    answer = await api.change(mutation, what, shown, who=token)
    assert answer["__typename"].endswith("Success"), (mutation, answer)
    return answer
