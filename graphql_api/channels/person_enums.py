"""By what is a message to a person sent, and what does it tell? The words that its templates and previews share."""

from domain.contacts.segments import Encoding
from domain.contacts.templates import Medium, Saying
from graphql_api.exposes import expose_enum

__all__ = ["Encoding", "Medium", "Saying"]

expose_enum(
    Medium,
    name="MessageMedium",
    description="By what a message reaches a person.",
    values={
        Medium.MAIL: "Mail, to an account or a contact method.",
        Medium.SMS: "A text message.",
        Medium.SLACK: "A direct message of this installation's app in Slack; its buttons stay.",
    },
)
expose_enum(
    Saying,
    name="PersonMessageKind",
    description="What a message to a person tells.",
    values={
        Saying.PAGE: "The alert calls for somebody.",
        Saying.ESCALATED: "It still does: a later step, or a repeat. What PAGE says, if there is none.",
        Saying.WORSENED: "Its severity was raised.",
        Saying.ACKNOWLEDGED: "Somebody has answered.",
        Saying.RESOLVED: "It is over.",
        Saying.FLAPPING: "It began to flap.",
        Saying.SETTLED: "It stopped flapping.",
        Saying.DIGEST: "Several alerts at once, as after quiet hours; by mail and text message.",
    },
)
expose_enum(
    Encoding,
    name="TextEncoding",
    description="In what a text message is written.",
    values={
        Encoding.GSM_7: "The GSM alphabet: 160 places in one segment, 153 in each of several.",
        Encoding.UCS_2: "Any script: 70 places in one segment, 67 in each of several.",
    },
)
