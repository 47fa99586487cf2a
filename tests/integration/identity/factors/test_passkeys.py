"""Passkeys: as the only proof and as the second one; and answers made by hand that are wrong in one thing (P4)."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import InvalidCredentials
from domain.identity.challenges import LIFETIME
from domain.identity.factors import Passkey
from domain.ids import new_id
from graphql_api.identity.ceremonies import RelyingParty, WebAuthnCeremonies
from persistence.tables import audit_log, identity_challenges, passkeys
from tests.api import Api
from tests.authenticator import ORIGIN, PRESENT, SYNCABLE, SYNCED, VERIFIED, Authenticator, to_bytes, to_text
from tests.second_factors import FACTORS, PASSKEY, TOKENS, Member, member

# What an answer may get wrong, each alone. The last ones are the device's own doing.
WRONG_PROOFS: list[dict[str, Any]] = [
    {"origin": "https://evil.example"},
    {"origin": ORIGIN + "0"},
    {"rp_id": "evil.example"},
    {"challenge": to_text(b"another challenge, made elsewhere")},
    {"kind": "webauthn.create"},
    {"cross_origin": True},
    {"key": ec.generate_private_key(ec.SECP256R1())},
    {"user_handle": new_id().bytes},
    {"user_handle": b""},
    {"flags": PRESENT},
    {"flags": VERIFIED},
    {"flags": PRESENT | VERIFIED | SYNCABLE},
    {"flags": PRESENT | VERIFIED | SYNCED},
]


async def begin_registration(who: Member) -> dict[str, Any]:
    begun: dict[str, Any] = (await who.change("beginPasskeyRegistration", PASSKEY))["passkey"]
    return begun


async def test_a_passkey_signs_in_alone_and_is_both_factors(api: Api, ada: Member) -> None:
    device = await ada.enrol_passkey()
    answer = await ada.sign_in_by_passkey(device)
    assert answer["__typename"] == "FinishPasskeySignInSuccess"
    assert answer["user"]["id"] == str(ada.id)
    shown = await api.data("{ mySecondFactors { provedBy passkeys { name isSynced lastUsedAt } } }", who=ada.token)
    (passkey,) = shown["mySecondFactors"]["passkeys"]
    assert shown["mySecondFactors"]["provedBy"] == ["PASSKEY"]
    assert (passkey["name"], passkey["isSynced"]) == ("Laptop", False)
    assert passkey["lastUsedAt"] is not None


async def test_options_name_no_person_and_ask_who_holds_the_device(api: Api, ada: Member) -> None:
    """ASVS 5 V6.3.8: beginning to sign in tells of nobody."""
    await ada.enrol_passkey()
    options = (await api.change("beginPasskeySignIn", {}, PASSKEY, who=None))["passkey"]["options"]
    assert options["rpId"] == "localhost"
    assert options["userVerification"] == "required"
    assert options.get("allowCredentials", []) == []
    made = (await begin_registration(ada))["options"]
    assert to_bytes(made["user"]["id"]) == ada.id.bytes
    assert made["attestation"] == "none"
    assert len(made["excludeCredentials"]) == 1


async def test_after_a_password_a_passkey_is_the_second_factor(api: Api, ada: Member) -> None:
    device = await ada.enrol_passkey()
    asked = await ada.login()
    assert asked["methods"] == ["PASSKEY", "RECOVERY_CODE"]
    assert [to_bytes(one["id"]) for one in asked["passkeyOptions"]["allowCredentials"]] == [device.credential_id]
    # The password is one factor: the device need not ask who holds it.
    proof = device.prove(asked["passkeyOptions"], flags=PRESENT)
    what = {"challenge": asked["challenge"], "passkey": proof}
    answer = ada.keep(await api.change("completeLogin", what, TOKENS, who=None))
    assert answer["__typename"] == "CompleteLoginSuccess"
    assert (await api.change("completeLogin", what, TOKENS, who=None))["code"] == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("wrong", WRONG_PROOFS, ids=lambda wrong: "-".join(map(str, wrong)))
async def test_an_answer_that_is_wrong_in_one_thing_signs_nobody_in(
    api: Api, ada: Member, wrong: dict[str, Any]
) -> None:
    """ASVS 5 V6.4 and W3C WebAuthn 7.2: origin, relying party, challenge, signature, handle, presence, backup state."""
    device = await ada.enrol_passkey()
    refused = await ada.sign_in_by_passkey(device, **wrong)
    assert refused["code"] == "INVALID_CREDENTIALS", wrong
    assert (await ada.sign_in_by_passkey(device))["__typename"] == "FinishPasskeySignInSuccess"


async def test_an_answer_is_good_once(api: Api, ada: Member) -> None:
    """ASVS 5 V7.2, OWASP API2:2023: what was recorded on the way opens nothing."""
    device = await ada.enrol_passkey()
    begun = (await api.change("beginPasskeySignIn", {}, PASSKEY, who=None))["passkey"]
    what = {"challenge": begun["challenge"], "credential": device.prove(begun["options"])}
    answers = await asyncio.gather(*(api.change("finishPasskeySignIn", what, TOKENS, who=None) for _ in range(3)))
    assert [answer["__typename"] for answer in answers].count("FinishPasskeySignInSuccess") == 1
    again = await api.change("finishPasskeySignIn", what, TOKENS, who=None)
    assert again["code"] == "INVALID_CREDENTIALS"
    other = (await api.change("beginPasskeySignIn", {}, PASSKEY, who=None))["passkey"]
    moved = {"challenge": other["challenge"], "credential": what["credential"]}
    assert (await api.change("finishPasskeySignIn", moved, TOKENS, who=None))["code"] == "INVALID_CREDENTIALS"


async def test_a_wrong_answer_uses_the_challenge_up(api: Api, ada: Member) -> None:
    device = await ada.enrol_passkey()
    begun = (await api.change("beginPasskeySignIn", {}, PASSKEY, who=None))["passkey"]
    wrong = {"challenge": begun["challenge"], "credential": device.prove(begun["options"], origin="https://x.example")}
    right = {"challenge": begun["challenge"], "credential": device.prove(begun["options"])}
    for what in (wrong, right):
        assert (await api.change("finishPasskeySignIn", what, TOKENS, who=None))["code"] == "INVALID_CREDENTIALS"


async def test_a_challenge_is_too_late_after_minutes_and_leaves(api: Api, ada: Member) -> None:
    device = await ada.enrol_passkey()
    begun = (await api.change("beginPasskeySignIn", {}, PASSKEY, who=None))["passkey"]
    api.clock.ahead += LIFETIME + timedelta(seconds=1)
    late = {"challenge": begun["challenge"], "credential": device.prove(begun["options"])}
    assert (await api.change("finishPasskeySignIn", late, TOKENS, who=None))["code"] == "INVALID_CREDENTIALS"
    for _ in range(3):
        await api.change("beginPasskeySignIn", {}, PASSKEY, who=None)
    api.clock.ahead += LIFETIME + timedelta(seconds=1)
    await api.change("beginPasskeySignIn", {}, PASSKEY, who=None)
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(identity_challenges)) == 1


async def test_a_count_that_does_not_grow_is_a_copy(api: Api, ada: Member) -> None:
    """W3C WebAuthn 7.2 step 22: the copy is refused, and the audit log says so."""
    device = await ada.enrol_passkey()
    assert (await ada.sign_in_by_passkey(device))["__typename"] == "FinishPasskeySignInSuccess"
    for count in (device.count, 0):
        assert (await ada.sign_in_by_passkey(device, count=count))["code"] == "INVALID_CREDENTIALS"
    async with api.engine.connect() as connection:
        statement = sa.select(audit_log).where(audit_log.c.action == "login", audit_log.c.outcome == "failed")
        entries = list(await connection.execute(statement))
    assert len(entries) == 2
    assert all("copy" in entry.after["reason"] for entry in entries)
    assert (await ada.sign_in_by_passkey(device))["__typename"] == "FinishPasskeySignInSuccess"


async def test_a_device_that_does_not_count_signs_in_again_and_again(api: Api, ada: Member) -> None:
    device = await ada.enrol_passkey(Authenticator(counts=False, flags=PRESENT | VERIFIED | SYNCABLE | SYNCED))
    for _ in range(3):
        assert (await ada.sign_in_by_passkey(device))["__typename"] == "FinishPasskeySignInSuccess"


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"challenge": to_text(b"another challenge")},
        {"kind": "webauthn.get"},
        {"cross_origin": True},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_a_registration_that_is_wrong_in_one_thing_adds_nothing(
    api: Api, ada: Member, wrong: dict[str, Any]
) -> None:
    """W3C WebAuthn 7.1."""
    begun = await begin_registration(ada)
    credential = Authenticator().register(begun["options"], **wrong)
    what = {"challenge": begun["challenge"], "credential": credential, "name": "Evil"}
    refused = await api.change("finishPasskeyRegistration", what, "passkey { id }", who=ada.token)
    assert refused["code"] == "INVALID_CREDENTIALS"
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(passkeys)) == 0


async def test_a_registration_belongs_to_the_session_that_began_it(api: Api, ada: Member) -> None:
    """OWASP API1:2023: nobody finishes what another began, nor with a challenge of another purpose."""
    eve = await member(api)
    begun = await begin_registration(ada)
    sign_in = (await api.change("beginPasskeySignIn", {}, PASSKEY, who=None))["passkey"]
    for challenge, options in ((begun["challenge"], begun["options"]), (sign_in["challenge"], begun["options"])):
        what = {"challenge": challenge, "credential": Authenticator().register(options), "name": "Eve's"}
        refused = await api.change("finishPasskeyRegistration", what, "passkey { id }", who=eve.token)
        assert refused["code"] == "INVALID_CREDENTIALS"
    assert (await eve.login())["__typename"] == "LoginSuccess"


async def test_one_passkey_is_one_persons(api: Api, ada: Member) -> None:
    eve = await member(api)
    device = await ada.enrol_passkey()
    begun = await begin_registration(eve)
    what = {"challenge": begun["challenge"], "credential": device.register(begun["options"]), "name": "Hers"}
    assert (await eve.change("finishPasskeyRegistration", **what))["code"] == "ALREADY_EXISTS"


async def test_another_persons_passkey_is_no_second_factor(api: Api, ada: Member) -> None:
    """OWASP API1:2023: the passkey must be of who gave the password."""
    eve = await member(api)
    await ada.enrol_passkey()
    hers = await eve.enrol_passkey()
    asked = await ada.login()
    for handle in (hers.user_handle, ada.id.bytes):
        proof = hers.prove(asked["passkeyOptions"], user_handle=handle)
        what = {"challenge": asked["challenge"], "passkey": proof}
        assert (await api.change("completeLogin", what, TOKENS, who=None))["code"] == "INVALID_CREDENTIALS"


async def test_a_passkey_is_renamed_and_removed_by_its_owner_alone(api: Api, ada: Member) -> None:
    eve = await member(api)
    device = await ada.enrol_passkey()
    shown = await api.data("{ mySecondFactors { passkeys { id } } }", who=ada.token)
    named = shown["mySecondFactors"]["passkeys"][0]["id"]
    for field, more in (("renamePasskey", {"name": "Mine"}), ("removePasskey", {})):
        assert (await eve.change(field, id=named, **more))["code"] == "NOT_FOUND"
    renamed = await ada.change("renamePasskey", FACTORS, id=named, name="  The blue key ")
    assert renamed["secondFactors"]["passkeys"][0]["name"] == "The blue key"
    assert (await ada.change("renamePasskey", id=named, name="two\nlines"))["code"] == "INVALID_INPUT"
    gone = await ada.change("removePasskey", FACTORS, id=named)
    assert gone["secondFactors"] == {
        "hasTotp": False,
        "recoveryCodesLeft": 0,
        "passkeys": [],
        "provedBy": ["PASSKEY", "PASSWORD"],
    }
    assert (await ada.sign_in_by_passkey(device))["code"] == "INVALID_CREDENTIALS"
    assert (await ada.login())["__typename"] == "LoginSuccess"


async def test_somebody_who_was_switched_off_does_not_enter_by_passkey(api: Api, ada: Member) -> None:
    device = await ada.enrol_passkey()
    async with api.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE users SET is_active = false WHERE id = :id"), {"id": ada.id})
    assert (await ada.sign_in_by_passkey(device))["code"] == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("credential", [None, [], "text", {}, {"id": 5}, {"id": "AAAA", "response": []}])
async def test_what_is_no_credential_is_a_refusal_and_no_error(api: Api, ada: Member, credential: object) -> None:
    begun = (await api.change("beginPasskeySignIn", {}, PASSKEY, who=None))["passkey"]
    answer = await api.ask(
        "mutation($it: FinishPasskeySignInInput!) { finishPasskeySignIn(input: $it) { ... on UserError { code } } }",
        {"it": {"challenge": begun["challenge"], "credential": credential}},
    )
    found = (answer.get("data") or {}).get("finishPasskeySignIn") or answer["errors"][0]["extensions"]
    assert found["code"] in {"INVALID_CREDENTIALS", "INVALID_INPUT", "BAD_REQUEST"}


# -- hostile bytes, without a server -----------------------------------------------------------------------------------

CEREMONIES = WebAuthnCeremonies(RelyingParty.of(ORIGIN))
NONCE = b"n" * 32
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)


def registered() -> tuple[Authenticator, Passkey]:
    device, owner = Authenticator(), new_id()
    options = CEREMONIES.registration_options(user_id=owner, account="ada@example.com", nonce=NONCE, known=())
    made = CEREMONIES.registered(device.register(options), nonce=NONCE)
    assert made.transports == ("internal",)
    passkey = Passkey(
        id=new_id(),
        user_id=owner,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        name="Laptop",
        created_at=None,  # type: ignore[arg-type] # not looked at
    )
    return device, passkey


@given(st.dictionaries(st.sampled_from(["id", "rawId", "type", "response", "clientExtensionResults"]), JSON))
def test_whatever_json_comes_it_is_refused(credential: dict[str, Any]) -> None:
    with pytest.raises(InvalidCredentials):
        CEREMONIES.registered(credential, nonce=NONCE)
    _, passkey = registered()
    with pytest.raises(InvalidCredentials):
        CEREMONIES.sign_count(credential, nonce=NONCE, passkey=passkey, alone=True)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["clientDataJSON", "authenticatorData", "signature"]), st.integers(0, 500), st.integers(1, 255))
def test_an_answer_with_one_byte_changed_is_refused(part: str, place: int, change: int) -> None:
    """W3C WebAuthn 7.2: everything that counts is signed."""
    device, passkey = registered()
    answer = device.prove(CEREMONIES.proof_options(nonce=NONCE, allowed=[passkey], alone=True))
    assert CEREMONIES.sign_count(answer, nonce=NONCE, passkey=passkey, alone=True) == 1
    changed = bytearray(to_bytes(answer["response"][part]))
    changed[place % len(changed)] ^= change
    answer["response"][part] = to_text(bytes(changed))
    with pytest.raises(InvalidCredentials):
        CEREMONIES.sign_count(json.loads(json.dumps(answer)), nonce=NONCE, passkey=passkey, alone=True)


@pytest.mark.parametrize(
    ("public_url", "party", "origin"),
    [
        ("https://alerts.example.com", "alerts.example.com", "https://alerts.example.com"),
        ("https://Alerts.Example.com:443/", "alerts.example.com", "https://alerts.example.com"),
        ("https://alerts.example.com:8443/x", "alerts.example.com", "https://alerts.example.com:8443"),
        ("http://127.0.0.1:8080", "localhost", "http://localhost:8080"),
        ("http://[::1]:80", "localhost", "http://localhost"),
    ],
)
def test_a_passkey_belongs_to_the_host_people_know(public_url: str, party: str, origin: str) -> None:
    found = RelyingParty.of(public_url)
    assert (found.id, found.origin, found.has_name) == (party, origin, True)


def test_a_server_known_by_a_number_has_no_passkeys() -> None:
    assert not RelyingParty.of("http://192.0.2.7:8080").has_name
