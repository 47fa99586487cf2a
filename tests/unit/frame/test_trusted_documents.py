"""Which text runs for a request, by its hash or by itself, and what the cache may still say (T4)."""

import json
from pathlib import Path

import pytest
from graphql import GraphQLError, build_schema

from domain.documents.model import document_hash
from graphql_api.documents.checking import checker
from graphql_api.documents.shipped import DamagedManifest, shipped_documents
from graphql_api.documents.trusted import CACHE_SECONDS, CACHED, TrustedDocuments
from graphql_api.graphql_request import BadRequest, GraphQLRequest, as_graphql_request
from graphql_api.limits import Documents, Limits
from graphql_api.schema import printed
from tocsin.settings import Settings

TEXT = "{ me { id } }"
HASH = document_hash(TEXT)
SHIPPED = "{ serverInfo { version } }"
OTHER = document_hash("{ other }")


class House:
    """A store, a clock, and the resolver over them."""

    def __init__(self, *, only: bool = False) -> None:
        self.rows = {HASH: TEXT}
        self.asked: list[str] = []
        self.now = 100.0
        settings = Settings(trusted_documents_only=only)
        shipped = {document_hash(SHIPPED): SHIPPED}
        self.trusted = TrustedDocuments(shipped, self.look_up, settings=settings, clock=lambda: self.now)

    async def look_up(self, hash_: str) -> str | None:
        self.asked.append(hash_)
        return self.rows.get(hash_)

    async def text(self, query: str = "", hash_: str | None = None) -> str:
        return (await self.trusted.resolved(GraphQLRequest(query=query, document_hash=hash_), None)).query

    async def code(self, query: str = "", hash_: str | None = None) -> str:
        with pytest.raises(GraphQLError) as refused:
            await self.text(query, hash_)
        assert refused.value.extensions is not None
        return str(refused.value.extensions["code"])


async def test_a_text_runs_as_it_is_and_costs_no_look_up() -> None:
    house = House()
    assert await house.text("{ other }") == "{ other }"
    assert house.asked == []


async def test_a_hash_stands_for_its_text() -> None:
    house = House()
    assert await house.text(hash_=HASH) == TEXT
    assert await house.text(TEXT, HASH) == TEXT
    assert await house.text(hash_=document_hash(SHIPPED)) == SHIPPED
    assert house.asked == [HASH]


async def test_a_hash_nobody_registered_is_said_so_and_looked_up_once_in_a_while() -> None:
    house = House()
    for _ in range(3):
        assert await house.code(hash_=OTHER) == "PERSISTED_QUERY_NOT_FOUND"
    assert house.asked == [OTHER]
    house.rows[OTHER] = "{ other }"
    house.now += CACHE_SECONDS + 1
    assert await house.text(hash_=OTHER) == "{ other }"


async def test_a_client_that_offers_a_text_registers_nothing() -> None:
    house = House()
    assert await house.text("{ other }", OTHER) == "{ other }"
    assert await house.code(hash_=OTHER) == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_hash_of_another_text_is_refused() -> None:
    assert await House().code("{ other }", HASH) == "PERSISTED_QUERY_HASH_MISMATCH"


async def test_a_removal_counts_within_seconds_elsewhere_and_at_once_where_it_was_made() -> None:
    house = House()
    assert await house.text(hash_=HASH) == TEXT
    del house.rows[HASH]
    assert await house.text(hash_=HASH) == TEXT
    house.now += CACHE_SECONDS + 0.1
    assert await house.code(hash_=HASH) == "PERSISTED_QUERY_NOT_FOUND"
    house.rows[HASH] = TEXT
    house.trusted.forget(HASH)
    assert await house.text(hash_=HASH) == TEXT


async def test_the_cache_is_bounded_and_the_least_used_makes_room() -> None:
    house = House()
    await house.text(hash_=HASH)
    for number in range(CACHED):
        await house.code(hash_=document_hash(str(number)))
        if number == CACHED // 2:
            await house.text(hash_=HASH)
    assert house.asked.count(HASH) == 1
    await house.text(hash_=HASH)
    assert house.asked.count(HASH) == 1
    for number in range(CACHED):
        await house.code(hash_=document_hash(f"more {number}"))
    await house.text(hash_=HASH)
    assert house.asked.count(HASH) == 2


async def test_where_only_registered_documents_run_a_text_runs_when_it_is_one() -> None:
    house = House(only=True)
    assert await house.text(hash_=HASH) == TEXT
    assert await house.text(TEXT) == TEXT
    assert await house.text(SHIPPED) == SHIPPED
    assert await house.code("{ other }") == "DOCUMENT_NOT_TRUSTED"
    assert await house.code("{ other }", OTHER) == "PERSISTED_QUERY_NOT_FOUND"
    assert await house.code(TEXT + " ") == "DOCUMENT_NOT_TRUSTED"


async def test_an_outage_keeps_its_cause_for_the_masking() -> None:
    house = House()

    async def away(_hash: str) -> str | None:
        raise ConnectionRefusedError

    broken = TrustedDocuments({}, away, settings=Settings())
    with pytest.raises(GraphQLError) as refused:
        await broken.resolved(GraphQLRequest(query="", document_hash=HASH), None)
    assert isinstance(refused.value.original_error, ConnectionRefusedError)
    assert house.asked == []


@pytest.mark.parametrize(
    "members",
    [
        {"documentId": f"sha256:{HASH}"},
        {"documentId": f"sha256:{HASH}", "query": None},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}},
        {"extensions": {"persistedQuery": {"sha256Hash": HASH}}, "documentId": f"sha256:{HASH}"},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}, "query": TEXT},
    ],
    ids=repr,
)
def test_a_hash_comes_in_either_form(members: dict[str, object]) -> None:
    assert as_graphql_request(members).document_hash == HASH


@pytest.mark.parametrize(
    "members",
    [
        {"documentId": HASH},
        {"documentId": f"sha256:{HASH.upper()}"},
        {"documentId": "sha256:abc"},
        {"documentId": f"x-own:{HASH}"},
        {"documentId": 7, "query": TEXT},
        {"documentId": f"sha256:{HASH}", "query": ""},
        {"documentId": f"sha256:{HASH}", "query": 7},
        {"documentId": f"sha256:{HASH}", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": OTHER}}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": HASH}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": HASH}},
        {"extensions": {}},
    ],
    ids=repr,
)
def test_what_is_no_hash_is_no_request(members: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        as_graphql_request(members)


def test_what_the_program_ships_would_pass_its_own_registration() -> None:
    check = checker(Documents(Limits.of(Settings())), build_schema(printed()))
    names = {name for text in shipped_documents().values() for name in check(text)}
    assert {"SignIn", "RefreshSession", "RegisterDocuments", "RemoveDocument", "TrustedDocuments"} <= names


def test_a_manifest_is_read_and_a_damaged_one_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "console.json").write_text(json.dumps({HASH: TEXT}))
    (tmp_path / "one.graphql").write_text(SHIPPED)
    assert shipped_documents(tmp_path) == {HASH: TEXT, document_hash(SHIPPED): SHIPPED}
    (tmp_path / "console.json").write_text(json.dumps({HASH: TEXT + "\n"}))
    with pytest.raises(DamagedManifest, match=r"console\.json"):
        shipped_documents(tmp_path)
