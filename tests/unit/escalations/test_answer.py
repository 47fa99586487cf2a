"""Is a link in a message worth exactly what it was made for?"""

import base64
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.escalations.answer import LIFETIME, Answer, AnswerLinks
from domain.ids import new_id

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
LINKS = AnswerLinks(b"k" * 32)
ANSWER = Answer(alert_id=new_id(), episode=3, user_id=new_id(), expires_at=NOW + LIFETIME)


def test_it_says_what_it_was_made_for_until_it_is_over() -> None:
    token = LINKS.token(ANSWER)
    assert LINKS.read(token, now=NOW) == ANSWER
    assert LINKS.read(token, now=NOW + LIFETIME - timedelta(seconds=1)) == ANSWER
    assert LINKS.read(token, now=NOW + LIFETIME) is None


def test_another_installations_link_is_none() -> None:
    """Forged links are refused. API2:2023."""
    assert AnswerLinks(b"x" * 32).read(LINKS.token(ANSWER), now=NOW) is None


@given(st.integers(0, 55), st.integers(1, 255))
def test_a_link_that_was_changed_is_none(place: int, flip: int) -> None:
    """One person's link cannot be made into another's. API1:2023, API2:2023."""
    token = LINKS.token(ANSWER)
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[place] ^= flip
    assert LINKS.read(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="), now=NOW) is None


@given(st.text(max_size=120))
def test_any_other_text_is_none(text: str) -> None:
    assert LINKS.read(text, now=NOW) is None
