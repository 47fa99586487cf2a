"""What may a browser be sent back to, and what does it carry meanwhile?"""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from domain.ids import new_id
from graphql_api.identity.flow import Envelopes, Flow, is_challenge, local_path, new_ticket
from persistence.sealing import Sealer

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
ENVELOPES = Envelopes(Sealer(b"1" * 32))
FLOW = Flow(
    id=new_id(),
    provider="corp",
    state="a state",
    verifier="a verifier",
    nonce="a nonce",
    return_to="/console/?tab=1",
    expires_at=NOW + timedelta(minutes=10),
)


@pytest.mark.parametrize("path", ["/", "/console/", "/graphql?query=%7Bme%7D#x", "/a//b", "/a:b@c"])
def test_a_path_of_this_server_is_gone_back_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "place",
    [
        None,
        "",
        "console",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/ok\r\nset-cookie: a=b",
        "/\x00",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        " /console",
        "/é",
        "/" + "a" * 600,
    ],
)
def test_a_place_that_a_browser_could_take_for_another_is_refused(place: str | None) -> None:
    """API8:2023; ASVS 5 3.7.2: open redirect, and a header that ends early."""
    assert local_path(place) is None


def test_a_flow_comes_back_as_it_was() -> None:
    assert ENVELOPES.flow(ENVELOPES.seal_flow(FLOW), provider="corp", now=NOW) == FLOW


def test_a_flow_shows_nothing_of_itself() -> None:
    raw = base64.urlsafe_b64decode(ENVELOPES.seal_flow(FLOW) + "==")
    assert b"verifier" not in raw
    assert b"nonce" not in raw


def test_a_flow_of_another_provider_time_or_server_is_none() -> None:
    """API2:2023; ASVS 5 10.2.1: an answer belongs to the sign-in that asked for it."""
    text = ENVELOPES.seal_flow(FLOW)
    assert ENVELOPES.flow(text, provider="other", now=NOW) is None
    assert ENVELOPES.flow(text, provider="corp", now=FLOW.expires_at) is None
    assert Envelopes(Sealer(b"2" * 32)).flow(text, provider="corp", now=NOW) is None


@pytest.mark.parametrize("text", [None, "", "x", "=", "é", "A" * 40, "A" * 5000])
def test_what_is_no_flow_is_none(text: str | None) -> None:
    assert ENVELOPES.flow(text, provider="corp", now=NOW) is None


def test_a_flow_that_was_changed_is_none() -> None:
    text = ENVELOPES.seal_flow(FLOW)
    for place in (3, 20, 30, len(text) - 3):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        assert ENVELOPES.flow(changed, provider="corp", now=NOW) is None


def test_a_ticket_is_no_flow_and_a_flow_no_ticket() -> None:
    ticket = new_ticket(provider="corp", user_id=new_id(), session_id=new_id(), now=NOW)
    text = ENVELOPES.seal_ticket(ticket)
    assert ENVELOPES.ticket(text, provider="corp", now=NOW) == ticket
    assert ENVELOPES.flow(text, provider="corp", now=NOW) is None
    assert ENVELOPES.ticket(ENVELOPES.seal_flow(FLOW), provider="corp", now=NOW) is None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("a" * 43, True), ("A-_9" * 10 + "abc", True), ("a" * 42, False), ("a" * 44, False), ("a" * 42 + "=", False)],
)
def test_a_challenge_is_a_digest_in_base64url(text: str, is_one: bool) -> None:
    assert is_challenge(text) is is_one
