"""Slack, by this installation's app: messages with buttons, which follow their alerts."""

from domain.channels.kind import ChannelField, ChannelKind, FieldForm
from domain.channels.mrkdwn import as_fact

KIND = ChannelKind(
    name="slack_bot",
    title="Slack app",
    description="Slack, by this installation's app: with buttons, and in step with the alert.",
    help="The installation needs an app in Slack (docs/channels.md). Invite it to the channel: `/invite @its name`.",
    fields=(
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
    follows=True,
    has_buttons=True,
    answers_back=True,
    escape=as_fact,
)
