"""Second factors of a real process: none of their secrets is in its log, and an operator helps who lost them (T9)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from domain.identity import totp
from tests.api import SECRET
from tests.authenticator import Authenticator
from tests.e2e.running_program import wait_for
from tests.e2e.served_api import ADMIN_EMAIL, ADMIN_PASSWORD, ServedApi, served_api
from tests.services import programs
from tests.services.environment import inherited

LOGIN = """mutation($input: LoginInput!) { login(input: $input) { __typename
  ... on LoginSuccess { accessToken refreshToken } ... on SecondFactorRequired { challenge passkeyOptions } } }"""
BEGIN = "mutation { beginTotpEnrolment(input: {}) { ... on BeginTotpEnrolmentSuccess { secret } } }"
CONFIRM = """mutation($input: ConfirmTotpEnrolmentInput!) { confirmTotpEnrolment(input: $input) {
  ... on ConfirmTotpEnrolmentSuccess { recoveryCodes } } }"""
COMPLETE = """mutation($input: CompleteLoginInput!) { completeLogin(input: $input) { __typename
  ... on CompleteLoginSuccess { accessToken refreshToken } } }"""
BEGIN_PASSKEY = """mutation { beginPasskeyRegistration(input: {}) {
  ... on BeginPasskeyRegistrationSuccess { passkey { challenge options } } } }"""
FINISH_PASSKEY = """mutation($input: FinishPasskeyRegistrationInput!) { finishPasskeyRegistration(input: $input) {
  __typename } }"""
STEP_UP = "mutation($input: StepUpInput!) { stepUp(input: $input) { __typename } }"


@pytest.fixture
def serving(application_url: str, tmp_path: Path, free_port: int) -> Iterator[ServedApi]:
    public = {"TOCSIN_PUBLIC_URL": f"http://localhost:{free_port}"}
    with served_api(application_url, folder=tmp_path, port=free_port, more=public) as running:
        yield running


class Client:
    """Speaks to the process as the administrator."""

    def __init__(self, url: str) -> None:
        self.url, self.token = url, ""

    def ask(self, query: str, **what: object) -> Any:  # noqa: ANN401 - any JSON
        """The answer of the operation's one field."""
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        body = {"query": query, "variables": {"input": what}} if what else {"query": query}
        answer = httpx2.post(f"{self.url}/graphql", json=body, headers=headers).json()
        (found,) = answer["data"].values()
        return found

    def login(self, **more: object) -> Any:  # noqa: ANN401 - any JSON
        """Sign in."""
        answer = self.ask(LOGIN, email=ADMIN_EMAIL, password=ADMIN_PASSWORD, **more)
        self.token = answer.get("accessToken", "")
        return answer

    def enrol(self) -> tuple[str, list[str]]:
        """Set up an app: its secret and the recovery codes."""
        secret = self.ask(BEGIN)["secret"]
        code = totp.code_of(secret, totp.step_at(datetime.now(tz=UTC)))
        return secret, self.ask(CONFIRM, code=code)["recoveryCodes"]


def test_no_secret_of_a_factor_reaches_the_log(serving: ServedApi) -> None:
    """ASVS 5 V16.2.5: nor does a wrong one, which may be the right one of elsewhere."""
    client = Client(serving.url)
    client.login()
    secret, codes = client.enrol()
    device = Authenticator(origin=serving.url.replace("127.0.0.1", "localhost"))
    begun = client.ask(BEGIN_PASSKEY)["passkey"]
    credential = device.register(begun["options"])
    done = client.ask(FINISH_PASSKEY, challenge=begun["challenge"], credential=credential, name="Laptop")
    assert done["__typename"] == "FinishPasskeyRegistrationSuccess"
    wrong = ["918273", "zzzzzz-zzzzzz-zzzzzz-zzzzzz"]
    client.ask(STEP_UP, recoveryCode=wrong[1])
    client.ask(STEP_UP, totpCode=wrong[0])
    challenge = client.login()["challenge"]
    client.ask(COMPLETE, challenge=challenge, totpCode=wrong[0])
    tokens = client.ask(COMPLETE, challenge=challenge, recoveryCode=codes[0])
    assert tokens["__typename"] == "CompleteLoginSuccess"
    httpx2.post(f"{serving.url}/graphql", json={"query": LOGIN + " {", "variables": {"input": {"totpCode": wrong[0]}}})

    httpx2.get(f"{serving.url}/graphql?query={{me{{id}}}}", headers={"x-request-id": "the-last-one"})
    wait_for(lambda: "the-last-one" in serving.log.read_text(), serving.log.read_text)
    text = serving.log.read_text()
    signature = credential["response"]["attestationObject"]
    told = [secret, *codes, *wrong, begun["challenge"], challenge, signature, tokens["refreshToken"]]
    assert [one for one in told if one in text] == []


def test_an_operator_helps_the_last_administrator_who_lost_everything(
    serving: ServedApi, application_url: str, tmp_path: Path
) -> None:
    client = Client(serving.url)
    client.login()
    client.enrol()
    before = client.token
    assert client.login()["__typename"] == "SecondFactorRequired"

    for address, code in (("nobody@example.com", 1), (ADMIN_EMAIL.upper(), 0)):
        environment = {
            **inherited(traced=True),
            "TOCSIN_DATABASE_URL": application_url,
            "TOCSIN_DATA_DIR": str(tmp_path),
            "TOCSIN_SECRET_KEY": SECRET,
        }
        done = programs.run("factors", "reset", address, environment=environment, seconds=60)
        assert done.returncode == code, done.stderr

    assert client.login()["__typename"] == "LoginSuccess"
    client.token = before
    answer = httpx2.post(
        f"{serving.url}/graphql",
        json={"query": "{ users { nodes { id } } }"},
        headers={"authorization": f"Bearer {before}"},
    )
    assert "UNAUTHENTICATED" in json.dumps(answer.json())
