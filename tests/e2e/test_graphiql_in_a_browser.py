"""GraphiQL in a real browser that reaches nothing but this server: sign in, ask, follow, sign out."""

from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from tests.e2e.browser import Page
from tests.e2e.served_api import ADMIN_EMAIL, ADMIN_PASSWORD, ServedApi, served_api

RUN = "document.querySelector('.graphiql-execute-button')"
EDITOR = "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror"
# The whole text, not the lines that are drawn.
RESULT = "document.querySelector('.result-window .CodeMirror').CodeMirror.getValue()"


def post(serving: ServedApi, title: str) -> None:
    body = {"title": title, "severity": "critical", "dedup_key": title}
    headers = {"authorization": f"Bearer {serving.key}"}
    assert httpx2.post(f"{serving.url}/webhooks/generic", json=body, headers=headers).status_code == 202


def run(page: Page, operation: str) -> None:
    """Run one of the operations of the page's first document."""
    page.click(RUN)
    page.click(f"[...document.querySelectorAll('[role=menu] *')].find((item) => item.innerText === '{operation}')")


def test_a_person_signs_in_asks_follows_and_signs_out(serving: ServedApi, page: Page) -> None:
    page.open(f"{serving.url}/graphql")
    page.until(RUN)

    page.fill("#email", ADMIN_EMAIL)
    page.fill("#password", "not the password")
    page.click("document.querySelector('#sign-in button')")
    page.until("document.querySelector('#problem').innerText.includes('is not right')")
    page.fill("#password", ADMIN_PASSWORD)
    page.click("document.querySelector('#sign-in button')")
    page.until("/^Unnamed person .* · admin$/.test(document.querySelector('#who').innerText)")
    assert page.evaluate("document.querySelector('#password').value") == ""

    post(serving, "Disk almost full")
    run(page, "WorstAndNewest")
    page.until(f"{RESULT}.includes('Disk almost full') && {RESULT}.includes('ADMIN')")

    run(page, "Live")
    page.until("document.querySelector('.graphiql-execute-button').ariaLabel.startsWith('Stop')")
    metrics = f"fetch('{serving.url}/metrics').then((answer) => answer.text())"
    page.until(f"{metrics}.then((text) => text.includes('tocsin_subscriptions 1.0'))")
    post(serving, "Checkout is slow")
    page.until(f"{RESULT}.includes('Checkout is slow')")

    post(serving, "Checkout is down")
    page.until(f"{RESULT}.includes('Checkout is down') && !{RESULT}.includes('Checkout is slow')")

    page.click("document.querySelector('#sign-out')")
    page.until("!document.querySelector('#sign-in').hidden && sessionStorage.length === 0")

    assert {urlsplit(url).netloc for url in page.requested if not url.startswith("data:")} == {
        urlsplit(serving.url).netloc
    }
    assert page.complaints == []


def test_with_introspection_off_it_says_so_and_still_runs(
    application_url: str, tmp_path: Path, free_port: int, page: Page
) -> None:
    off = {"TOCSIN_INTROSPECTION": "false"}
    with served_api(application_url, folder=tmp_path, port=free_port, more=off) as serving:
        page.open(f"{serving.url}/graphql")
        page.until(RUN)
        page.until(f"{RESULT}.includes('introspection is switched off on this server')")
        page.evaluate(f"{EDITOR}.setValue('{{ serverInfo {{ version }} }}')")
        # The button follows what is typed with some delay.
        again = f"{RUN}.ariaLabel.startsWith('Execute') && {RUN}.click()"
        page.until(f"{RESULT}.includes('serverInfo') || ({again}, false)")
    assert page.complaints == []


def test_where_registered_documents_alone_run_the_page_says_so(
    application_url: str, tmp_path: Path, free_port: int, page: Page
) -> None:
    only = {"TOCSIN_TRUSTED_DOCUMENTS_ONLY": "true"}
    with served_api(application_url, folder=tmp_path, port=free_port, more=only) as serving:
        page.open(f"{serving.url}/graphql")
        page.until("document.body?.innerText.includes('this server runs registered documents alone')")
        assert page.evaluate("document.scripts.length") == 0
