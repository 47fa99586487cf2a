"""How are personal rules and quiet hours shown, and given? To and by their person; administrators see them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import strawberry

from domain.contacts import planning
from domain.errors import Forbidden
from domain.identity import model as identity
from graphql_api.context import Context, Info
from graphql_api.enums import Severity
from graphql_api.exposes import exposes
from graphql_api.scalars import LocalTime, uuid_of
from persistence.contact_wishes import Wishes, preferences_of, wishes_of


def _method_id(root: strawberry.Parent[planning.RuleStep]) -> strawberry.ID:
    return strawberry.ID(str(root.method_id))


@exposes(planning.RuleStep, name="NotificationRuleStep", description="One step of a personal rule.")
class NotificationRuleStep:
    """See domain.contacts.planning.RuleStep."""

    contact_method_id = strawberry.field(
        resolver=_method_id,
        graphql_type=strawberry.ID,
        description="By which contact method; the person's own id for the address of the account.",
    )
    delay: timedelta = strawberry.field(description="So long after the page, if nobody has answered by then.")


def _severities(root: strawberry.Parent[planning.PersonalRule]) -> list[Severity]:
    return [severity for severity in Severity if severity in root.severities]


@exposes(planning.PersonalRule, name="NotificationRule", description="How a person wants to be told of some alerts.")
class NotificationRule:
    """See domain.contacts.planning.PersonalRule."""

    severities = strawberry.field(resolver=_severities, description="Of alerts of these severities.")
    steps: list[NotificationRuleStep] = strawberry.field(description="By what, and when.")


@exposes(planning.QuietHours, name="QuietHours", description="When a person is told of nothing that can wait.")
class QuietHours:
    """See domain.contacts.planning.QuietHours."""

    starts: LocalTime = strawberry.field(description="When they begin, each day, by the clock of the zone.")
    ends: LocalTime = strawberry.field(description="When they end; before the beginning for the next day.")
    zone: str = strawberry.field(description="The IANA time zone, such as `Europe/Berlin`.")
    floor: Severity = strawberry.field(description="Alerts of this severity and worse come all the same.")


@exposes(planning.Preferences, name="NotificationPreferences", description="How a person wants to be told.")
class NotificationPreferences:
    """See domain.contacts.planning.Preferences."""

    rules: list[NotificationRule] = strawberry.field(
        description="The first that names the severity counts. Without one, critical and high alerts come by all "
        "usable contact methods at once, others by mail to the account."
    )
    quiet_hours: QuietHours | None = strawberry.field(description="When nothing comes that can wait; null for never.")
    version: int = strawberry.field(description="Grows with each edit, from 0; give it as `expectedVersion`.")


async def load_preferences(context: Context, user_ids: list[UUID]) -> list[planning.Preferences]:
    """The preferences of people."""
    async with context.read() as connection:
        found = await preferences_of(connection, user_ids)
    return [found[user_id] for user_id in user_ids]


async def load_wishes(context: Context, user_ids: list[UUID]) -> list[Wishes]:
    """By what people can be told, and how they want to be."""
    async with context.read() as connection:
        found = await wishes_of(connection, user_ids)
    return [found[user_id] for user_id in user_ids]


async def preferences_of_person(root: strawberry.Parent[identity.User], info: Info) -> planning.Preferences:
    """One's own, or anybody's for an administrator."""
    viewer = info.context.require_viewer()
    if viewer.user_id != root.id and viewer.role is not identity.Role.ADMIN:
        raise Forbidden("how a person wants to be told is shown to that person and to administrators")
    return await info.context.loader(load_preferences).load(root.id)


@strawberry.input(description="One step of a rule.")
class NotificationRuleStepInput:
    """See domain.contacts.planning.RuleStep."""

    contact_method_id: strawberry.ID = strawberry.field(
        description="A contact method of yours; your own id for the address of your account."
    )
    delay: timedelta = strawberry.field(
        description="So long after the page, if nobody has answered by then; at most 12 hours."
    )


@strawberry.input(description="How you want to be told of some alerts.")
class NotificationRuleInput:
    """See domain.contacts.planning.PersonalRule."""

    severities: list[Severity] = strawberry.field(description="Of alerts of these severities.")
    steps: list[NotificationRuleStepInput] = strawberry.field(description="By what, and when; 1 to 10 steps.")


def rules_of(given: Sequence[NotificationRuleInput]) -> list[planning.PersonalRule]:
    """The rules of an input."""
    return [
        planning.PersonalRule(
            severities=frozenset(rule.severities),
            steps=tuple(
                planning.RuleStep(uuid_of(step.contact_method_id, "contact method", *_at(number, place)), step.delay)
                for place, step in enumerate(rule.steps)
            ),
        )
        for number, rule in enumerate(given)
    ]


def _at(rule: int, step: int) -> tuple[str, ...]:
    return "rules", str(rule), "steps", str(step), "contactMethodId"
