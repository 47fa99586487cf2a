"""Has the application's lesser database role all the rights that working on alerts takes?"""

from pathlib import Path

from domain.identity.model import Role
from tests.api import api_settings, running_api


async def test_an_alert_is_worked_on_by_the_lesser_role(application_url: str, tmp_path: Path) -> None:
    async with running_api(api_settings(application_url, tmp_path)) as api:
        operator = await api.person(Role.OPERATOR)
        draft = {"title": "Disk full", "severity": "HIGH", "idempotencyKey": "k"}
        made = await api.change("createAlert", draft, "alert { id }", who=operator)
        alert_id = made["alert"]["id"]
        sent = await api.http.post(
            f"/attachments/{alert_id}?fileName=a.log", content=b"full", headers=api.headers(operator)
        )
        assert sent.status_code == 201, sent.text
        for mutation, more in (
            ("acknowledgeAlert", {}),
            ("commentOnAlert", {"text": "on it", "idempotencyKey": "k"}),
            ("assignAlert", {"assigneeId": str(operator.id)}),
            ("updateAlert", {"labels": {"env": "prod"}}),
            ("resolveAlert", {}),
        ):
            answer = await api.change(mutation, {"id": alert_id, **more}, "alert { id }", who=operator)
            assert answer["__typename"].endswith("Success"), answer
        removed = await api.change("deleteAttachment", {"id": sent.json()["id"]}, "alert { id }", who=operator)
        assert removed["__typename"] == "DeleteAttachmentSuccess"
        query = """query($id: ID!) { alertCounts { total } alertGroups { totalCount } alert(id: $id) {
            decisions { __typename } attachments { id } timeline { totalCount nodes { actor { __typename } } } } }"""
        shown = await api.data(query, {"id": alert_id}, who=operator)
        assert shown["alertCounts"]["total"] == 1
        assert shown["alert"]["timeline"]["totalCount"] == 8
