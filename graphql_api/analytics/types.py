"""How are the figures of noise and the suggestions shown? A figure only of what the viewer may see."""

from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import strawberry

from domain.alerts import model as alerts
from domain.analytics import noise, suggestions
from domain.identity import model as identity
from domain.integrations import model as integrations
from domain.rules import model as rules
from graphql_api.alerts.loaders import load_alerts
from graphql_api.alerts.types import Alert
from graphql_api.context import Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team
from graphql_api.integrations.loaders import load_integrations
from graphql_api.integrations.types import Integration
from graphql_api.rules.loaders import load_alert_rules
from graphql_api.rules.types import AlertRule

expose_enum(
    noise.NoiseBy,
    description="What the alerts of a report are put together by.",
    values={
        noise.NoiseBy.RULE: "The alert rules that held for them, also those that are only monitored. An alert counts "
        "for each.",
        noise.NoiseBy.INTEGRATION: "The integration that took them.",
        noise.NoiseBy.SERVICE: "The service they are about.",
        noise.NoiseBy.TEAM: "The team responsible.",
    },
)
expose_enum(
    suggestions.SuggestionKind,
    name="NoiseSuggestionKind",
    description="What would make less noise.",
    values={
        suggestions.SuggestionKind.PAUSE: "To wait before anybody is told: most of it ends by itself.",
        suggestions.SuggestionKind.FALSE_POSITIVES: "To mend a check: most of what it says is no problem.",
        suggestions.SuggestionKind.FLAPPING: "To steady a check that turns to and fro.",
        suggestions.SuggestionKind.UNANSWERED: "To lower the severity: people are told of it and never do a thing.",
    },
)

_Row: TypeAlias = strawberry.Parent[noise.NoiseRow]
_Report: TypeAlias = strawberry.Parent[noise.NoiseReport]
_Suggestion: TypeAlias = strawberry.Parent[suggestions.Suggestion]


@exposes(noise.NoiseFigures, description="What came of the alerts that were opened within the range.")
class NoiseFigures:
    """See domain.analytics.noise.NoiseFigures."""

    alerts: int = strawberry.field(description="The alerts.")
    occurrences: int = strawberry.field(description="How often their sources said them.")
    groups: int = strawberry.field(description="The groups they are in.")
    suppressed: int = strawberry.field(
        description="Those that a silence, a maintenance window, a rule or another alert held when they were last open."
    )
    false_positives: int = strawberry.field(description="Those that somebody marked as false positives.")
    quick: int = strawberry.field(
        description="Those that were over by themselves within two minutes, the last time they were open."
    )
    flapping: int = strawberry.field(description="Those that were marked as flapping.")
    acknowledged: int = strawberry.field(description="Those that somebody answered, the last time they were open.")
    pages: int = strawberry.field(description="The pages that left because of them, to persons and to channels.")
    acknowledged_share: float | None = strawberry.field(
        description="Which part of them somebody answered, from 0 to 1; null of no alert."
    )
    false_positive_share: float | None = strawberry.field(
        description="Which part of them was no problem, from 0 to 1; null of no alert."
    )


def _id_of(row: noise.NoiseRow, by: noise.NoiseBy) -> UUID | None:
    return UUID(row.key) if row.by is by and row.key is not None else None


def _service_name(root: _Row) -> str | None:
    return root.key if root.by is noise.NoiseBy.SERVICE else None


async def _rule(root: _Row, info: Info) -> rules.AlertRule | None:
    rule_id = _id_of(root, noise.NoiseBy.RULE)
    return None if rule_id is None else await info.context.loader(load_alert_rules).load(rule_id)


async def _integration(root: _Row, info: Info) -> integrations.Integration | None:
    integration_id = _id_of(root, noise.NoiseBy.INTEGRATION)
    return None if integration_id is None else await info.context.loader(load_integrations).load(integration_id)


async def _team(root: _Row, info: Info) -> identity.Team | None:
    team_id = _id_of(root, noise.NoiseBy.TEAM)
    return None if team_id is None else await info.context.loader(load_teams).load(team_id)


@exposes(noise.NoiseRow, description="The figures of one service, team, integration or rule.")
class NoiseRow:
    """See domain.analytics.noise.NoiseRow."""

    by: noise.NoiseBy = strawberry.field(description="What it is the figures of.")
    service_name = strawberry.field(
        resolver=_service_name, description="The service; null by anything else, and for alerts without a service."
    )
    team = strawberry.field(
        resolver=_team, graphql_type=Team | None, description="The team; null by anything else, and for no team."
    )
    integration = strawberry.field(
        resolver=_integration,
        graphql_type=Integration | None,
        description="The integration; null by anything else, for alerts made by hand, and for one you may not see.",
    )
    rule = strawberry.field(
        resolver=_rule,
        graphql_type=AlertRule | None,
        description="The alert rule; null by anything else, and for one that is no longer kept.",
    )
    figures: NoiseFigures = strawberry.field(description="Its figures.")


def _since(root: _Report) -> datetime:
    return root.range.since


def _until(root: _Report) -> datetime:
    return root.range.until


def _rows(root: _Report) -> list[noise.NoiseRow]:
    return list(root.rows)


@exposes(noise.NoiseReport, description="How noisy what is, within a range of time; of the alerts that you may see.")
class NoiseReport:
    """See domain.analytics.noise.NoiseReport."""

    by: noise.NoiseBy = strawberry.field(description="What the alerts are put together by.")
    since = strawberry.field(resolver=_since, description="The first time within the range.")
    until = strawberry.field(resolver=_until, description="The first time beyond it.")
    total: NoiseFigures = strawberry.field(description="The figures of all alerts of the range, each once.")
    rows = strawberry.field(
        resolver=_rows, graphql_type=list[NoiseRow], description="One for each, those with most alerts first."
    )


async def _samples(root: _Suggestion, info: Info) -> list[alerts.Alert]:
    found = await info.context.loader(load_alerts).load_many(root.samples)
    return [alert for alert in found if alert is not None]


def _suggested_service(root: _Suggestion) -> str | None:
    return root.service


async def _suggested_integration(root: _Suggestion, info: Info) -> integrations.Integration | None:
    integration_id = root.integration_id
    return None if integration_id is None else await info.context.loader(load_integrations).load(integration_id)


@exposes(
    suggestions.Suggestion,
    name="NoiseSuggestion",
    description="What would make less noise, with the counts that say so.",
)
class NoiseSuggestion:
    """See domain.analytics.suggestions.Suggestion."""

    kind: suggestions.SuggestionKind = strawberry.field(description="What is suggested.")
    text: str = strawberry.field(description="The sentence a person reads, with the evidence.")
    remedy: str = strawberry.field(description="What would do it: a setting, a rule, or something at the source.")
    affected: int = strawberry.field(description="How many of `total` it is about: pages spared, alerts, or times.")
    total: int = strawberry.field(description="How many there were in all.")
    service_name = strawberry.field(
        resolver=_suggested_service, description="The service it is about; null for alerts without one."
    )
    dedup_key: str | None = strawberry.field(description="The dedup key it is about; null when it is about a service.")
    integration = strawberry.field(
        resolver=_suggested_integration,
        graphql_type=Integration | None,
        description="The integration of the dedup key; null without one, and for one you may not see.",
    )
    pause: timedelta | None = strawberry.field(description="The pause that would have spared the pages.")
    condition: str | None = strawberry.field(description="The condition of an alert rule for it (CEL).")
    samples = strawberry.field(
        resolver=_samples, graphql_type=list[Alert], description="Up to three alerts to look at, where they are kept."
    )
