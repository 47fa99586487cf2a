"""What is a mailed link worth, how often may one be asked for, and how long does it work? (P1, P2).

What each stops is named by OWASP ASVS 5 (V6: authentication) or API Top 10 2023.
"""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.identity.admissions import RequestKind
from domain.identity.one_time import (
    FIRST_WAIT,
    LONGEST_WAIT,
    OneTimeToken,
    Purpose,
    fresh_link,
    new_token,
    token_digest,
    wait_for_next,
)
from tests.account_fakes import NOW, Office
from tests.unit.identity.accounts.ways import asked, invited


def test_a_token_holds_256_bits_of_chance_and_only_its_digest_tells() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(len(token) == len("tco_") + 43 for token in tokens)


@given(st.sampled_from(list(Purpose)), st.sampled_from(list(Purpose)), st.text(max_size=200))
def test_a_link_for_one_thing_opens_nothing_else(one: Purpose, other: Purpose, text: str) -> None:
    assert (token_digest(text, one) == token_digest(text, other)) == (one is other)


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_who_asks_again_waits_longer_up_to_a_bound(issues: int, seconds: int) -> None:
    token = OneTimeToken(
        user_id=UUID(int=1),
        purpose=Purpose.RESET_PASSWORD,
        digest=b"",
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=3),
        issues=issues,
    )
    now = NOW + timedelta(seconds=seconds)
    wait = wait_for_next(token, now=now)
    assert timedelta() <= wait <= LONGEST_WAIT
    if now >= token.expires_at:
        assert not wait
    if wait:
        assert now + wait - NOW >= FIRST_WAIT


def test_the_count_goes_on_while_the_link_lives_and_begins_anew_after() -> None:
    first = fresh_link(Purpose.RESET_PASSWORD, lives=timedelta(hours=1), now=NOW, before=None)
    second = fresh_link(Purpose.RESET_PASSWORD, lives=timedelta(hours=1), now=NOW, before=first)
    after = fresh_link(Purpose.RESET_PASSWORD, lives=timedelta(hours=1), now=NOW + timedelta(hours=1), before=second)
    assert [link.issues for link in (first, second, after)] == [1, 2, 1]
    assert first.token != second.token


async def test_a_link_says_how_long_it_works(office: Office) -> None:
    await office.user()
    await asked(office, RequestKind.RESET_PASSWORD)
    assert "works once, and for one hour" in office.held.mails[-1].text
    await invited(office, email="new@example.com")
    assert "for 7 days" in office.held.mails[-1].text
    assert office.held.mails[-1].expires_at == office.clock.now() + timedelta(days=7)
