"""Does every mutation leave its entry: for what it did, and for a refusal; and never a secret in one?

One story calls each mutation of the schema with success. A mutation that is added fails the last test until it has a
place in the story, or a reason.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.identity.model import Role
from graphql_api.needs import Access
from graphql_api.permissions import ROOT_FIELDS
from tests.api import PASSWORD, api_settings, running_api
from tests.authenticator import ORIGIN
from tests.integration.audit import story_of_people, story_of_work
from tests.integration.audit.watched_api import WITHOUT, WatchedApi
from tests.schema_operations import operation
from tests.second_factors import member

# What needs a counterpart that this story does not have; the test that shows its entry.
ELSEWHERE = {
    "completeFederatedSignIn": "tests/integration/identity/federation/test_federation.py",
    "linkIdentity": "tests/integration/identity/federation/test_federation.py",
    "unlinkIdentity": "tests/integration/identity/federation/test_federation.py",
    "deleteAttachment": "tests/integration/alerts/test_attachments_http.py",
    "replayRejectedItems": "tests/integration/test_receipts.py",
}
STORY = (
    story_of_work.alerts,
    story_of_work.integrations_and_documents,
    story_of_people.teams_and_schedules,
    story_of_people.shifts,
    story_of_work.thresholds_and_heartbeats,
    story_of_people.contact_methods,
    story_of_people.keys,
    story_of_people.people,
    story_of_people.second_factors,
    story_of_work.channels,
    story_of_work.alert_rules,
    story_of_work.groups,
    story_of_work.silences,
    story_of_people.privacy,
)


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[WatchedApi]:
    settings = api_settings(application_url, tmp_path, open_registration=True, public_url=ORIGIN)
    async with running_api(settings) as opened:
        yield WatchedApi(**vars(opened))


async def test_every_mutation_that_succeeds_is_on_the_log_without_a_secret(api: WatchedApi) -> None:
    admin = await api.person(Role.ADMIN)
    for chapter in STORY:
        await chapter(api, admin)
    missing = set(ROOT_FIELDS["Mutation"]) - api.shown.keys() - WITHOUT.keys() - ELSEWHERE.keys()
    assert missing == set(), "tell of them in the story, or why they leave no entry"

    entries = await api.since(0)
    told = json.dumps([[entry.before, entry.after] for entry in entries], default=str, ensure_ascii=False)
    assert {secret for secret in api.hidden | {PASSWORD} if secret in told} == set()


@pytest.mark.parametrize("mutation", sorted(ELSEWHERE))
def test_what_is_shown_elsewhere_is_shown_there(mutation: str) -> None:
    text = (Path(__file__).resolve().parents[3] / ELSEWHERE[mutation]).read_text()
    assert "audit_log" in text
    assert f'"{mutation}"' in text or f"'{mutation}'" in text or f" {mutation}(" in text


async def test_every_refused_mutation_is_on_the_log(api: WatchedApi) -> None:
    viewer = await api.person(Role.VIEWER)
    for name, need in ROOT_FIELDS["Mutation"].items():
        if need.access in (Access.ANYONE, Access.VIEWER):
            continue
        before = await api.newest()
        text, variables = operation("Mutation", name)
        answer = await api.ask(text, variables, who=viewer)
        assert answer["data"][name]["__typename"] == "Forbidden", (name, answer)
        (entry,) = await api.since(before)
        assert (entry.action, entry.outcome, entry.actor_id) == (name, "refused", viewer.id)
        assert (entry.session_id, entry.before, entry.after) == (viewer.session_id, None, None)


async def test_sign_ins_are_on_the_log_good_or_not(api: WatchedApi) -> None:
    one = await member(api, Role.OPERATOR)
    before = await api.newest()
    for _ in range(8):
        await one.login(password="wrong horse battery")
    entries = [entry for entry in await api.since(before) if entry.action == "login"]
    assert {entry.outcome for entry in entries} == {"failed", "refused"}
    failed = [entry for entry in entries if entry.outcome == "failed"]
    assert all(entry.actor_id == one.id for entry in failed)
    # Guessing on tells nothing new, and must not fill the log.
    assert len([entry for entry in entries if entry.outcome == "refused"]) == 1
