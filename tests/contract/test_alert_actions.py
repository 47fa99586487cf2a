"""Do the use cases on alerts do the same over the fake and over PostgreSQL? Every test here runs on both."""

from datetime import timedelta
from functools import partial

import pytest

from domain.alerts.actions import attach, comment, edit, moves
from domain.alerts.actions.attach import StoredFile
from domain.alerts.attachments import MAX_FILES_PER_ALERT
from domain.alerts.edits import AlertPatch
from domain.alerts.events import Actor, ActorKind, AlertEventKind
from domain.alerts.model import AlertStatus, ResolvedBy, Severity
from domain.alerts.ports import Once
from domain.errors import (
    DomainError,
    IdempotencyConflict,
    IllegalMove,
    InvalidInput,
    NewerAlertOpen,
    NotFound,
    StaleVersion,
)
from domain.identity.model import Role
from domain.ids import new_id
from domain.silences.matchers import LabelMatcher, MatchOperator
from domain.silences.model import Silence
from tests.alert_builder import HOUR, NOON, an_alert
from tests.contract.alert_house import House


async def test_an_alert_goes_through_its_whole_life(house: House) -> None:
    alert = an_alert()
    await house.put(alert)
    viewer = await house.person()
    acting = house.acting(viewer)
    await moves.acknowledge_alert(acting, alert_id=alert.id, expected_version=1)
    await moves.investigate_alert(acting, alert_id=alert.id, expected_version=2)
    resolved = await moves.resolve_alert(acting, alert_id=alert.id, reason="new disk", hold=HOUR, expected_version=3)
    assert resolved == await house.alert(alert.id)
    assert (resolved.status, resolved.resolution, resolved.version) == (AlertStatus.RESOLVED, "new disk", 4)
    assert (resolved.resolved_by, resolved.hold_until) == (ResolvedBy.PERSON, house.clock.now() + HOUR)
    reopened = await moves.reopen_alert(acting, alert_id=alert.id, expected_version=4)
    assert (reopened.status, reopened.episode) == (AlertStatus.ACTIVE, 2)
    events = await house.events(alert.id)
    assert [event.kind.value for event in events] == ["acknowledged", "investigating", "resolved", "reopened"]
    assert {event.actor for event in events} == {Actor(ActorKind.USER, viewer.user_id)}
    assert [event.version for event in events] == [2, 3, 4, 5]


async def test_each_change_has_its_audit_row(house: House) -> None:
    alert = an_alert()
    await house.put(alert)
    viewer = await house.person()
    await moves.acknowledge_alert(house.acting(viewer), alert_id=alert.id)
    (entry,) = await house.audit()
    assert (entry.action, entry.target_kind, entry.target_id) == ("acknowledgeAlert", "alert", alert.id)
    assert (entry.actor_id, entry.session_id) == (viewer.user_id, viewer.session_id)
    assert (entry.request_id, entry.ip_address) == ("request-1", "192.0.2.7")
    assert entry.before == {"version": 1, "status": "active"}
    assert entry.after == {"version": 2, "status": "acknowledged"}


async def test_a_refusal_leaves_nothing_behind(house: House) -> None:
    alert = an_alert(status=AlertStatus.RESOLVED)
    await house.put(alert)
    acting = house.acting(await house.person())
    with pytest.raises(IllegalMove):
        await moves.acknowledge_alert(acting, alert_id=alert.id)
    assert await house.alert(alert.id) == alert
    assert await house.events(alert.id) == []
    assert await house.audit() == []


async def test_of_two_who_read_the_same_version_the_second_is_stale(house: House) -> None:
    alert = an_alert()
    await house.put(alert)
    acting = house.acting(await house.person())
    await edit.update_alert(acting, alert_id=alert.id, patch=AlertPatch(title="first"), expected_version=1)
    with pytest.raises(StaleVersion) as refusal:
        await edit.update_alert(acting, alert_id=alert.id, patch=AlertPatch(title="second"), expected_version=1)
    assert (refusal.value.expected, refusal.value.actual) == (1, 2)
    assert (await house.alert(alert.id)).title == "first"


async def test_an_edit_writes_every_kind_of_field(house: House) -> None:
    alert = an_alert(description="was", labels={"a": "1"})
    await house.put(alert)
    acting = house.acting(await house.person())
    patch = AlertPatch(
        title="Größe 💥", description=None, severity=Severity.LOW, service_name="shop", labels={"b": '"2"'}
    )
    await edit.update_alert(acting, alert_id=alert.id, patch=patch)
    after = await house.alert(alert.id)
    assert (after.title, after.description, after.severity) == ("Größe 💥", None, Severity.LOW)
    assert (after.service_name, after.labels) == ("shop", {"b": '"2"'})
    assert after.pinned == ("description", "labels", "service_name", "severity", "title")
    assert after.updated_at == house.clock.now()


