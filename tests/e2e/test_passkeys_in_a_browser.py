"""Passkeys in a real Chromium, with its virtual authenticator, against the real server (P4)."""

import json
from typing import Any

from tests.e2e.browser import Page
from tests.e2e.served_api import ADMIN_EMAIL, ADMIN_PASSWORD, ServedApi

# Asks the server, as a script of the page does; `token` is what was signed in with last.
ASK = """
globalThis.ask = async (query, variables) => {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", ...(globalThis.token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return Object.values(answer.data)[0];
};
"""
# The button shows itself once the page's script runs in a browser that knows passkeys.
READY = "document.querySelector('#passkey')?.hidden === false"
LOGIN = """mutation($input: LoginInput!) { login(input: $input) { __typename
  ... on LoginSuccess { accessToken } ... on SecondFactorRequired { challenge methods passkeyOptions } } }"""
BEGIN = """mutation { beginPasskeyRegistration(input: {}) {
  ... on BeginPasskeyRegistrationSuccess { passkey { challenge options } } ... on UserError { message } } }"""
FINISH = """mutation($input: FinishPasskeyRegistrationInput!) { finishPasskeyRegistration(input: $input) { __typename
  ... on FinishPasskeyRegistrationSuccess { passkey { id name } recoveryCodes } ... on UserError { message } } }"""
REGISTER = f"""(async () => {{
  const begun = await ask({json.dumps(BEGIN)});
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.passkey.options);
  const made = await navigator.credentials.create({{ publicKey }});
  const input = {{ challenge: begun.passkey.challenge, credential: made.toJSON(), name: "This browser" }};
  return ask({json.dumps(FINISH)}, {{ input }});
}})()"""


def device_of(page: Page, *, verifies: bool = True) -> str:
    """Plug a device in; its id."""
    page.call("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    made: str = page.call("WebAuthn.addVirtualAuthenticator", options=options)["authenticatorId"]
    return made


def credentials_of(page: Page, device: str) -> list[dict[str, Any]]:
    """What the device holds."""
    found: list[dict[str, Any]] = page.call("WebAuthn.getCredentials", authenticatorId=device)["credentials"]
    return found


def open_page(page: Page, serving: ServedApi) -> None:
    """By the name passkeys belong to: browsers know none of a number."""
    page.open(serving.url.replace("127.0.0.1", "localhost") + "/graphql")
    page.until(READY)
    page.evaluate(ASK)


def register(page: Page) -> dict[str, Any]:
    """Sign in by the password and add a passkey."""
    what = json.dumps({"input": {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}})
    page.evaluate(f"ask({json.dumps(LOGIN)}, {what}).then((login) => {{ globalThis.token = login.accessToken }})")
    made: dict[str, Any] = page.evaluate(REGISTER)
    assert made["__typename"] == "FinishPasskeyRegistrationSuccess", made
    page.evaluate("globalThis.token = undefined")
    return made


def test_a_browser_registers_a_passkey_and_signs_in_by_it_alone(serving: ServedApi, page: Page) -> None:
    device = device_of(page)
    open_page(page, serving)
    made = register(page)
    assert made["passkey"]["name"] == "This browser"
    assert len(made["recoveryCodes"]) == 10
    (held,) = credentials_of(page, device)
    assert (held["rpId"], held["isResidentCredential"]) == ("localhost", True)

    page.click("document.querySelector('#passkey')")
    page.until("/^Unnamed person .* · admin$/.test(document.querySelector('#who').innerText)")
    (used,) = credentials_of(page, device)
    assert used["signCount"] > held["signCount"]
    assert page.complaints == []


def test_a_browser_proves_a_second_factor_after_the_password(serving: ServedApi, page: Page) -> None:
    device_of(page)
    open_page(page, serving)
    register(page)
    page.fill("#email", ADMIN_EMAIL)
    page.fill("#password", ADMIN_PASSWORD)
    page.click("document.querySelector('#sign-in button[type=submit]')")
    page.until("document.querySelector('#problem').innerText.includes('use your passkey')")
    page.click("document.querySelector('#passkey')")
    page.until("/^Unnamed person .* · admin$/.test(document.querySelector('#who').innerText)")
    assert page.complaints == []


def test_a_device_that_does_not_ask_who_holds_it_does_not_sign_in_alone(serving: ServedApi, page: Page) -> None:
    """W3C WebAuthn 7.2 step 17: user verification is required where the passkey is the only proof."""
    device = device_of(page)
    open_page(page, serving)
    register(page)
    page.call("WebAuthn.setUserVerified", authenticatorId=device, isUserVerified=False)
    page.click("document.querySelector('#passkey')")
    page.until("document.querySelector('#problem').innerText !== ''")
    assert page.evaluate("sessionStorage.length") == 0


def test_a_page_of_another_origin_gets_no_answer_that_counts(serving: ServedApi, page: Page) -> None:
    """The browser will not sign for our name elsewhere: by the address with a number there is no such passkey."""
    device_of(page)
    page.open(serving.url + "/graphql")
    page.until(READY)
    page.click("document.querySelector('#passkey')")
    page.until("document.querySelector('#problem').innerText !== ''")
    assert page.evaluate("sessionStorage.length") == 0
