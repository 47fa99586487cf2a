"""The pages of mailed links in a real browser, with real mail: a forgotten password, an invitation, dead links (P1)."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from graphql_api.documents.shipped import FOLDER
from tests.e2e.browser import SECONDS, Page
from tests.e2e.running_program import wait_for
from tests.e2e.served_api import ADMIN_EMAIL, ADMIN_PASSWORD, ServedApi, scheduler_beside, served_api
from tests.mail_server import MailServer, mail_server_beside, text_of

NEW_PASSWORD = "copper lantern seven rivers"
RESULT = "document.getElementById('result')"
SUBMIT = "document.querySelector('#with-token button')"


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server_beside() as server:
        yield server


@pytest.fixture
def serving(application_url: str, tmp_path: Path, free_port: int, mail: MailServer) -> Iterator[ServedApi]:
    more = {
        "TOCSIN_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
        "TOCSIN_MAIL_FROM": "Tocsin <tocsin@example.org>",
        "TOCSIN_PUBLIC_URL": f"http://127.0.0.1:{free_port}",
        "TOCSIN_TRUSTED_DOCUMENTS_ONLY": "true",
        "TOCSIN_OPEN_REGISTRATION": "true",
    }
    with (
        served_api(application_url, folder=tmp_path, port=free_port, more=more) as running,
        scheduler_beside(application_url, folder=tmp_path, more=more),
    ):
        yield running


def token_link(mail: MailServer, number: int) -> str:
    """The link in a mail, once it has come."""
    wait_for(lambda: len(mail.inbox.mails) > number, lambda: f"{len(mail.inbox.mails)} mails came")
    found = re.search(r"http://\S+#token=\S+", text_of(mail.inbox.mails[number]))
    assert found is not None
    return found.group()


def run(serving: ServedApi, document: str, what: Mapping[str, object], *, token: str = "") -> dict[str, object]:
    """Run a shipped document, as nothing else may run here."""
    body = {"query": (FOLDER / f"{document}.graphql").read_text(), "variables": {"input": what}}
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = httpx2.post(f"{serving.url}/graphql", json=body, headers=headers, timeout=SECONDS).json()
    (data,) = answer["data"].values()
    found: dict[str, object] = data
    return found


def run_registered(serving: ServedApi, field: str, what: Mapping[str, object]) -> dict[str, object]:
    """Register a document of this mutation as the administrator, and run it."""
    name = field[0].upper() + field[1:]
    text = f"mutation {name}($input: {name}Input!) {{ {field}(input: $input) {{ __typename }} }}"
    token = str(sign_in(serving, ADMIN_PASSWORD)["accessToken"])
    run(serving, "register_documents", {"documents": [{"body": text}]}, token=token)
    body = {"query": text, "variables": {"input": what}}
    headers = {"authorization": f"Bearer {token}"}
    answer = httpx2.post(f"{serving.url}/graphql", json=body, headers=headers, timeout=SECONDS).json()
    found: dict[str, object] = answer["data"][field]
    return found


def sign_in(serving: ServedApi, password: str, email: str = ADMIN_EMAIL) -> dict[str, object]:
    return run(serving, "sign_in", {"email": email, "password": password})


def shoot(page: Page, name: str) -> None:
    """Keep a picture for a person to look at, where one is asked for."""
    folder = os.environ.get("TOCSIN_TEST_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(page.screenshot())


def choose(page: Page, password: str, again: str | None = None) -> None:
    page.fill("#password", password)
    page.fill("#again", again or password)
    page.click(SUBMIT)


def is_shown(name: str) -> str:
    """Whether this page stands there with the token of its link."""
    form = "document.querySelector('#with-token')"
    return f"document.body?.dataset.page === '{name}' && {form}?.hidden === false"


def says(words: str) -> str:
    return f"{RESULT}.innerText.includes({words!r})"


def test_a_forgotten_password_is_replaced_through_the_mail(serving: ServedApi, page: Page, mail: MailServer) -> None:
    page.open(f"{serving.url}/account/reset")
    page.until("document.querySelector('#without-token')?.hidden === false")
    assert page.evaluate("document.querySelector('#with-token').hidden") is True
    shoot(page, "reset-asked")
    page.fill("#email", ADMIN_EMAIL)
    page.click("document.querySelector('#without-token button')")
    page.until(says("If an account has this address"))

    link = token_link(mail, 0)
    assert mail.inbox.recipients == [ADMIN_EMAIL]
    page.open("about:blank")
    page.open(link)
    page.until(is_shown("reset"))
    assert "token" not in page.evaluate("location.href")

    choose(page, NEW_PASSWORD, "something else altogether")
    page.until(says("The two passwords differ"))
    assert page.evaluate("document.querySelector('#again').getAttribute('aria-invalid')") == "true"
    choose(page, "password1234")
    page.until(says("easy to guess"))
    assert page.evaluate(f"{RESULT}.querySelectorAll('li').length") >= 1
    shoot(page, "reset-weak")
    choose(page, NEW_PASSWORD)
    page.until(says(f"The password of {ADMIN_EMAIL} is set"))
    shoot(page, "reset-done")
    assert page.evaluate("document.querySelector('#with-token').hidden") is True
    assert page.evaluate(f"document.activeElement === {RESULT}") is True

    assert sign_in(serving, ADMIN_PASSWORD)["__typename"] == "InvalidCredentials"
    assert sign_in(serving, NEW_PASSWORD)["__typename"] == "LoginSuccess"

    # A second use says so, and offers another link.
    page.open("about:blank")
    page.open(link)
    page.until(is_shown("reset"))
    choose(page, "yet another four words here")
    page.until(says("no longer works"))
    assert page.evaluate("document.querySelector('#without-token').hidden") is False
    shoot(page, "reset-dead")

    token = link.split("#token=")[1]
    assert token not in serving.log.read_text()
    assert not any(token in url for url in page.requested if "/account/" not in url)
    asked = {urlsplit(url).netloc for url in page.requested if not url.startswith(("data:", "about:"))}
    assert asked == {urlsplit(serving.url).netloc}
    assert page.complaints == []


def test_an_invited_person_comes_in_and_each_page_answers_a_dead_link(
    serving: ServedApi, page: Page, mail: MailServer
) -> None:
    answer = run_registered(serving, "inviteUser", {"email": "ada@example.com", "role": "OPERATOR"})
    assert answer["__typename"] == "InviteUserSuccess", answer

    page.open(token_link(mail, 0))
    page.until(is_shown("invitation"))
    page.fill("#firstName", "Ada")
    shoot(page, "invitation")
    choose(page, NEW_PASSWORD)
    page.until(says("You can sign in as ada@example.com now"))
    assert sign_in(serving, NEW_PASSWORD, "ada@example.com")["__typename"] == "LoginSuccess"

    for name in ("verify", "address", "invitation"):
        page.open("about:blank")
        page.open(f"{serving.url}/account/{name}#token=tco_{'A' * 43}")
        page.until(is_shown(name))
        if name == "invitation":
            page.fill("#password", NEW_PASSWORD)
            page.fill("#again", NEW_PASSWORD)
        page.click(SUBMIT)
        page.until(says("no longer works"))
        assert page.evaluate("document.querySelector('#without-token').hidden") is False
        shoot(page, f"{name}-dead")
    assert page.complaints == []


def test_a_registration_is_finished_with_the_password_it_was_begun_with(
    serving: ServedApi, page: Page, mail: MailServer
) -> None:
    asked = {"email": "grace@example.com", "password": NEW_PASSWORD}
    assert run_registered(serving, "register", asked)["__typename"] == "RegisterSuccess"
    page.open(token_link(mail, 0))
    page.until(is_shown("verify"))
    assert page.evaluate("document.querySelector('#password-field').hidden") is True
    page.click(SUBMIT)
    page.until("document.querySelector('#password-field').hidden === false")
    assert page.evaluate("document.activeElement.id") == "password"
    page.fill("#password", "not the one of before")
    page.click(SUBMIT)
    page.until(says("not the password chosen at the registration"))
    shoot(page, "verify-wrong")
    page.fill("#password", NEW_PASSWORD)
    page.click(SUBMIT)
    page.until(says("grace@example.com is confirmed"))
    assert sign_in(serving, NEW_PASSWORD, "grace@example.com")["__typename"] == "LoginSuccess"
    assert page.complaints == []


def test_the_pages_forbid_everything_they_do_not_need(serving: ServedApi) -> None:
    """Strict policy, no cache, no frame, nothing inline (ASVS 3.4)."""
    for name in ("verify", "reset", "invitation", "address"):
        answer = httpx2.get(f"{serving.url}/account/{name}")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", answer.text)
        # One label for each field that is shown.
        fields = re.findall(r'<input id="(\w+)"', answer.text)
        assert all(f'<label for="{field}"' in answer.text for field in fields)
    assert httpx2.get(f"{serving.url}/account/nothing").status_code == 404
    assert httpx2.get(f"{serving.url}/account/files/pages.py").status_code == 404
    script = httpx2.get(f"{serving.url}/account/files/account.js")
    assert script.headers["content-type"].startswith("text/javascript")
    again = httpx2.get(f"{serving.url}/account/files/account.js", headers={"if-none-match": script.headers["etag"]})
    assert again.status_code == 304