async def test_absent_and_invisible_look_the_same(house: House) -> None:
    secret = await house.team(is_private=True)
    hidden = an_alert(team_id=secret)
    await house.put(hidden)
    outsider = house.acting(await house.person(Role.MANAGER))
    refusals = []
    for alert_id in (hidden.id, new_id()):
        with pytest.raises(NotFound) as refusal:
            await moves.acknowledge_alert(outsider, alert_id=alert_id)
        refusals.append((refusal.value.message, refusal.value.path))
    assert refusals[0] == refusals[1]
    for allowed in (await house.person(Role.OPERATOR, [secret]), await house.person(Role.ADMIN)):
        await comment.comment_on_alert(house.acting(allowed), alert_id=hidden.id, text="seen")


async def test_a_public_teams_alert_is_everybodys_to_change(house: House) -> None:
    alert = an_alert(team_id=await house.team())
    await house.put(alert)
    await moves.acknowledge_alert(house.acting(await house.person()), alert_id=alert.id)
    assert (await house.alert(alert.id)).status is AlertStatus.ACKNOWLEDGED


async def test_reopening_beside_a_newer_open_alert_is_refused_with_its_name(house: House) -> None:
    old = an_alert(status=AlertStatus.RESOLVED, dedup_key="manual:2:-:db")
    new = an_alert(dedup_key="manual:2:-:db")
    await house.put(old, new)
    with pytest.raises(NewerAlertOpen) as refusal:
        await moves.reopen_alert(house.acting(await house.person()), alert_id=old.id)
    assert refusal.value.newer_alert_id == new.id


async def test_an_alert_is_assigned_to_who_can_see_it(house: House) -> None:
    secret = await house.team(is_private=True)
    alert = an_alert(team_id=secret)
    await house.put(alert)
    member, outsider = await house.person(teams=[secret]), await house.person(Role.MANAGER)
    acting = house.acting(member)
    await edit.assign_alert(acting, alert_id=alert.id, assignee=member.user_id)
    assert (await house.alert(alert.id)).assigned_to == member.user_id
    for nobody in (outsider.user_id, new_id(), (await house.person(is_active=False)).user_id):
        with pytest.raises(InvalidInput) as refusal:
            await edit.assign_alert(acting, alert_id=alert.id, assignee=nobody)
        assert refusal.value.path == ("assigneeId",)
    await edit.assign_alert(acting, alert_id=alert.id, assignee=None)
    assert (await house.alert(alert.id)).assigned_to is None


async def test_assigning_again_changes_nothing_but_is_on_the_audit_log(house: House) -> None:
    alert = an_alert()
    await house.put(alert)
    viewer = await house.person()
    for _ in range(2):
        await edit.assign_alert(house.acting(viewer), alert_id=alert.id, assignee=viewer.user_id)
    assert (await house.alert(alert.id)).version == 2
    assert [event.kind for event in await house.events(alert.id)] == [AlertEventKind.ASSIGNED]
    assert [entry.action for entry in await house.audit()] == ["assignAlert", "assignAlert"]


async def test_a_comment_sent_twice_is_written_once(house: House) -> None:
    alert = an_alert()
    await house.put(alert)
    acting = house.acting(await house.person())
    once = Once(mutation="commentOnAlert", key="k1", input_digest=b"a")
    first = await comment.comment_on_alert(acting, alert_id=alert.id, text="looking", once=once)
    second = await comment.comment_on_alert(acting, alert_id=alert.id, text="looking", once=once)
    assert first == second
    (event,) = await house.events(alert.id)
    assert (event.id, event.data["comment"]) == (first.event_id, "looking")
    other = Once(mutation="commentOnAlert", key="k1", input_digest=b"b")
    with pytest.raises(IdempotencyConflict):
        await comment.comment_on_alert(acting, alert_id=alert.id, text="another", once=other)


async def test_a_key_is_anothers_own_and_counts_for_a_day(house: House) -> None:
    alert = an_alert()
    await house.put(alert)
    anna, bert = house.acting(await house.person()), house.acting(await house.person())
    once = Once(mutation="commentOnAlert", key="k1", input_digest=b"a")
    await comment.comment_on_alert(anna, alert_id=alert.id, text="1", once=once)
    await comment.comment_on_alert(bert, alert_id=alert.id, text="1", once=once)
    house.clock.time += timedelta(hours=24)
    await comment.comment_on_alert(anna, alert_id=alert.id, text="1", once=once)
    assert len(await house.events(alert.id)) == 3


