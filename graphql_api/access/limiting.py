"""How much may this caller ask now? What an operation costs is spent before it runs, from one bucket or several.

Somebody known spends from their own bucket (a person over all their sessions, a service account over all its keys),
from that of the key they came with, and from that of the place they come from; a stranger from the place's alone, which
is then smaller. Headers as in the Internet-Draft draft-ietf-httpapi-ratelimit-headers-10.
"""

import math
from collections.abc import Sequence
from datetime import timedelta

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode

from domain.access.places import place_of
from domain.access.rates import Bucket, Rate, Verdict
from domain.identity.model import Viewer
from graphql_api.limits import Documents
from persistence.rate_limiter import RateLimiter
from tocsin.settings import Settings

MINUTE = timedelta(minutes=1)
# A document that is refused has cost its reading.
UNREADABLE_COST = 10
# A file that is taken or given.
FILE_COST = 100
CODE = "RATE_LIMITED"


class OperationLimits:
    """The buckets of one installation's callers. One a process."""

    def __init__(self, settings: Settings, limiter: RateLimiter) -> None:
        self._limiter = limiter
        self._most = settings.graphql_max_cost
        self._person = _rate("person", settings.rate_limit_person)
        self._key = _rate("key", settings.rate_limit_key)
        self._place = _rate("address", settings.rate_limit_address)
        self._stranger = _rate("address", settings.rate_limit_stranger)

    async def spend(self, viewer: Viewer | None, address: str | None, cost: int) -> list[Verdict]:
        """Spend the cost of an operation: a verdict of each bucket; none where nothing is limited."""
        buckets = self._buckets(viewer, address)
        return await self._limiter.spend(buckets, max(1, min(cost, self._most))) if buckets else []

    def _buckets(self, viewer: Viewer | None, address: str | None) -> list[Bucket]:
        if viewer is None:
            wanted = [(self._stranger, f"stranger:{place_of(address)}")]
        else:
            wanted = [(self._person, f"person:{viewer.user_id}"), (self._place, f"address:{place_of(address)}")]
            if viewer.grant is not None:
                wanted.insert(1, (self._key, f"key:{viewer.grant.key_id}"))
        return [Bucket(rate, key) for rate, key in wanted if rate is not None]


def _rate(name: str, units: int) -> Rate | None:
    return Rate(name, units, MINUTE, units) if units else None


def cost_of(text: str, operation: OperationDefinitionNode, documents: Documents, schema: GraphQLSchema) -> int:
    """What an operation costs; one that is nested too deeply to be measured is refused when it is to run."""
    try:
        return documents.cost(text, operation, schema)
    except RecursionError:
        return UNREADABLE_COST


def wait_of(verdicts: Sequence[Verdict]) -> int:
    """The seconds until the operation fits; 0 when it does."""
    return math.ceil(max((verdict.wait for verdict in verdicts if not verdict.allowed), default=0))


def refusal(verdicts: Sequence[Verdict]) -> GraphQLError | None:
    """Why the operation is not run; None when there is room."""
    short = [verdict for verdict in verdicts if not verdict.allowed]
    if not short:
        return None
    seconds = wait_of(verdicts)
    whose = ", ".join(f"this {verdict.bucket.rate.name}" for verdict in short)
    message = f"too much was asked by {whose} within a minute; try again in {seconds} s"
    return GraphQLError(message, extensions={"code": CODE, "retryAfterSeconds": seconds})


def headers_of(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """What the answer says of the limits. `q` and `r` count the cost of operations, not requests."""
    if not verdicts:
        return {}
    policies = [
        f'"{rate.name}";q={rate.burst};w={rate.period.total_seconds():.0f}'
        for rate in (verdict.bucket.rate for verdict in verdicts)
    ]
    left = [f'"{verdict.bucket.rate.name}";r={verdict.remaining};t={math.ceil(verdict.reset)}' for verdict in verdicts]
    headers = {"ratelimit-policy": ", ".join(policies), "ratelimit": ", ".join(left)}
    seconds = wait_of(verdicts)
    return {**headers, "retry-after": str(seconds)} if seconds else headers
