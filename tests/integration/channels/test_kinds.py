"""Is a kind of channel a file and a registration: sent by, in the schema, with a form a client can draw? (N1)."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from domain.channels import kinds
from domain.channels.actions import checked_values
from domain.channels.kind import ChannelField, ChannelKind, FieldForm
from domain.channels.model import Channel
from domain.errors import InvalidInput
from domain.ids import new_id
from jobs.channels import senders
from jobs.channels.contract import JSON, Item, Request
from jobs.channels.posting import posting
from persistence.channel_notifications import claim
from persistence.channels import ChannelRepository
from persistence.tables import channels
from persistence.unit_of_work import UnitOfWork
from tests.api import Api, Person
from tests.integration.channels.provider import Provider
from tests.integration.channels.work import HOUR, Work, escalate_to
from tests.services.node import node_path, printed_by

# All there is to a new kind: what it is, and what it posts.
PIGEON = ChannelKind(
    name="pigeon",
    title="Pigeon",
    description="A bird that carries one line.",
    help="Feed it.",
    fields=(
        ChannelField(name="loft", label="Loft", description="Where it flies to.", form=FieldForm.HTTPS_URL),
        ChannelField(
            name="ring", label="Ring", description="Its number.", form=FieldForm.TEXT, pattern="[A-Z]{2}[0-9]+"
        ),
    ),
)


def pigeon(values: Mapping[str, str], items: Sequence[Item], *, now: datetime) -> list[Request]:
    del now
    lines = {"ring": values["ring"], "lines": [item.text or item.told.title for item in items]}
    carries = tuple(item.id for item in items)
    return [Request(url=values["loft"], body=orjson.dumps(lines), headers=JSON, carries=carries)]


async def add(api: Api, url: str) -> Channel:
    now = api.clock.now()
    values = checked_values(PIGEON, {"loft": url, "ring": "DE77"})
    made = Channel(id=new_id(), name="Bird", kind=PIGEON, values=values, created_at=now, updated_at=now)
    async with UnitOfWork(api.engine) as uow:
        assert await ChannelRepository(uow.connection).add(made)
        await uow.commit()
    return made


async def test_a_new_kind_is_sent_by_as_any_other(api: Api, manager: Person, work: Work, server: Provider) -> None:
    with kinds.registered(PIGEON), senders.sending(PIGEON, posting(pigeon)):
        made = await add(api, f"{server.url}/loft")
        await escalate_to(api, manager, str(made.id))
        what = {"channelId": str(made.id), "kind": "PAGE", "source": "coo: {{ alert.title }}"}
        await api.change("setMessageTemplate", what, "template { id }", who=manager)
        server.answers.append((503, {}))
        alert_id = await work.alert(title="Fox in the loft")
        assert await work.tick() == 0
        assert await work.tick(HOUR) == 1
        assert orjson.loads(server.posts[-1].body) == {"ring": "DE77", "lines": ["coo: Fox in the loft"]}
        query = "query($id: ID!) { alert(id: $id) { notifications { state attempts answer } } }"
        (one,) = (await api.data(query, {"id": alert_id}, who=manager))["alert"]["notifications"]
        assert one == {"state": "SENT", "attempts": 2, "answer": "200 ok"}


async def test_what_is_for_a_kind_of_a_newer_version_is_left_to_it(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
) -> None:
    """Two versions run side by side while one replaces the other: the old one loses no page of the new one's kinds."""
    with kinds.registered(PIGEON):
        made = await add(api, f"{server.url}/loft")
        await escalate_to(api, manager, str(made.id))
        await work.alert()
    assert await work.tick() == 0
    assert (await api.data("{ channels { id } }", who=manager))["channels"] == []
    renamed = await api.change("updateChannel", {"id": str(made.id), "name": "x"}, "channel { id }", who=manager)
    assert renamed["code"] == "NOT_FOUND"
    with kinds.registered(PIGEON), senders.sending(PIGEON, posting(pigeon)):
        (claimed,) = await claim(work.engine, limit=10, now=work.now)
        assert (claimed.channel.kind, len(claimed.notifications)) == (PIGEON, 1)
    async with work.engine.connect() as connection:
        assert await connection.scalar(sa.select(channels.c.kind)) == "pigeon"