async def test_many_are_changed_at_once_with_a_result_each(house: House) -> None:
    open_one, done = an_alert(), an_alert(status=AlertStatus.RESOLVED)
    hidden = an_alert(team_id=await house.team(is_private=True))
    await house.put(open_one, done, hidden)
    acting = house.acting(await house.person())
    absent = new_id()
    outcomes = await moves.acknowledge_alerts(acting, ids=[done.id, open_one.id, absent, hidden.id, open_one.id])
    assert [outcome.id for outcome in outcomes] == [done.id, open_one.id, absent, hidden.id]
    kinds: list[type[DomainError] | None] = [type(o.error) if o.error else None for o in outcomes]
    assert kinds == [IllegalMove, None, NotFound, NotFound]
    assert outcomes[1].alert == await house.alert(open_one.id)
    assert (await house.alert(open_one.id)).status is AlertStatus.ACKNOWLEDGED
    assert (await house.alert(hidden.id)).version == 1
    assert [entry.target_id for entry in await house.audit()] == [open_one.id]


async def test_bulk_resolve_and_assign(house: House) -> None:
    alerts = [an_alert(status=status) for status in (AlertStatus.ACTIVE, AlertStatus.INVESTIGATING)]
    await house.put(*alerts)
    viewer = await house.person()
    ids = [alert.id for alert in alerts]
    await edit.assign_alerts(house.acting(viewer), ids=ids, assignee=viewer.user_id)
    await moves.resolve_alerts(house.acting(viewer), ids=ids, reason="storm over", false_positive=True, hold=HOUR)
    for alert_id in ids:
        after = await house.alert(alert_id)
        assert (after.assigned_to, after.status, after.is_false_positive) == (
            viewer.user_id,
            AlertStatus.RESOLVED,
            True,
        )


@pytest.mark.parametrize("count", [0, 101])
async def test_none_and_too_many_are_refused(house: House, count: int) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await moves.acknowledge_alerts(house.acting(await house.person()), ids=[new_id() for _ in range(count)])
    assert refusal.value.path == ("ids",)


async def test_new_labels_bring_an_alert_under_a_standing_silence(house: House) -> None:
    alert = an_alert(labels={"env": "prod"})
    silence = Silence(
        id=new_id(),
        matchers=(LabelMatcher("env", MatchOperator.EQUAL, "test"),),
        starts_at=NOON - HOUR,
        ends_at=NOON + HOUR,
        created_by="anna",
        comment="rebuild",
        updated_at=NOON,
    )
    await house.put(alert)
    await house.silence(silence)
    acting = house.acting(await house.person())
    await edit.update_alert(acting, alert_id=alert.id, patch=AlertPatch(labels={"env": "test"}))
    assert (await house.alert(alert.id)).suppressed_by == (silence.id,)
    await edit.update_alert(acting, alert_id=alert.id, patch=AlertPatch(labels={"env": "prod"}))
    assert (await house.alert(alert.id)).suppressed_by == ()


def _file(name: str = "graph.png") -> StoredFile:
    return StoredFile(
        attachment_id=new_id(), file_name=name, content_type="image/png", size_bytes=3, sha256=b"\x01" * 32
    )


async def test_a_file_comes_onto_an_alert_and_off_it(house: House) -> None:
    alert = an_alert()
    await house.put(alert)
    viewer = await house.person()
    acting = house.acting(viewer)
    after, attachment = await attach.attach_file(acting, alert_id=alert.id, file=_file())
    assert (after.version, attachment.uploaded_by) == (2, viewer.user_id)
    assert attachment.object_key == f"attachments/{alert.id}/{attachment.id}"
    _, removed = await attach.delete_attachment(acting, attachment_id=attachment.id)
    assert removed == attachment
    with pytest.raises(NotFound):
        await attach.delete_attachment(acting, attachment_id=attachment.id)
    added, taken = await house.events(alert.id)
    assert (added.kind, taken.kind) == (AlertEventKind.ATTACHMENT_ADDED, AlertEventKind.ATTACHMENT_REMOVED)
    assert added.data["attachment"]["fileName"] == "graph.png"
    assert [entry.action for entry in await house.audit()] == ["attachFile", "deleteAttachment"]


async def test_an_alert_takes_only_so_many_files(house: House) -> None:
    alert = an_alert()
    await house.put(alert)
    acting = house.acting(await house.person())
    put = partial(attach.attach_file, acting, alert_id=alert.id)
    for _ in range(MAX_FILES_PER_ALERT):
        await put(file=_file())
    with pytest.raises(InvalidInput):
        await put(file=_file())


async def test_files_of_invisible_alerts_are_not_there(house: House) -> None:
    secret = await house.team(is_private=True)
    alert = an_alert(team_id=secret)
    await house.put(alert)
    member, outsider = house.acting(await house.person(teams=[secret])), house.acting(await house.person())
    with pytest.raises(NotFound):
        await attach.attach_file(outsider, alert_id=alert.id, file=_file())
    _, attachment = await attach.attach_file(member, alert_id=alert.id, file=_file())
    with pytest.raises(NotFound):
        await attach.delete_attachment(outsider, attachment_id=attachment.id)
