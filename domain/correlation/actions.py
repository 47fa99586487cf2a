"""How do group rules and services come to be, change and end? Managers do it; what they change counts at once."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from domain.audit.writing import WriteAudit
from domain.correlation.drafts import RuleDraft, ServiceDraft, checked_rule, checked_service
from domain.correlation.model import GroupRule, Service
from domain.correlation.ports import GroupRules, Services
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.ids import new_id
from domain.rules.condition import ConditionEngine
from domain.versions import require_version

NO_SUCH_RULE = "no such group rule"
NO_SUCH_SERVICE = "no such service"
MAX_RULES = 300
_RULE_FIELDS = (
    *("name", "description", "strategy", "rank", "enabled", "matchers", "condition", "labels", "fields", "parts"),
    *("window", "max_age", "threshold"),
)
Store_co = TypeVar("Store_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench(Generic[Store_co]):
    """One request to change what correlates alerts. The role was checked at the door."""

    store: Store_co
    now: datetime
    audit: WriteAudit


def draft_of(rule: GroupRule) -> RuleDraft:
    """The rule as somebody would write it again."""
    return RuleDraft(**{name: getattr(rule, name) for name in _RULE_FIELDS})


async def create_rule(draft: RuleDraft, *, engine: ConditionEngine, bench: Bench[GroupRules]) -> GroupRule:
    """A new rule; it counts from the next alert on."""
    draft = checked_rule(draft, engine)
    if await bench.store.count() >= MAX_RULES:
        message = f"there are {MAX_RULES} group rules: archive one first"
        raise InvalidInput(message)
    rule = GroupRule(
        id=new_id(),
        created_at=bench.now,
        updated_at=bench.now,
        **{name: getattr(draft, name) for name in _RULE_FIELDS},
    )
    if not await bench.store.add(rule):
        raise _taken("group rule")
    await bench.audit(target_id=rule.id, after=shown_rule(rule))
    return rule


async def update_rule(
    rule_id: UUID,
    changes: dict[str, Any],
    *,
    expected_version: int | None,
    engine: ConditionEngine,
    bench: Bench[GroupRules],
) -> GroupRule:
    """The rule after an edit; `changes` are the fields that are to be otherwise. Open groups stay as they are."""
    before = await _rule(rule_id, bench)
    require_version("group rule", actual=before.version, expected=expected_version)
    draft = checked_rule(replace(draft_of(before), **changes), engine, kept=before.condition)
    after = replace(before, **{name: getattr(draft, name) for name in _RULE_FIELDS})
    if after == before:
        return before
    after = replace(after, version=before.version + 1, updated_at=bench.now)
    if not await bench.store.save(after):
        raise _taken("group rule")
    await bench.audit(target_id=after.id, before=shown_rule(before), after=shown_rule(after))
    return after


async def archive_rule(rule_id: UUID, *, bench: Bench[GroupRules]) -> GroupRule:
    """End a rule: it groups nothing more; its groups stay."""
    before = await _rule(rule_id, bench)
    after = replace(before, archived_at=bench.now, updated_at=bench.now, version=before.version + 1)
    await bench.store.save(after)
    await bench.audit(target_id=after.id, before=shown_rule(before), after=shown_rule(after))
    return after


async def create_service(draft: ServiceDraft, *, bench: Bench[Services]) -> Service:
    """A new service with what it needs."""
    draft = checked_service(draft)
    await _check_upstreams(draft, bench)
    service = Service(
        id=new_id(),
        name=draft.name,
        description=draft.description,
        upstream_ids=draft.upstream_ids,
        created_at=bench.now,
        updated_at=bench.now,
    )
    if not await bench.store.add(service):
        raise _taken("service")
    await bench.audit(target_id=service.id, after=shown_service(service))
    return service


async def update_service(
    service_id: UUID, changes: dict[str, Any], *, expected_version: int | None, bench: Bench[Services]
) -> Service:
    """The service after an edit."""
    before = await _service(service_id, bench)
    require_version("service", actual=before.version, expected=expected_version)
    current = ServiceDraft(name=before.name, description=before.description, upstream_ids=before.upstream_ids)
    draft = checked_service(replace(current, **changes))
    if service_id in draft.upstream_ids:
        message = "a service does not depend on itself"
        raise InvalidInput(message, ("dependsOnIds",))
    await _check_upstreams(draft, bench)
    after = replace(before, name=draft.name, description=draft.description, upstream_ids=draft.upstream_ids)
    if after == before:
        return before
    after = replace(after, version=before.version + 1, updated_at=bench.now)
    if not await bench.store.save(after):
        raise _taken("service")
    await bench.audit(target_id=after.id, before=shown_service(before), after=shown_service(after))
    return after


async def archive_service(service_id: UUID, *, bench: Bench[Services]) -> Service:
    """End a service: nothing depends on it any more."""
    before = await _service(service_id, bench)
    after = replace(before, archived_at=bench.now, updated_at=bench.now, version=before.version + 1)
    await bench.store.save(after)
    await bench.audit(target_id=after.id, before=shown_service(before), after=shown_service(after))
    return after


def shown_rule(rule: GroupRule) -> dict[str, Any]:
    """What the audit log keeps of a rule."""
    return {
        "name": rule.name,
        "description": rule.description,
        "strategy": rule.strategy.value,
        "rank": rule.rank,
        "enabled": rule.enabled,
        "matchers": ",".join(map(str, rule.matchers)),
        "condition": rule.condition,
        "labels": list(rule.labels),
        "fields": [field.value for field in rule.fields],
        "parts": {part.name: ",".join(map(str, part.matchers)) for part in rule.parts},
        "windowSeconds": rule.window.total_seconds(),
        "maxAgeSeconds": rule.max_age.total_seconds(),
        "threshold": rule.threshold,
        "version": rule.version,
        "isArchived": rule.archived_at is not None,
    }


def shown_service(service: Service) -> dict[str, Any]:
    """What the audit log keeps of a service."""
    return {
        "name": service.name,
        "description": service.description,
        "dependsOnIds": [str(upstream) for upstream in service.upstream_ids],
        "version": service.version,
        "isArchived": service.archived_at is not None,
    }


def _taken(what: str) -> AlreadyExists:
    return AlreadyExists(f"there is another {what} of this name", ("name",))


async def _rule(rule_id: UUID, bench: Bench[GroupRules]) -> GroupRule:
    found = await bench.store.locked(rule_id)
    if found is None:
        raise NotFound(NO_SUCH_RULE, ("id",))
    return found


async def _service(service_id: UUID, bench: Bench[Services]) -> Service:
    found = await bench.store.locked(service_id)
    if found is None:
        raise NotFound(NO_SUCH_SERVICE, ("id",))
    return found


async def _check_upstreams(draft: ServiceDraft, bench: Bench[Services]) -> None:
    missing = await bench.store.missing(draft.upstream_ids) if draft.upstream_ids else ()
    if missing:
        place = draft.upstream_ids.index(missing[0])
        raise InvalidInput(NO_SUCH_SERVICE, ("dependsOnIds", str(place)))