SCHEMA_WITH_IT = """
from domain.channels import kinds
from domain.channels.kind import ChannelKind
kinds.register(ChannelKind(name="pigeon", title="Pigeon", description="A bird.", help="Feed it.", fields=()))
from graphql_api.channels.selection import documents
from graphql_api.schema import build_schema
found = build_schema(documents())._schema.type_map["ChannelKind"].values
print({name: value.description for name, value in found.items()})
"""


def test_the_schema_has_every_kind_there_is() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCHEMA_WITH_IT], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "'PIGEON': 'A bird.'" in done.stdout
    assert "'SLACK_BOT': " in done.stdout


def test_a_kind_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no name"):
        ChannelKind(name="Two words", title="", description="", help="", fields=())
    with pytest.raises(ValueError, match="two fields"):
        ChannelKind(name="twice", title="", description="", help="", fields=PIGEON.fields[:1] * 2)
    with kinds.registered(PIGEON), pytest.raises(ValueError, match="two kinds"):
        kinds.register(PIGEON)


KINDS = """{ channelKinds { kind title description help takesTemplates follows hasButtons answersBack
  fields { name label description form isSecret isRequired least most pattern } } }"""
# A client that draws a form of what `channelKinds` says, and says what its browser would: HTML's own rules.
FORM = """
const { kinds, tries } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const input = (field) => field.form === "GRAPHQL_SELECTION"
  ? `<textarea name="${field.name}" maxlength="${field.most}"></textarea>`
  : `<input name="${field.name}" type="${field.isSecret ? "password" : field.form === "HTTPS_URL" ? "url" : "text"}"`
    + ` minlength="${field.least}" maxlength="${field.most}"${field.isRequired ? " required" : ""}`
    + (field.pattern ? ` pattern="${field.pattern}"` : "") + ">";
const drawn = kinds.map((kind) => `<form title="${kind.title}">${kind.fields
  .map((field) => `<label>${field.label}${input(field)}<small>${field.description}</small></label>`).join("")}</form>`);
const takes = (field, value) => {
  if (value === "") return !field.isRequired;
  if (value.length < field.least || value.length > field.most) return false;
  return !field.pattern || new RegExp(`^(?:${field.pattern})$`, "v").test(value);
};
const fieldOf = (t) => kinds.find((kind) => kind.kind === t.kind).fields.find((field) => field.name === t.field);
console.log(JSON.stringify({ drawn, taken: tries.map((t) => takes(fieldOf(t), t.value)) }));
"""
SAMPLES = ("", "x", "https://example.test/hook", "http://example.test/hook", "R" * 32, "r" * 33, "a secret " * 3)


async def test_a_client_draws_the_form_and_lets_through_what_is_taken(api: Api, manager: Person) -> None:
    found: list[dict[str, Any]] = (await api.data(KINDS, who=manager))["channelKinds"]
    assert [one["kind"] for one in found] == [kind.name.upper() for kind in kinds.all_kinds()]
    assert {one["kind"] for one in found if one["hasButtons"]} == {"SLACK_BOT"}
    tries = [
        {"kind": kind["kind"], "field": field["name"], "value": value}
        for kind in found
        for field in kind["fields"]
        if field["form"] != "GRAPHQL_SELECTION"
        for value in SAMPLES
    ]
    answer = await asyncio.to_thread(drawn, {"kinds": found, "tries": tries})
    assert len(answer["drawn"]) == len(found)
    assert '<label>Integration key<input name="routingKey" type="password" minlength="32" maxlength="32" required' in (
        "".join(answer["drawn"])
    )
    for one, is_let_through in zip(tries, answer["taken"], strict=True):
        assert is_let_through == takes(kinds.kind_named(one["kind"].lower()), one["field"], one["value"]), one


def drawn(asked: object) -> dict[str, Any]:
    """What the client answers."""
    answer: dict[str, Any] = json.loads(printed_by([node_path(), "-e", FORM], given=json.dumps(asked)))
    return answer


def takes(kind: ChannelKind, name: str, value: str) -> bool:
    """Whether the server takes the value, of all fields that one."""
    good = {"url": "https://a.test/", "secret": "s" * 16, "routingKey": "R" * 32, "conversation": "#alerts"}
    values = {field.name: good[field.name] for field in kind.fields if field.is_required} | {name: value}
    try:
        checked_values(kind, values)
    except InvalidInput as error:
        return list(error.path) != ["values", name]
    return True
