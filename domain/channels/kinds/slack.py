"""Slack, by an incoming webhook: it speaks, and cannot be answered."""

from domain.channels.kind import ChannelField, ChannelKind, FieldForm
from domain.channels.mrkdwn import as_fact

KIND = ChannelKind(
    name="slack",
    title="Slack webhook",
    description="Slack, by an incoming webhook.",
    help="In Slack, open the app's *Incoming Webhooks*, choose *Add New Webhook to Workspace* and copy its address.",
    fields=(
        ChannelField(
            name="url",
            label="Webhook URL",
            description="The address Slack gave for the incoming webhook: `https://hooks.slack.com/services/…`.",
            form=FieldForm.HTTPS_URL,
            pattern=r"https://\S+",
        ),
    ),
    escape=as_fact,
)
