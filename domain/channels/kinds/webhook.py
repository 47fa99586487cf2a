"""Any program that takes a signed post of JSON."""

from domain.channels.kind import ChannelField, ChannelKind, FieldForm

KIND = ChannelKind(
    name="webhook",
    title="Webhook",
    description="Any program that takes a signed post of JSON.",
    help="The program checks the signature of each post with the secret (docs/channels.md), and answers with any 2xx.",
    fields=(
        ChannelField(
            name="url",
            label="URL",
            description="Where each message is posted as JSON.",
            form=FieldForm.HTTPS_URL,
            is_secret=False,
            pattern=r"https://\S+",
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
    is_machine=True,
)
