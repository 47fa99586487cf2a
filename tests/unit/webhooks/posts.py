"""How does a test make a post? From a sample file, or from a value, at a fixed time of arrival."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from domain.alerts.signal import RejectedItem, Signal
from domain.integrations.model import FieldMapping, Integration, IntegrationSource
from graphql_api.webhooks.contract import Parsed, Post

SAMPLES = Path(__file__).parents[2] / "payloads"
RECEIVED_AT = datetime(2026, 11, 24, 4, 25, tzinfo=UTC)


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def make_integration(
    source: IntegrationSource = IntegrationSource.GENERIC,
    *,
    mapping: FieldMapping | None = None,
    hmac_secret: str | None = None,
) -> Integration:
    return Integration(
        id=UUID("01939000-0000-7000-8000-000000000001"),
        name="test",
        source=source,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        mapping=mapping,
        hmac_secret=hmac_secret,
    )


def make_post(
    body: object,
    *,
    integration: Integration | None = None,
    headers: Mapping[str, str] | None = None,
    received_at: datetime = RECEIVED_AT,
) -> Post:
    """A post of raw bytes, or of any value as JSON."""
    return Post(
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={"content-type": "application/json", **(headers or {})},
        integration=integration or make_integration(),
        received_at=received_at,
    )


def only_signal(parsed: Parsed) -> Signal:
    assert len(parsed) == 1
    assert isinstance(parsed[0], Signal), parsed[0]
    return parsed[0]


def only_rejection(parsed: Parsed) -> RejectedItem:
    assert len(parsed) == 1
    assert isinstance(parsed[0], RejectedItem), parsed[0]
    return parsed[0]
