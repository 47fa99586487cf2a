"""Who may come in, how, and for how long?"""

from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from tocsin.identity_providers import IdentityProvider
from tocsin.settings.words import Seconds, names_in

ROLES = ("admin", "manager", "operator", "viewer")


class SignUpRole(StrEnum):
    """What somebody may be who let themselves in. More is an administrator's to give."""

    VIEWER = "viewer"
    OPERATOR = "operator"


class PeopleSettings(BaseSettings):
    """Who may come in, how, and for how long?"""

    admin_email: str = Field(default="admin@example.com", description="E-mail address of the first administrator.")
    admin_password: SecretStr | None = Field(
        default=None, description="Password of the first administrator. Unset: generated and printed once."
    )
    api_key_max_lifetime: Seconds = Field(
        default=timedelta(days=365), description="The longest an API key lives before it needs a successor."
    )
    access_token_ttl: Seconds = Field(default=timedelta(minutes=15), description="Life of an access token.")
    session_idle_timeout: Seconds = Field(
        default=timedelta(hours=8), description="A session unused for this long has ended."
    )
    session_absolute_timeout: Seconds = Field(
        default=timedelta(days=30), description="A session this old has ended, however busy."
    )
    second_factor_required_for: str | None = Field(
        default=None,
        description="Roles whose people must have a second factor, comma separated (`admin,manager`). One who has none "
        "may sign in, and do nothing but add one (docs/second-factors.md). Unset: nobody must.",
    )
    step_up_window: Seconds = Field(
        default=timedelta(minutes=15),
        description="How old the last proof of who asks may be for what is dangerous, such as a change of role; after "
        "it `stepUp` is asked for.",
    )
    open_registration: bool = Field(
        default=False,
        description="Whether anybody may register, as a viewer, once the address is verified. Else an administrator "
        "invites people or makes their accounts.",
    )
    password_min_score: int = Field(
        default=3,
        ge=0,
        le=4,
        description="How hard to guess a new password must be, from 0 to 4 (zxcvbn: 3 withstands an offline attack).",
    )
    verification_link_ttl: Seconds = Field(
        default=timedelta(days=1), description="Life of a link that verifies an address or changes it."
    )
    password_reset_link_ttl: Seconds = Field(
        default=timedelta(hours=1), description="Life of a link that sets a new password."
    )
    invitation_link_ttl: Seconds = Field(default=timedelta(days=7), description="Life of an invitation.")
    oidc_providers: tuple[IdentityProvider, ...] | None = Field(
        default=None,
        description="Where people may sign in as well, a JSON list: Google, GitHub, Microsoft, or any OpenID provider "
        "(docs/sign-in.md). Unset: nowhere.",
    )
    oidc_link_by_email: bool = Field(
        default=False,
        description="Whether a provider's verified address that is a known person's signs that person in at once. "
        "Off: the person signs in first and links the provider.",
    )
    oidc_sign_up: bool = Field(
        default=False,
        description="Whether a provider may let in people nobody has let in; they need a verified address.",
    )
    oidc_sign_up_role: SignUpRole = Field(
        default=SignUpRole.VIEWER, description="Role of the people a provider lets in: `viewer` or `operator`."
    )

    @field_validator("second_factor_required_for")
    @classmethod
    def _check_roles(cls, value: str | None) -> str | None:
        unknown = [] if value is None else sorted(names_in(value) - set(ROLES))
        if unknown:
            message = f"{', '.join(unknown)}: no such role; there are {', '.join(ROLES)}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _check_provider_names(self) -> Self:
        names = [provider.name for provider in self.identity_providers]
        if len(names) != len(set(names)):
            message = "TOCSIN_OIDC_PROVIDERS: each provider needs a name of its own"
            raise ValueError(message)
        return self

    @property
    def identity_providers(self) -> tuple[IdentityProvider, ...]:
        """Where people may sign in as well."""
        return self.oidc_providers or ()

    @cached_property
    def second_factor_roles(self) -> frozenset[str]:
        """The roles that must have a second factor."""
        return names_in(self.second_factor_required_for or "")
