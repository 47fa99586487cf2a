"""What is kept sealed, and under whose key? One table of columns; a test finds the column that is missing from it.

Under the installation's key lie secrets that have to be read again, and the keys of persons; `tocsin keys rotate`
moves them to a new key. Under a person's own key lies what is known of them; it goes with that key.
"""

from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from persistence.tables import (
    account_requests,
    admissions,
    channels,
    contact_methods,
    followed_calendars,
    integrations,
    one_time_tokens,
    outgoing_mail,
    person_keys,
    sessions,
    slack_answers,
    text_messages,
    totp_secrets,
    users,
)


@dataclass(frozen=True, kw_only=True)
class SealedColumn:
    """One column. `row` is the id a value is bound to; `person` the id of whose key it is under, if anybody's."""

    column: sa.Column[bytes]
    row: sa.Column[object]
    holds: str
    person: sa.Column[object] | None = None

    @cached_property
    def name(self) -> str:
        """As a value is bound to it: `table.column`."""
        return f"{self.table.name}.{self.column.name}"

    @property
    def table(self) -> sa.Table:
        """The table it is in."""
        table: sa.Table = self.column.table
        return table


def _of_person(column: sa.Column[bytes], person: sa.Column[object], holds: str) -> SealedColumn:
    return SealedColumn(column=column, row=column.table.c.id, person=person, holds=holds)


def _of_installation(column: sa.Column[bytes], holds: str, *, row: str = "id") -> SealedColumn:
    return SealedColumn(column=column, row=column.table.c[row], holds=holds)


INSTALLATION: tuple[SealedColumn, ...] = (
    _of_installation(person_keys.c.wrapped, "the key of one person's data", row="user_id"),
    _of_installation(integrations.c.sealed_hmac_secret, "the secret an integration's posts are signed with"),
    _of_installation(totp_secrets.c.sealed_secret, "what a person's authenticator app shares with the server"),
    _of_installation(channels.c.sealed_values, "where a channel's messages go, and what they are signed with"),
    _of_installation(followed_calendars.c.address, "where a calendar is that a schedule follows"),
    _of_installation(slack_answers.c.content, "what is answered to whoever pressed a button in Slack, until it left"),
    _of_installation(outgoing_mail.c.recipient, "to whom a mail goes, until it left"),
    _of_installation(outgoing_mail.c.content, "what a mail says, until it left"),
    _of_installation(one_time_tokens.c.new_address, "an address that is to be proved", row="user_id"),
    _of_installation(admissions.c.person, "who was invited or registered, and has not proved the address"),
    _of_installation(account_requests.c.details, "what somebody asked for who is not signed in, until it is answered"),
)
PERSONAL: tuple[SealedColumn, ...] = (
    _of_person(users.c.email, users.c.id, "the address a person signs in with"),
    _of_person(users.c.first_name, users.c.id, "given name"),
    _of_person(users.c.last_name, users.c.id, "family name"),
    _of_person(sessions.c.user_agent, sessions.c.user_id, "the browser or program of a sign-in"),
    _of_person(sessions.c.ip_address, sessions.c.user_id, "the address on the network of a sign-in"),
    _of_person(contact_methods.c.address, contact_methods.c.user_id, "a number or address a person is reached by"),
    _of_person(contact_methods.c.label, contact_methods.c.user_id, "what a person calls it"),
    _of_person(contact_methods.c.secret, contact_methods.c.user_id, "what posts to a person's webhook are signed with"),
    _of_person(text_messages.c.body, text_messages.c.user_id, "what a text message says, until it left"),
)
SEALED: tuple[SealedColumn, ...] = (*INSTALLATION, *PERSONAL)
