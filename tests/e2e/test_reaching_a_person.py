"""From a tool's post to a mail in somebody's box, as processes; and again after the senders were killed (A4, N4)."""

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.e2e.cluster import ADMIN, Cluster, wait_for
from tests.mail_server import MailServer, mail_server_beside, text_of

LINK = re.compile(r"http://127\.0\.0\.1:\d+/answer\?token=\S+")
POLICY = """mutation($input: CreateEscalationPolicyInput!) { createEscalationPolicy(input: $input) { __typename } }"""
STATES = """{ alerts { nodes { title status escalations { state } notifications { kind state } } } }"""


@pytest.fixture
def outside() -> Iterator[tuple[Cluster, MailServer]]:
    cluster = Cluster()
    with mail_server_beside() as server:
        cluster.more = {
            "TOCSIN_SMTP_URL": f"smtp://127.0.0.1:{server.port}",
            "TOCSIN_MAIL_FROM": "tocsin@example.com",
            "TOCSIN_NOTIFICATION_SPACING": "3",
        }
        try:
            cluster.start_stores()
            cluster.start_api()
            for role in ("relay", "worker", "scheduler"):
                cluster.start(role)
            yield cluster, server
        finally:
            cluster.close()


def post(cluster: Cluster, key: str, *titles: str, status: str = "firing") -> None:
    alerts = [{"title": title, "dedup_key": title, "severity": "critical", "status": status} for title in titles]
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx2.post(f"{cluster.url}/webhooks/generic", json=alerts, headers=headers, timeout=30)
    assert answer.status_code == 202, answer.text


def alerts(cluster: Cluster, token: str) -> dict[str, Any]:
    nodes = cluster.graphql(STATES, token=token)["alerts"]["nodes"]
    return {node["title"]: node for node in nodes}


def test_an_alert_wakes_somebody_who_answers_by_the_link(outside: tuple[Cluster, MailServer]) -> None:
    cluster, server = outside
    token, key = cluster.sign_in(), cluster.integration_key()
    me = cluster.graphql("{ me { id } }", token=token)["me"]["id"]
    target = [{"kind": "USER", "id": me}]
    steps = [{"delay": "PT0S", "targets": target}, {"delay": "PT1M", "targets": target}]
    cluster.graphql(POLICY, {"input": {"name": "Wake me", "steps": steps}}, token=token)
    inbox = server.inbox

    post(cluster, key, "Payments down")
    wait_for(lambda: len(inbox.mails) == 1, what="the mail is there", seconds=30)
    mail = inbox.mails[0]
    assert (mail["To"], mail["Subject"]) == (ADMIN[0], "[CRITICAL] Payments down")
    link = LINK.search(text_of(mail))
    assert link is not None
    assert httpx2.get(link[0], timeout=30).status_code == 200
    assert alerts(cluster, token)["Payments down"]["status"] == "ACTIVE", "to look is not to answer"
    assert "Acknowledged" in httpx2.post(link[0], timeout=30).text

    def is_paused() -> bool:
        found = alerts(cluster, token)["Payments down"]
        states = [one["state"] for one in found["notifications"]]
        return found["escalations"] == [{"state": "PAUSED"}] and states == ["SENT"]

    wait_for(is_paused, what="the answer stops the escalation", seconds=30)

    # Whoever sends is killed; what calls for somebody meanwhile is told when they are back, in one mail, once.
    for role in ("worker", "scheduler", "relay"):
        cluster.kill(role)
    post(cluster, key, *[f"Disk {number} full" for number in range(12)])
    post(cluster, key, "Payments down", status="resolved")
    for role in ("relay", "worker", "scheduler"):
        cluster.start(role)
    wait_for(lambda: len(inbox.mails) >= 2, what="the second mail is there", seconds=120)
    wait_until_settled(cluster, token)
    told = "\n".join(text_of(mail) for mail in inbox.mails[1:])
    for number in range(12):
        assert told.count(f"CRITICAL: Disk {number} full\n") == 1
    assert told.count("RESOLVED: Payments down\n") == 1


def wait_until_settled(cluster: Cluster, token: str) -> None:
    """Thirteen alerts, each told once, and one end; in mails three seconds apart."""

    def is_settled() -> bool:
        time.sleep(1)
        states = [one["state"] for found in alerts(cluster, token).values() for one in found["notifications"]]
        return len(states) == 14 and set(states) == {"SENT"}

    wait_for(is_settled, what="everything was told", seconds=150)
