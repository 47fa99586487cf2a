"""How does a person say by what, and when, they are told?"""

import strawberry

from domain.contacts import wishing
from graphql_api.contacts.desk import contact_desk
from graphql_api.contacts.preferences import NotificationPreferences, NotificationRuleInput, rules_of
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from persistence.contacts import ContactRepository


@strawberry.input(description="All your rules, in place of those of before.")
class SetNotificationRulesInput:
    """See domain.contacts.wishing."""

    rules: list[NotificationRuleInput] = strawberry.field(
        description="At most 8; the first that names a severity counts. None for the defaults."
    )
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )


@strawberry.type(description="Alerts that call for you from now on come as you want.")
class SetNotificationRulesSuccess:
    """What is wanted now."""

    preferences: NotificationPreferences = strawberry.field(description="Your preferences.")


@mutation(
    payload("SetNotificationRules", SetNotificationRulesSuccess, NotFound, StaleVersion),
    description="Say by what, and when, you are told of alerts of which severity.",
)
async def set_notification_rules(info: Info, data: SetNotificationRulesInput) -> SetNotificationRulesSuccess:
    """Write them under the person's lock."""
    context = info.context
    async with context.uow() as uow:
        preferences = await wishing.set_rules(
            rules_of(data.rules),
            expected_version=data.expected_version,
            desk=contact_desk(context, uow, "setNotificationRules"),
            store=ContactRepository(uow.connection),
        )
        await uow.commit()
    return SetNotificationRulesSuccess(preferences=preferences)  # type: ignore[arg-type] # the domain object is it
