"""From a tool's post to a text message on a phone, and by its reply to an acknowledged alert, as processes (N2, N4)."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from tests.e2e.cluster import Cluster, wait_for
from tests.twilio_double import TwilioDouble, reply_form, signed, status_form, twilio_double_beside

NUMBER = "+4915123456789"
PUBLIC = "https://tocsin.example.com"
STATES = "{ alerts { nodes { status escalations { state } notifications { contactKind state } } } }"
ADD = """mutation($input: AddContactMethodInput!) { addContactMethod(input: $input) {
  ... on AddContactMethodSuccess { contactMethod { id } } ... on UserError { message } } }"""
VERIFY = """mutation($input: VerifyContactMethodInput!) { verifyContactMethod(input: $input) {
  ... on VerifyContactMethodSuccess { contactMethod { isUsable } } ... on UserError { message } } }"""
POLICY = "mutation($input: CreateEscalationPolicyInput!) { createEscalationPolicy(input: $input) { __typename } }"


@pytest.fixture
def outside() -> Iterator[tuple[Cluster, TwilioDouble]]:
    cluster = Cluster()
    with twilio_double_beside() as twilio:
        settings = {f"TOCSIN_{name.upper()}": value for name, value in twilio.settings().items()}
        cluster.more = {**settings, "TOCSIN_PUBLIC_URL": PUBLIC, "TOCSIN_NOTIFICATION_SPACING": "3"}
        try:
            cluster.start_stores()
            cluster.start_api()
            for role in ("relay", "worker", "scheduler"):
                cluster.start(role)
            yield cluster, twilio
        finally:
            cluster.close()


def call(cluster: Cluster, path: str, form: dict[str, str]) -> httpx2.Response:
    """Twilio calls, through the proxy that has the public address."""
    headers = signed(PUBLIC + path, form)
    return httpx2.post(cluster.url + path, content=urlencode(form), headers=headers, timeout=30)


def test_a_page_on_a_phone_is_answered_by_a_reply(outside: tuple[Cluster, TwilioDouble]) -> None:
    cluster, twilio = outside
    token, key = cluster.sign_in(), cluster.integration_key()
    asked = {"input": {"kind": "SMS", "address": NUMBER}}
    made = cluster.graphql(ADD, asked, token=token)["addContactMethod"]["contactMethod"]
    wait_for(lambda: len(twilio.sent) == 1, what="the code is there", seconds=60)
    code = re.search(r"\d{6}", twilio.sent[0].body)
    assert code is not None
    proof = {"input": {"id": made["id"], "code": code[0]}}
    assert cluster.graphql(VERIFY, proof, token=token)["verifyContactMethod"]["contactMethod"]["isUsable"]

    me = cluster.graphql("{ me { id } }", token=token)["me"]["id"]
    steps = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": me}]}]
    cluster.graphql(POLICY, {"input": {"name": "Wake me", "steps": steps}}, token=token)
    alert = {"title": "Payments down", "dedup_key": "payments", "severity": "critical"}
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx2.post(f"{cluster.url}/webhooks/generic", json=alert, headers=headers, timeout=30)
    assert answer.status_code == 202, answer.text
    wait_for(lambda: len(twilio.sent) == 2, what="the page is there", seconds=60)
    sms = twilio.sent[1]
    assert sms.to == NUMBER
    assert sms.body.startswith("CRITICAL: Payments down")
    assert sms.status_callback is not None
    assert call(cluster, sms.status_callback.removeprefix(PUBLIC), status_form(sms, "delivered")).status_code == 204
    reply = re.search(r"Reply (A \d{4})", sms.body)
    assert reply is not None
    assert "Acknowledged: Payments down" in call(cluster, "/sms/twilio/reply", reply_form(NUMBER, reply[1])).text

    def is_answered() -> bool:
        (found,) = nodes(cluster, token)
        by_sms = [one["state"] for one in found["notifications"] if one["contactKind"] == "SMS"]
        return (found["status"], by_sms) == ("ACKNOWLEDGED", ["DELIVERED"])

    wait_for(is_answered, what="the reply answers the alert", seconds=60)
    assert len(twilio.sent) == 2


def nodes(cluster: Cluster, token: str) -> list[Any]:
    found: list[Any] = cluster.graphql(STATES, token=token)["alerts"]["nodes"]
    return found
