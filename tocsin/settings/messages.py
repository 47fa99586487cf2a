"""By what do messages leave? Mail, texts, Slack, and where channels may reach."""

from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from tocsin.settings.words import HttpUrl, Seconds

Network: TypeAlias = IPv4Network | IPv6Network
SMTP_SCHEMES = ("smtp", "smtps")
STARTTLS = ("offered", "required", "never")


class MailProvider(StrEnum):
    """By what mail leaves."""

    SMTP = "smtp"
    SENDGRID = "sendgrid"
    SES = "ses"


class MessageSettings(BaseSettings):
    """By what do messages leave? Mail, texts, Slack, and where channels may reach."""

    smtp_url: SecretStr | None = Field(
        default=None,
        description="The mail server: `smtp://user:password@host:587` (STARTTLS) or `smtps://host:465`. "
        "`?starttls=required` (the default with a password), `offered` or `never`; `?ca=file` trusts an authority of "
        "your own. Unset: mail waits, and `tocsin doctor` says so.",
    )
    mail_from: str | None = Field(
        default=None,
        description="The sender of mail, `alerts@example.com` or `Tocsin <alerts@example.com>`. "
        "Needed with any provider of mail.",
    )
    mail_provider: MailProvider = Field(
        default=MailProvider.SMTP,
        description="By what mail leaves: `smtp` (`TOCSIN_SMTP_URL`), `sendgrid` or `ses` (docs/accounts.md).",
    )
    sendgrid_api_key: SecretStr | None = Field(
        default=None, description="API key of SendGrid with the permission to send mail."
    )
    sendgrid_url: HttpUrl = Field(
        default="https://api.sendgrid.com",
        description="Where SendGrid's API is; `https://api.eu.sendgrid.com` for a subuser of the EU.",
    )
    sendgrid_event_key: str | None = Field(
        default=None,
        description="Verification key of SendGrid's signed event webhook, as its page shows it. Unset: no events are "
        "taken, and a mail is never seen delivered or bounced.",
    )
    ses_region: str | None = Field(
        default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="Region of Amazon SES, `eu-west-1`."
    )
    ses_access_key_id: str | None = Field(
        default=None,
        description="Access key that may call `ses:SendEmail`. Unset: what AWS gives the machine (role, profile).",
    )
    ses_secret_access_key: SecretStr | None = Field(default=None, description="Its secret.")
    ses_configuration_set: str | None = Field(
        default=None, description="Configuration set of SES whose event destination is the topic below."
    )
    ses_topic_arn: str | None = Field(
        default=None,
        description="ARN of the SNS topic SES publishes its events to; messages of any other are refused. Unset: no "
        "events are taken.",
    )
    ses_url: HttpUrl | None = Field(
        default=None, description="Where SES' API is; another for a private endpoint. Unset: the region's own."
    )
    notification_spacing: Seconds = Field(
        default=timedelta(minutes=1),
        description="Least time between two messages to one person by one contact method; what comes between is one.",
    )
    twilio_account_sid: str | None = Field(
        default=None,
        pattern=r"^AC[0-9a-fA-F]{32}$",
        description="Account at Twilio that sends text messages (docs/contact-methods.md). Unset: none are sent.",
    )
    twilio_auth_token: SecretStr | None = Field(
        default=None, description="Its auth token: it signs in, and what Twilio calls back is signed with it."
    )
    twilio_from: str | None = Field(
        default=None,
        description="The sender of text messages: a number of yours at Twilio, `+15005550006`, or the SID of a "
        "messaging service, `MG…`.",
    )
    twilio_url: HttpUrl = Field(
        default="https://api.twilio.com", description="Where Twilio's API is; another for its regions."
    )
    slack_bot_token: SecretStr | None = Field(
        default=None,
        description="Bot token of your app in Slack, `xoxb-…` (docs/channels.md). Unset: by incoming webhooks only.",
    )
    slack_signing_secret: SecretStr | None = Field(
        default=None,
        description="The app's signing secret: what Slack calls when a button is pressed is signed with it.",
    )
    slack_api_url: HttpUrl = Field(
        default="https://slack.com/api", description="Where Slack's Web API is; another for GovSlack."
    )
    outbound_allowed_networks: str | None = Field(
        default=None,
        description="Networks of your own that messages to channels may go to, comma separated (`10.1.0.0/16`). "
        "Unset: addresses of the internet only.",
    )

    @field_validator("outbound_allowed_networks")
    @classmethod
    def _check_networks(cls, value: str | None) -> str | None:
        try:
            _networks(value)
        except ValueError as error:
            message = f"{error}; write networks as 10.1.0.0/16, comma separated"
            raise ValueError(message) from None
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        url = urlsplit(value.get_secret_value())
        asked = dict(parse_qsl(url.query, keep_blank_values=True))
        problem = (
            ("must begin with smtp:// or smtps://" if url.scheme not in SMTP_SCHEMES else "")
            or ("must name a host" if not url.hostname else "")
            or ("knows `starttls` and `ca` alone after the `?`" if asked.keys() - {"starttls", "ca"} else "")
            or ("`starttls` is offered, required or never" if asked.get("starttls", "offered") not in STARTTLS else "")
        )
        if problem:
            raise ValueError(problem)
        return value

    @field_validator("mail_from")
    @classmethod
    def _check_sender(cls, value: str | None) -> str | None:
        if value is not None and (not parseaddr(value)[1].isascii() or parseaddr(value)[1].count("@") != 1):
            message = "must be an address, or a name and an address in angle brackets"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _check_mail_has_sender(self) -> Self:
        if self.smtp_url and not self.mail_from:
            message = "TOCSIN_SMTP_URL is set without TOCSIN_MAIL_FROM, the sender of the mail"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_mail_provider_is_whole(self) -> Self:
        needed = {
            MailProvider.SMTP: (),
            MailProvider.SENDGRID: ("sendgrid_api_key", "mail_from"),
            MailProvider.SES: ("ses_region", "mail_from"),
        }[self.mail_provider]
        missing = [f"TOCSIN_{name.upper()}" for name in needed if not getattr(self, name)]
        if missing:
            message = f"TOCSIN_MAIL_PROVIDER is {self.mail_provider}, which needs {' and '.join(missing)}"
            raise ValueError(message)
        if (self.ses_access_key_id is None) is not (self.ses_secret_access_key is None):
            message = "TOCSIN_SES_ACCESS_KEY_ID and TOCSIN_SES_SECRET_ACCESS_KEY are set together or not at all"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_twilio_is_whole(self) -> Self:
        given = (self.twilio_account_sid, self.twilio_auth_token, self.twilio_from)
        if any(given) and not all(given):
            message = "TOCSIN_TWILIO_ACCOUNT_SID, TOCSIN_TWILIO_AUTH_TOKEN and TOCSIN_TWILIO_FROM are set together"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_slack_is_whole(self) -> Self:
        if (self.slack_bot_token is None) is not (self.slack_signing_secret is None):
            message = "TOCSIN_SLACK_BOT_TOKEN and TOCSIN_SLACK_SIGNING_SECRET are set together"
            raise ValueError(message)
        return self

    @property
    def sends_mail(self) -> bool:
        """Whether a provider of mail is set up."""
        return self.mail_provider is not MailProvider.SMTP or self.smtp_url is not None

    @property
    def sends_texts(self) -> bool:
        """Whether a provider of text messages is set up."""
        return self.twilio_account_sid is not None

    @property
    def has_slack(self) -> bool:
        """Whether an app in Slack is set up."""
        return self.slack_bot_token is not None

    @property
    def outbound_networks(self) -> tuple[Network, ...]:
        """Networks of our own that messages to channels may go to."""
        return _networks(self.outbound_allowed_networks)


def _networks(text: str | None) -> tuple[Network, ...]:
    """The networks of a comma separated list; ValueError for what is none."""
    return tuple(ip_network(part.strip()) for part in (text or "").split(",") if part.strip())
