"""Does a person's own webhook get what is theirs, signed, and nothing before it is proved? Over real TLS (N1, N4)."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.model import Role
from jobs.paging import page
from jobs.texts import send_texts
from tests.api import Api, Person, api_settings, running_api
from tests.certificates import make_certificate
from tests.integration.channels.provider import Post, Provider, provider
from tests.jobs_by_hand import JobsByHand, opened

MINUTE = timedelta(minutes=1)
ADDED = "signingSecret contactMethod { id kind address isUsable disabledReason }"
MINE = "{ me { contactMethods { id kind address isUsable disabledReason } } }"
TOLD = """query($id: ID!) { alert(id: $id) { status
  notifications { kind state contactKind problem answer attempts } } }"""


class Days(JobsByHand):
    """The jobs of escalations and of what goes to a person's own ways."""

    def __init__(self, api: Api, engine: AsyncEngine, database: asyncpg.Connection, *, server: Provider) -> None:
        super().__init__(api, engine, database)
        self.server = server

    async def tick(self, later: timedelta = timedelta(0)) -> None:
        self.now += later
        await page(self.engine, self.api.settings, self.now)
        await send_texts(self.engine, self.api.settings, self.now)

    async def added(self, who: Person, path: str = "/mine") -> dict[str, Any]:
        """A webhook that is not proved yet, and the code that went to it."""
        what = {"kind": "WEBHOOK", "address": f"{self.server.url}{path}"}
        answer = await self.api.change("addContactMethod", what, ADDED, who=who)
        assert answer["__typename"] == "AddContactMethodSuccess", answer
        await send_texts(self.engine, self.api.settings, self.api.clock.now())
        return answer

    async def proved(self, who: Person, path: str = "/mine") -> dict[str, Any]:
        answer = await self.added(who, path)
        code = orjson.loads(self.server.posts.pop().body)["code"]
        proof = {"id": answer["contactMethod"]["id"], "code": code}
        done = await self.api.change("verifyContactMethod", proof, "contactMethod { isUsable }", who=who)
        assert done["contactMethod"]["isUsable"]
        self.now = self.api.clock.now()
        return answer

    async def escalates_to(self, who: Person) -> None:
        manager = await self.api.person(Role.MANAGER)
        targets = [{"kind": "USER", "id": str(who.id)}]
        what = {"name": "Tell them", "steps": [{"delay": "PT0S", "targets": targets}]}
        answer = await self.api.change("createEscalationPolicy", what, "policy { id }", who=manager)
        assert answer["__typename"] == "CreateEscalationPolicySuccess", answer

    async def state(self, alert_id: str, who: Person) -> dict[str, Any]:
        found = (await self.api.data(TOLD, {"id": alert_id}, who=who))["alert"]["notifications"]
        (one,) = [one for one in found if one["contactKind"] == "WEBHOOK"]
        told: dict[str, Any] = one
        return told


@pytest.fixture
async def days(application_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Days]:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    settings = api_settings(application_url, tmp_path, outbound_allowed_networks="127.0.0.0/8")
    async with (
        provider(certificate) as server,
        running_api(settings) as api,
        opened(partial(Days, server=server), api, application_url) as made,
    ):
        yield made


@pytest.fixture
async def ann(days: Days) -> Person:
    return await days.api.person(Role.OPERATOR, email="ann@example.com")


def is_ours(secret: str, post: Post) -> bool:
    """As docs/channels.md tells receivers to check."""
    at, _, digest = post.headers["x-tocsin-signature"].partition(",v1=")
    expected = hmac.new(secret.encode(), at[2:].encode() + b"." + post.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, digest)


async def test_a_webhook_is_proved_by_its_code_and_told_with_a_signature(days: Days, ann: Person) -> None:
    answer = await days.added(ann)
    (post,) = days.server.posts
    told = orjson.loads(post.body)
    assert (told["kind"], len(told["code"])) == ("code", 6)
    assert is_ours(answer["signingSecret"], post)
    method_id = answer["contactMethod"]["id"]
    wrong = {"id": method_id, "code": f"{(int(told['code']) + 1) % 1_000_000:06}"}
    refused = await days.api.change("verifyContactMethod", wrong, "contactMethod { id }", who=ann)
    assert refused["__typename"] == "InvalidCredentials"
    right = {"id": method_id, "code": told["code"]}
    await days.api.change("verifyContactMethod", right, "contactMethod { id }", who=ann)
    days.now = days.api.clock.now()
    days.server.posts.clear()

    await days.escalates_to(ann)
    alert_id = await days.alert()
    await days.tick()
    (post,) = days.server.posts
    assert is_ours(answer["signingSecret"], post)
    told = orjson.loads(post.body)
    assert (told["kind"], told["summary"]) == ("notification", "[CRITICAL] Payments down (shop)")
    (one,) = told["notifications"]
    assert (one["kind"], one["alert"]["id"], one["why"]) == (
        "page",
        alert_id,
        "step 1: you are named by it; by all your contact methods",
    )
    assert "/answer?token=" in one["answerUrl"]
    state = await days.state(alert_id, ann)
    assert (state["state"], state["answer"]) == ("SENT", "status 200")


async def test_nothing_but_a_code_goes_to_one_that_is_not_proved(days: Days, ann: Person) -> None:
    await days.added(ann)
    days.server.posts.clear()
    await days.escalates_to(ann)
    await days.alert()
    await days.tick()
    assert days.server.posts == []
    test = await days.api.change(
        "testNotification",
        {"contactMethodId": (await days.api.data(MINE, who=ann))["me"]["contactMethods"][1]["id"]},
        "notification { id }",
        who=ann,
    )
    assert test["code"] == "INVALID_INPUT"


