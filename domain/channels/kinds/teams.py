"""Microsoft Teams, by a Workflow: one Adaptive Card for all that is to be told."""

from domain.channels.kind import ChannelField, ChannelKind, FieldForm
from domain.channels.markdown import escaped

KIND = ChannelKind(
    name="teams",
    title="Microsoft Teams",
    description="Microsoft Teams, by a Workflow that takes webhook requests.",
    help="In Teams, open *Workflows* of the channel, take *Post to a channel when a webhook request is received* and "
    "copy its address.",
    fields=(
        ChannelField(
            name="url",
            label="Workflow URL",
            description="The address of a Workflow that begins `When a Teams webhook request is received`.",
            form=FieldForm.HTTPS_URL,
            pattern=r"https://\S+",
        ),
    ),
    escape=escaped,
)
