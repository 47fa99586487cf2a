"""How does an integration come to be, change, get a new key, and end? Checked, versioned, and on the audit log.

A private team's integrations are there for its members and administrators only, and nobody gives alerts to a team they
do not see. A secret leaves these functions once, in the answer that made it; what is kept and audited never holds one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.audit.writing import WriteAudit
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.integrations.keys import SHOWN_CHARACTERS, IntegrationKey, key_digest, new_secret
from domain.integrations.mapping import MappingEngine, validate_mapping
from domain.integrations.model import OWN_SOURCES, FieldMapping, Integration, IntegrationSource
from domain.integrations.ports import Integrations
from domain.text import check_storable, checked_text
from domain.versions import require_version

MAX_NAME = 100
MAX_SEVERITY_WORDS = 100
MAX_SEVERITY_WORD = 100
MIN_HMAC_SECRET, MAX_HMAC_SECRET = 8, 1_000
MAX_OVERLAP = timedelta(days=30)
# Beside the new one. Two live keys are the rule; more only when keys are rotated faster than they run out.
MAX_OLD_KEYS = 3
NO_SUCH = "no such integration"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIntegration:
    """An integration to be made."""

    name: str
    source: IntegrationSource
    default_team_id: UUID | None = None
    severity_map: Mapping[str, Severity] | None = None
    mapping: FieldMapping | None = None
    hmac_secret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """A key that was just made. `secret` is shown once and kept nowhere."""

    integration: Integration
    secret: str
    key: IntegrationKey


def check_integration(integration: Integration, engine: MappingEngine | None) -> Integration:
    """The integration with its fields tidied; InvalidInput names the first that is wrong."""
    if integration.source in OWN_SOURCES:
        message = f"{integration.source} alerts need no integration"
        raise InvalidInput(message, ("source",))
    if integration.mapping is not None:
        if engine is None:
            message = "no mapping can be checked here"
            raise InvalidInput(message, ("mapping",))
        _check_mapping(integration.mapping, integration.source, engine)
    secret = integration.hmac_secret
    if secret is not None:
        check_storable(secret, path=("hmacSecret",))
        if not MIN_HMAC_SECRET <= len(secret) <= MAX_HMAC_SECRET:
            message = f"a shared secret has {MIN_HMAC_SECRET} to {MAX_HMAC_SECRET} characters"
            raise InvalidInput(message, ("hmacSecret",))
    return replace(
        integration,
        name=checked_text(integration.name, path=("name",), limit=MAX_NAME),
        severity_map=_checked_severities(integration.severity_map),
    )


def _check_mapping(mapping: FieldMapping, source: IntegrationSource, engine: MappingEngine) -> None:
    if source is not IntegrationSource.GENERIC:
        message = "only the generic source reads by a mapping; the other formats are known"
        raise InvalidInput(message, ("mapping",))
    for fault in validate_mapping(mapping, engine):
        place = f" (line {fault.line}, column {fault.column})" if fault.line is not None else ""
        raise InvalidInput(f"{fault.message}{place}", ("mapping", *(_camel(part) for part in fault.path)))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _checked_severities(words: Mapping[str, Severity]) -> dict[str, Severity]:
    if len(words) > MAX_SEVERITY_WORDS:
        message = f"at most {MAX_SEVERITY_WORDS} words can be mapped"
        raise InvalidInput(message, ("severityMap",))
    return {
        checked_text(word, path=("severityMap", "word"), limit=MAX_SEVERITY_WORD).lower(): severity
        for word, severity in words.items()
    }


async def create_integration(
    new: NewIntegration,
    *,
    stores: Integrations,
    engine: MappingEngine | None,
    created_by: UUID | None,
    sight: Sight,
    now: datetime,
    audit: WriteAudit,
) -> MadeKey:
    """The integration and its first key."""
    integration = check_integration(
        Integration(
            id=new_id(),
            name=new.name,
            source=new.source,
            created_at=now,
            default_team_id=new.default_team_id,
            severity_map=new.severity_map or {},
            mapping=new.mapping,
            hmac_secret=new.hmac_secret,
        ),
        engine,
    )
    await _check_team(integration, stores, sight=sight)
    await stores.add(integration, created_by=created_by)
    made = await _add_key(integration, stores, now=now)
    await audit(target_id=integration.id, after=shown(integration))
    return made


async def update_integration(
    integration_id: UUID,
    edit: Callable[[Integration], Integration],
    *,
    expected_version: int | None,
    stores: Integrations,
    engine: MappingEngine,
    sight: Sight,
    audit: WriteAudit,
) -> Integration:
    """The integration after an edit; nothing is written when the edit changes nothing."""
    before = await _locked(integration_id, stores, sight=sight)
    require_version("integration", actual=before.version, expected=expected_version)
    edited = edit(before)
    if edited == before:
        return before
    after = check_integration(replace(edited, version=before.version + 1), engine)
    if after.default_team_id != before.default_team_id:
        await _check_team(after, stores, sight=sight)
    await stores.save(after)
    await audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


async def rotate_key(
    integration_id: UUID, *, overlap: timedelta, stores: Integrations, sight: Sight, now: datetime, audit: WriteAudit
) -> MadeKey:
    """A new key; the one in use goes on for `overlap`, or ends now when that is nothing."""
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        message = f"keys may overlap for at most {MAX_OVERLAP.days} days"
        raise InvalidInput(message, ("overlap",))
    integration = await _locked(integration_id, stores, sight=sight)
    live = [key for key in await stores.keys_of(integration_id) if key.is_live(now)]
    for position, key in enumerate(live):
        # A key that was promised some time already keeps it: a second rotation must not cut a tool off.
        if overlap > timedelta(0) and position < MAX_OLD_KEYS:
            await stores.end_key(key.id, expires_at=key.expires_at or now + overlap, revoked_at=None)
        else:
            await stores.end_key(key.id, expires_at=key.expires_at, revoked_at=now)
    made = await _add_key(integration, stores, now=now)
    await audit(target_id=integration_id, after={"key": made.key.prefix, "overlapSeconds": overlap.total_seconds()})
    return made


async def revoke_key(
    integration_id: UUID, key_id: UUID, *, stores: Integrations, sight: Sight, now: datetime, audit: WriteAudit
) -> Integration:
    """End one key now. A key that has ended stays as it is."""
    integration = await _locked(integration_id, stores, sight=sight)
    key = next((key for key in await stores.keys_of(integration_id) if key.id == key_id), None)
    if key is None:
        message = "the integration has no such key"
        raise NotFound(message, ("keyId",))
    if key.revoked_at is None:
        await stores.end_key(key.id, expires_at=key.expires_at, revoked_at=now)
        await audit(target_id=integration_id, after={"key": key.prefix})
    return integration


async def archive_integration(
    integration_id: UUID, *, stores: Integrations, sight: Sight, now: datetime, audit: WriteAudit
) -> Integration:
    """End an integration: its keys are refused from now on, its alerts stay."""
    before = await _locked(integration_id, stores, sight=sight)
    after = replace(before, archived_at=now, version=before.version + 1)
    for key in await stores.keys_of(integration_id):
        if key.revoked_at is None:
            await stores.end_key(key.id, expires_at=key.expires_at, revoked_at=now)
    await stores.save(after)
    await audit(target_id=integration_id, before=shown(before), after=shown(after))
    return after


def shown(integration: Integration) -> dict[str, Any]:
    """What the audit log keeps of an integration: never the shared secret."""
    mapping = integration.mapping
    names = () if mapping is None else tuple(FieldMapping.__dataclass_fields__)
    expressions = {name: getattr(mapping, name) for name in names}
    return {
        "name": integration.name,
        "source": integration.source.value,
        "defaultTeamId": None if integration.default_team_id is None else str(integration.default_team_id),
        "severityMap": {word: severity.value for word, severity in integration.severity_map.items()},
        "mapping": {name: dict(v) if isinstance(v, Mapping) else v for name, v in expressions.items() if v} or None,
        "isSigned": integration.hmac_secret is not None,
        "isArchived": integration.archived_at is not None,
    }


async def _locked(integration_id: UUID, integrations: Integrations, *, sight: Sight) -> Integration:
    found = await integrations.locked(integration_id, sight=sight)
    # The scope of alerts made by hand is a row of the same table, and nobody's to edit.
    if found is None or found.archived_at is not None or found.source in OWN_SOURCES:
        raise NotFound(NO_SUCH, ("id",))
    return found


async def _check_team(integration: Integration, integrations: Integrations, *, sight: Sight) -> None:
    team_id = integration.default_team_id
    if team_id is not None and not await integrations.team_in_sight(team_id, sight=sight):
        message = "no such team"
        raise NotFound(message, ("defaultTeamId",))


async def _add_key(integration: Integration, integrations: Integrations, *, now: datetime) -> MadeKey:
    secret = new_secret()
    key = IntegrationKey(
        id=new_id(),
        integration_id=integration.id,
        digest=key_digest(secret),
        prefix=secret[:SHOWN_CHARACTERS],
        created_at=now,
    )
    await integrations.add_key(key)
    return MadeKey(integration=integration, secret=secret, key=key)