async def test_the_secret_is_shown_once_and_kept_sealed(days: Days, ann: Person) -> None:
    """Secrets at rest are encrypted and do not come back out. ASVS 5 V13.3.1, API3:2023."""
    what = {"kind": "WEBHOOK", "address": f"{days.server.url}/mine", "idempotencyKey": "once"}
    first = await days.api.change("addContactMethod", what, ADDED, who=ann)
    again = await days.api.change("addContactMethod", what, ADDED, who=ann)
    assert len(first["signingSecret"]) >= 43
    assert (again["signingSecret"], again["contactMethod"]["id"]) == (None, first["contactMethod"]["id"])
    stored = await days.database.fetchrow("SELECT * FROM contact_methods")
    assert stored is not None
    for value in stored.values():
        assert first["signingSecret"] not in str(value)
        assert first["signingSecret"].encode() not in (value if isinstance(value, bytes) else b"")
    written = await days.database.fetchval("SELECT string_agg(coalesce(after::text, ''), '') FROM audit_log")
    assert first["signingSecret"] not in written
    assert "/mine" not in written
    manager = await days.api.person(Role.MANAGER)
    query = "query($id: ID!) { user(id: $id) { contactMethods { kind address } } }"
    seen = (await days.api.data(query, {"id": str(ann.id)}, who=manager))["user"]["contactMethods"]
    assert seen[1] == {"kind": "WEBHOOK", "address": "127.0.0.1/•••"}


async def test_a_webhook_that_fails_is_tried_again_and_holds_up_nobody(days: Days, ann: Person) -> None:
    bob = await days.api.person(Role.OPERATOR)
    await days.proved(ann)
    await days.proved(bob, "/bobs")
    await days.escalates_to(ann)
    days.server.answers += [(503, {}), (429, {"retry-after": "300"})]
    alert_id = await days.alert()
    await days.tick()
    state = await days.state(alert_id, ann)
    assert (state["state"], state["problem"]) == ("MAILED", "status 503")
    await days.tick(timedelta(seconds=31))
    await days.tick(4 * MINUTE)
    assert len(days.server.posts) == 2, "as long as it says"
    test = {"contactMethodId": (await days.api.data(MINE, who=bob))["me"]["contactMethods"][1]["id"]}
    await days.api.change("testNotification", test, "notification { id }", who=bob)
    await days.tick(MINUTE)
    assert sorted(post.path for post in days.server.posts[2:]) == ["/bobs", "/mine"]
    deliveries = [post.headers["x-tocsin-delivery"] for post in days.server.posts if post.path == "/mine"]
    assert len(set(deliveries)) == 1, "a repeat is told by its id"
    assert (await days.state(alert_id, ann))["state"] == "SENT"


async def test_one_that_is_gone_is_given_up_and_mail_takes_its_place(days: Days, ann: Person) -> None:
    method_id = (await days.proved(ann))["contactMethod"]["id"]
    rule = {"severities": ["CRITICAL"], "steps": [{"contactMethodId": method_id, "delay": "PT0S"}]}
    await days.api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=ann)
    await days.escalates_to(ann)
    days.server.answers.append((410, {}))
    alert_id = await days.alert()
    await days.tick()
    await days.tick(timedelta(seconds=1))
    found = (await days.api.data(TOLD, {"id": alert_id}, who=ann))["alert"]["notifications"]
    assert {one["contactKind"]: one["state"] for one in found} == {"WEBHOOK": "FAILED", "EMAIL": "MAILED"}
    (method,) = [one for one in (await days.api.data(MINE, who=ann))["me"]["contactMethods"] if one["id"] == method_id]
    assert (method["isUsable"], method["disabledReason"]) == (False, "status 410")


async def test_what_a_webhook_answers_is_shown_to_nobody(days: Days, ann: Person) -> None:
    """A person's webhook is no way to read what is behind the server. API7:2023."""
    await days.proved(ann)
    await days.escalates_to(ann)
    days.server.answers.append((400, {}))
    alert_id = await days.alert()
    await days.tick()
    state = await days.state(alert_id, ann)
    assert (state["state"], state["problem"], state["answer"]) == ("FAILED", "status 400", None)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/",
        "https://user:pass@example.com/",
        "https:///nowhere",
        "ftp://example.com/",
        "https://exa mple.com/",
        "javascript:alert(1)",
        "https://example.com/" + "x" * 2_000,
    ],
    ids=["plain", "password", "no host", "ftp", "space", "script", "long"],
)
async def test_what_is_no_address_of_a_webhook_is_refused(days: Days, ann: Person, address: str) -> None:
    """Input is checked where it comes in. ASVS 5 V2.2.1."""
    answer = await days.api.change("addContactMethod", {"kind": "WEBHOOK", "address": address}, ADDED, who=ann)
    assert (answer["code"], answer["path"]) == ("INVALID_INPUT", ["address"])


async def test_an_address_inside_is_never_called(
    application_url: str, tmp_path: Path, days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any signed-in person may add a webhook: none leads into our own network. API7:2023, ASVS 5 V1.3.6."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    closed = api_settings(application_url, tmp_path)
    eve = await days.api.person(Role.VIEWER)
    for host in ("localhost", "127.0.0.1", "[::1]", "2130706433", "169.254.169.254"):
        what = {"kind": "WEBHOOK", "address": f"https://{host}:{days.server.port}/"}
        days.api.clock.ahead += timedelta(hours=1)
        await days.api.change("addContactMethod", what, ADDED, who=eve)
        await send_texts(days.engine, closed, days.api.clock.now())
    assert days.server.posts == []
    problems = await days.database.fetch("SELECT failed_at, last_error FROM text_messages")
    assert all(row["failed_at"] is not None or "not reached" in row["last_error"] for row in problems)
