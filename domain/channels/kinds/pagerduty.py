"""PagerDuty, by its Events API v2: an incident there in step with the alert here, and back."""

from domain.channels.kind import ChannelField, ChannelKind, FieldForm

KIND = ChannelKind(
    name="pagerduty",
    title="PagerDuty",
    description="PagerDuty, by its Events API v2, in step with the alert.",
    help="In PagerDuty, add an *Events API V2* integration to the service and copy its integration key. To have "
    "answers come back, add a *Generic Webhook (v3)* subscription (docs/channels.md).",
    fields=(
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
    follows=True,
    answers_back=True,
    hears_of_answers=True,
    is_machine=True,
)
