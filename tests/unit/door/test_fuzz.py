"""Can any request make the door fail? Whatever the method, address, headers and bytes: an answer, and never a 500."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.integrations.model import IntegrationSource
from graphql_api.webhooks import alertmanager_v2
from graphql_api.webhooks.sources import SOURCES
from tests.door import FakeState, call, door_of

KEYS = {source: IntegrationSource(source) for source in (*SOURCES, "pagerduty")}
ADDRESSES = st.one_of(
    st.sampled_from([f"/webhooks/{source}" for source in SOURCES]),
    st.sampled_from(["/v2/enqueue", "/api/v2/alerts", "/api/v2/status", "/api/v2/receivers", "/api/v2/silence/x"]),
    st.text(max_size=20).map(lambda text: "/webhooks/" + text),
    st.text(max_size=20).map(lambda text: "/api/v2/" + text),
)
METHODS = st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "DELETE", "HEAD", "QUERY"])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["alerts", "labels", "title", "status", "Type", "a"]), inner, max_size=4)
    ),
    max_leaves=12,
)
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=100).map(gzip.compress),
)
HEADER_VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00"), max_size=30)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "authorization": HEADER_VALUES | st.sampled_from([f"Bearer {key}" for key in KEYS]),
        "x-api-key": HEADER_VALUES | st.sampled_from([*KEYS]),
        "content-type": HEADER_VALUES | st.sampled_from(["application/json", "text/plain"]),
        "content-encoding": HEADER_VALUES | st.sampled_from(["gzip", "identity"]),
        "content-length": HEADER_VALUES | st.integers(0, 10**9).map(str),
        "x-routing-key": HEADER_VALUES,
    },
)
QUERIES = st.sampled_from(["", "key=generic", "key=%ff%fe", "key=prometheus&filter=a%3Db", "filter=%00"])


@pytest.fixture(scope="module", autouse=True)
def no_alerts() -> Iterator[None]:
    """There is no database behind this door: who may read the alerts finds none."""

    async def none(*_: object, **__: object) -> AsyncIterator[list[object]]:
        pages: list[list[object]] = []
        for page in pages:
            yield page

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alertmanager_v2, "open_alerts", none)
        yield


@settings(max_examples=400, deadline=None)
@given(method=METHODS, path=ADDRESSES, headers=HEADERS, body=BODIES, query=QUERIES)
def test_every_request_is_answered(method: str, path: str, headers: dict[str, str], body: bytes, query: str) -> None:
    app, state = door_of(**KEYS)
    assert isinstance(state, FakeState)
    answer = asyncio.run(call(app, method, path, headers=headers, body=body, query=query))
    assert 200 <= answer.status < 500, (answer.status, answer.body)
    assert answer.receipt_id.version == 7
    assert answer.headers["content-length"] == str(len(answer.body))
    if answer.body:
        assert answer.json is not None
