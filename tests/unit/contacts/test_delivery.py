"""What do a provider's answers and calls back mean? Twilio's words and numbers, as it documents them (N4)."""

from datetime import timedelta

import orjson
import pytest

from domain.contacts.delivery import Given, TextRefused, TextRetry, TextSent, given_of
from graphql_api.contacts.twilio_http import signature
from jobs.channels.twilio import judge


def answer(code: int, message: str = "no") -> bytes:
    return orjson.dumps({"code": code, "message": message, "status": 400})


def test_a_message_that_was_taken_has_its_id() -> None:
    assert judge(201, b'{"sid": "SM1", "status": "queued"}', None) == TextSent("SM1 queued", "SM1")


@pytest.mark.parametrize(
    ("code", "is_number"),
    [
        *((21211, True), (21610, True), (21614, True)),
        # Of one place alone, or of the text: nobody else waits for it.
        *((21408, False), (21612, False), (21617, False), (30044, False)),
    ],
)
def test_a_refusal_is_for_good(code: int, is_number: bool) -> None:
    found = judge(400, answer(code), None)
    assert isinstance(found, TextRefused)
    assert (found.reason.startswith(str(code)), found.is_number) == (True, is_number)


@pytest.mark.parametrize(
    ("status", "body", "retry_after", "wait"),
    [
        (429, answer(20429), "7", 7),
        (400, answer(20429), None, 0),
        (429, b"", "99999", 3600),
        (503, b"<html>", None, 0),
        (401, answer(20003), None, 0),
        # The sender or the account, which somebody can mend; a queue that is full, which passes.
        (400, answer(21212), None, 0),
        (400, answer(21603), None, 0),
        (400, answer(20005), None, 0),
        (429, answer(21611), "Thu, 26 Nov 2099 10:00:00 GMT", 3600),
    ],
)
def test_trouble_is_waited_out(status: int, body: bytes, retry_after: str | None, wait: int) -> None:
    found = judge(status, body, retry_after)
    assert isinstance(found, TextRetry)
    assert found.wait == timedelta(seconds=wait)


def test_a_page_of_a_proxy_is_no_success() -> None:
    assert isinstance(judge(200, b"<html>hello</html>", None), TextRefused)


def test_the_words_of_a_call_back() -> None:
    for word, state in (("queued", Given.SENT), ("sent", Given.SENT), ("delivered", Given.DELIVERED)):
        found = given_of(word, None)
        assert found is not None
        assert found.state is state
    unknown, off = given_of("undelivered", "30005"), given_of("failed", "30003")
    assert unknown is not None
    assert off is not None
    assert (unknown.is_number, off.is_number) == (True, False)
    assert given_of("a new word", None) is None


def test_the_signature_is_twilios() -> None:
    """The example of Twilio's own documentation of request validation."""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    assert signature("12345", url, form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
