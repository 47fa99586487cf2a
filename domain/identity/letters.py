"""What do the mails about accounts say? Each in a few plain sentences, as text and as HTML of the same words.

The addresses of links come from the settings, never from a request: a forged `Host` would send people elsewhere.
Nothing that a stranger typed is in a mail, or this server would carry anybody's words to anybody. The token stands
behind a `#`: browsers do not send that part to a server, so it is in no log on the way.
"""

from dataclasses import dataclass
from datetime import timedelta
from html import escape
from uuid import UUID

from domain.identity.model import Role, User
from domain.identity.one_time import FreshLink, Purpose
from domain.mail.model import Mail, MailKind

SUBJECT = "Tocsin: {}"
IGNORE = "If this was not you, ignore this mail: nothing happens then."
ALARM = "If this was not you, set a new password at once and tell an administrator."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    kind: MailKind
    page: str
    subject: str
    says: str


_WITH_LINK = {
    Purpose.VERIFY_ADDRESS: _Letter(
        kind=MailKind.VERIFY_ADDRESS,
        page="verify",
        subject="confirm your address",
        says="Confirm that this is the address of your account at {base}:",
    ),
    Purpose.REGISTRATION: _Letter(
        kind=MailKind.VERIFY_ADDRESS,
        page="verify",
        subject="finish your registration",
        says="Somebody registered at {base} with this address. Finish it with the password chosen then:",
    ),
    Purpose.INVITATION: _Letter(
        kind=MailKind.INVITATION,
        page="invitation",
        subject="you are invited",
        says="You are invited to Tocsin, the alerts management server at {base}. Choose a password to come in:",
    ),
    Purpose.RESET_PASSWORD: _Letter(
        kind=MailKind.RESET_PASSWORD,
        page="reset",
        subject="set a new password",
        says="Somebody asked to set a new password for your account at {base}. To do so:",
    ),
    Purpose.CHANGE_ADDRESS: _Letter(
        kind=MailKind.CHANGE_ADDRESS,
        page="address",
        subject="confirm your new address",
        says="An account at {base} is to have this address from now on. Confirm it:",
    ),
}


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes the mails. `base` is the address people reach this server by, without a slash at its end."""

    base: str

    def link(self, purpose: Purpose, link: FreshLink, *, to: str, user_id: UUID | None = None) -> Mail:
        """A mail with a link that works once."""
        letter = _WITH_LINK[purpose]
        says = letter.says.format(base=self.base)
        url = f"{self.base}/account/{letter.page}#token={link.token}"
        ends = f"The link works once, and {_lasting(link.expires_at - link.issued_at)}."
        return Mail(
            to=to,
            subject=SUBJECT.format(letter.subject),
            text=f"{says}\n\n{url}\n\n{ends}\n\n{IGNORE}\n",
            html=_html([says, _Link(url), ends, IGNORE]),
            kind=letter.kind,
            user_id=user_id,
            expires_at=link.expires_at,
        )

    def known_address(self, user: User) -> Mail:
        """To somebody who registers with the address of an account."""
        says = [
            f"Somebody tried to register at {self.base} with this address. It has an account already: sign in with it.",
            f"To set a new password: {self.base}/account/reset",
        ]
        return self._notice(user.email, "you have an account already", [*says, IGNORE], user_id=user.id)

    def password_changed(self, user: User) -> Mail:
        """To whose password is another."""
        says = ["The password of your account was changed, and all other sessions were ended.", ALARM]
        return self._notice(user.email, "your password was changed", says, user_id=user.id)

    def address_change_asked(self, user: User) -> Mail:
        """To the old address, while there is still time."""
        says = ["A change of your account's address was asked for. It counts once the new address is confirmed.", ALARM]
        return self._notice(user.email, "your address is about to change", says, user_id=user.id)

    def address_changed(self, before: User) -> Mail:
        """To the old address, for the last time."""
        says = ["Your account has another address from now on; mail no longer comes to this one.", ALARM]
        return self._notice(before.email, "your address was changed", says, user_id=before.id)

    def role_changed(self, user: User, role: Role) -> Mail:
        """To whose role is another."""
        return self._notice(
            user.email,
            "your role was changed",
            [f"An administrator changed your role: you are {_with_article(role)} now."],
            user_id=user.id,
        )

    def factors_changed(self, user: User, news: str) -> Mail:
        """To whose ways to prove who they are changed; `news` is a sentence of ours (factor_notices.py)."""
        return self._notice(user.email, "your second factors changed", [news, ALARM], user_id=user.id)

    def accounts_linked(self, user: User, news: str) -> Mail:
        """To who signs in by another account from now on, or no more; `news` is a sentence of ours (federation.py)."""
        return self._notice(user.email, "your ways to sign in changed", [news, ALARM], user_id=user.id)

    def _notice(self, to: str, subject: str, says: list[str], *, user_id: UUID) -> Mail:
        return Mail(
            to=to,
            subject=SUBJECT.format(subject),
            text="\n\n".join([*says, self.base]) + "\n",
            html=_html([*says, _Link(self.base)]),
            kind=MailKind.SECURITY_NOTICE,
            user_id=user_id,
        )


class _Link(str):
    """A paragraph that is an address."""

    __slots__ = ()


def _html(paragraphs: list[str]) -> str:
    body = "\n".join(
        f'<p><a href="{escape(text)}">{escape(text)}</a></p>' if isinstance(text, _Link) else f"<p>{escape(text)}</p>"
        for text in paragraphs
    )
    return f'<!DOCTYPE html>\n<html lang="en"><body style="font:16px/1.5 sans-serif">\n{body}\n</body></html>\n'


def _lasting(lives: timedelta) -> str:
    hours = round(lives.total_seconds() / 3600)
    if hours < 1:
        return f"for {max(1, round(lives.total_seconds() / 60))} minutes"
    if hours < 48:  # noqa: PLR2004 - two days and more are told in days
        return f"for {hours} hours" if hours > 1 else "for one hour"
    return f"for {round(hours / 24)} days"


def _with_article(role: Role) -> str:
    return f"{'an' if role in {Role.ADMIN, Role.OPERATOR} else 'a'} {role.value}"
