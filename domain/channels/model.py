"""What is a channel? One place messages can be sent to, of one kind, with the values that kind needs.

The fields of a kind are data, so that a client can draw its form. Every value is kept sealed; a secret one is never
shown again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ChannelKind(StrEnum):
    """Whose protocol a channel speaks."""

    SLACK = "slack"
    SLACK_BOT = "slack_bot"
    TEAMS = "teams"
    PAGERDUTY = "pagerduty"
    WEBHOOK = "webhook"


class FieldForm(StrEnum):
    """What a field's value must look like."""

    HTTPS_URL = "https_url"
    TEXT = "text"
    GRAPHQL_SELECTION = "graphql_selection"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelField:
    """One value a kind of channel needs."""

    name: str
    label: str
    description: str
    form: FieldForm
    is_secret: bool = True
    is_required: bool = True
    least: int = 1
    most: int = 2_000
    # The whole value, as a regular expression that browsers understand as well; None for any text.
    pattern: str | None = None


_URL = r"https://\S+"
_SLACK_URL = "The address Slack gave for the incoming webhook: `https://hooks.slack.com/services/…`."
_TEAMS_URL = "The address of a Workflow that begins `When a Teams webhook request is received`."
FIELDS: Mapping[ChannelKind, tuple[ChannelField, ...]] = {
    ChannelKind.SLACK: (
        ChannelField(name="url", label="Webhook URL", description=_SLACK_URL, form=FieldForm.HTTPS_URL, pattern=_URL),
    ),
    ChannelKind.SLACK_BOT: (
        ChannelField(
            name="conversation",
            label="Channel",
            description="Its name, `#alerts`, or its ID, `C0123ABCDEF`. The app must be a member of it: "
            "`/invite @its name` there.",
            form=FieldForm.TEXT,
            is_secret=False,
            least=2,
            most=82,
        ),
    ),
    ChannelKind.TEAMS: (
        ChannelField(name="url", label="Workflow URL", description=_TEAMS_URL, form=FieldForm.HTTPS_URL, pattern=_URL),
    ),
    ChannelKind.PAGERDUTY: (
        ChannelField(
            name="routingKey",
            label="Integration key",
            description="Of a service's Events API v2 integration: 32 characters.",
            form=FieldForm.TEXT,
            least=32,
            most=32,
            pattern="[0-9A-Za-z]{32}",
        ),
        ChannelField(
            name="webhookSecret",
            label="Webhook secret",
            description="Of the webhook (v3) that tells Tocsin what happens in PagerDuty, to have that answer alerts.",
            form=FieldForm.TEXT,
            is_required=False,
            least=16,
            most=200,
        ),
    ),
    ChannelKind.WEBHOOK: (
        ChannelField(
            name="url",
            label="URL",
            description="Where each message is posted as JSON.",
            form=FieldForm.HTTPS_URL,
            is_secret=False,
            pattern=_URL,
        ),
        ChannelField(
            name="secret",
            label="Signing secret",
            description="Each post carries an HMAC-SHA256 made with it in `X-Tocsin-Signature`.",
            form=FieldForm.TEXT,
            least=16,
        ),
        ChannelField(
            name="selection",
            label="Fields of the alert",
            description="What is posted of the alert, as fields of a query: `{ id title team { name } }`. The usual "
            "ones if left out.",
            form=FieldForm.GRAPHQL_SELECTION,
            is_secret=False,
            is_required=False,
            most=4_000,
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel. `problem` says why the last message to it failed; None since one went through."""

    id: UUID
    name: str
    kind: ChannelKind
    values: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    team_id: UUID | None = None
    archived_at: datetime | None = None
    problem: str | None = None
    problem_at: datetime | None = None
    # Messages that left with the built-in text, since their template or selection failed; and why the last one did.
    template_failures: int = 0
    template_problem: str | None = None
    template_problem_at: datetime | None = None
    version: int = 1
