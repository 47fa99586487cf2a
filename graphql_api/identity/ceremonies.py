"""How do passkeys speak? WebAuthn, as browsers have it: what they are given, and whether their answer is right.

The library checks the signature, challenge, origin and relying party. Here besides: an answer made in a frame of
another page, a handle that names somebody else, a key that was said to live in one device and now lives in several.
The count of uses is compared where it is written (persistence/passkeys.py), so that two answers at once are one.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import structlog
import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from domain.errors import InvalidCredentials, InvalidInput
from domain.identity.challenges import LIFETIME
from domain.identity.factor_ports import NewCredential
from domain.identity.factors import Passkey
from domain.identity.proving import WRONG_PASSKEY

log = structlog.get_logger(__name__)
T = TypeVar("T")

MAX_CREDENTIAL_ID = 1023
_MILLISECONDS = int(LIFETIME.total_seconds() * 1000)
NO_HOST_NAME = "passkeys belong to a host name: set TOCSIN_PUBLIC_URL to an address that has one"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """To whom a passkey belongs: a host name, and the one origin whose pages may ask for it."""

    id: str
    origin: str

    @classmethod
    def of(cls, public_url: str) -> "RelyingParty":
        """The relying party of an address. Loopback is `localhost` to browsers, which know no passkey of a number."""
        parts = urlsplit(public_url)
        host = (parts.hostname or "").lower()
        if _is_loopback(host):
            host = "localhost"
        is_default = parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme))
        return cls(id=host, origin=f"{parts.scheme}://{host}{'' if is_default else f':{parts.port}'}")

    @property
    def has_name(self) -> bool:
        """Whether browsers know passkeys of this host."""
        return not _is_address(self.id)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


class WebAuthnCeremonies:
    """Implements domain.identity.factor_ports.Ceremonies."""

    def __init__(self, party: RelyingParty) -> None:
        self._party = party

    def registration_options(
        self, *, user_id: UUID, account: str, nonce: bytes, known: Sequence[Passkey]
    ) -> dict[str, Any]:
        """What `navigator.credentials.create` is given: a key that is found without a name being typed."""
        self._check_name()
        options = webauthn.generate_registration_options(
            rp_id=self._party.id,
            rp_name="Tocsin",
            user_id=user_id.bytes,
            user_name=account,
            challenge=nonce,
            timeout=_MILLISECONDS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
            ),
            exclude_credentials=_descriptors(known),
        )
        return options_to_json_dict(options)

    def registered(self, credential: Mapping[str, Any], *, nonce: bytes) -> NewCredential:
        """What the device registered, verified."""

        def verify() -> NewCredential:
            _check_same_page(credential)
            found = webauthn.verify_registration_response(
                credential=dict(credential),
                expected_challenge=nonce,
                expected_rp_id=self._party.id,
                expected_origin=self._party.origin,
            )
            if len(found.credential_id) > MAX_CREDENTIAL_ID:
                raise InvalidCredentials(WRONG_PASSKEY)
            return NewCredential(
                credential_id=found.credential_id,
                public_key=found.credential_public_key,
                sign_count=found.sign_count,
                transports=_transports(credential),
                is_synced=found.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
            )

        return _refusing(verify)

    def proof_options(self, *, nonce: bytes, allowed: Sequence[Passkey], alone: bool) -> dict[str, Any]:
        """What `navigator.credentials.get` is given. As the only proof, the device has to ask who holds it."""
        if alone:
            self._check_name()
        asks = UserVerificationRequirement.REQUIRED if alone else UserVerificationRequirement.PREFERRED
        options = webauthn.generate_authentication_options(
            rp_id=self._party.id,
            challenge=nonce,
            timeout=_MILLISECONDS,
            allow_credentials=_descriptors(allowed),
            user_verification=asks,
        )
        return options_to_json_dict(options)

    def credential_id(self, credential: Mapping[str, Any]) -> bytes:
        """Which key an answer is of."""
        return _refusing(lambda: base64url_to_bytes(credential["id"]))

    def sign_count(self, credential: Mapping[str, Any], *, nonce: bytes, passkey: Passkey, alone: bool) -> int:
        """The device's count of uses, after the answer was verified against the public key."""

        def verify() -> int:
            _check_same_page(credential)
            handle = credential["response"].get("userHandle")
            # A key found without a name says whose it is; one asked for by its id need not.
            if (alone or handle) and base64url_to_bytes(handle) != passkey.user_id.bytes:
                raise InvalidCredentials(WRONG_PASSKEY)
            found = webauthn.verify_authentication_response(
                credential=dict(credential),
                expected_challenge=nonce,
                expected_rp_id=self._party.id,
                expected_origin=self._party.origin,
                credential_public_key=passkey.public_key,
                # Compared where it is written: here two at once would both find it grown.
                credential_current_sign_count=0,
                require_user_verification=alone,
            )
            is_synced = found.credential_device_type is CredentialDeviceType.MULTI_DEVICE
            if found.credential_id != passkey.credential_id or is_synced is not passkey.is_synced:
                raise InvalidCredentials(WRONG_PASSKEY)
            return found.new_sign_count

        return _refusing(verify)

    def _check_name(self) -> None:
        if not self._party.has_name:
            raise InvalidInput(NO_HOST_NAME)


def _refusing(verify: Callable[[], T]) -> T:
    """What `verify` answers; a refusal whatever goes wrong: at hostile bytes the library's parsers raise anything."""
    try:
        return verify()
    except InvalidCredentials:
        raise
    except WebAuthnException as error:
        log.info("passkey.refused", reason=str(error))
        raise InvalidCredentials(WRONG_PASSKEY) from error
    except Exception as error:
        log.warning("passkey.unreadable", error=repr(error))
        raise InvalidCredentials(WRONG_PASSKEY) from error


def _check_same_page(credential: Mapping[str, Any]) -> None:
    client = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    if client.cross_origin:
        raise InvalidCredentials(WRONG_PASSKEY)


def _descriptors(known: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id,
            transports=[AuthenticatorTransport(name) for name in passkey.transports] or None,
        )
        for passkey in known
    ]


def _transports(credential: Mapping[str, Any]) -> tuple[str, ...]:
    """How the device is reached, as far as we know the words; a hint for the browser, nothing else."""
    known = {transport.value for transport in AuthenticatorTransport}
    given = credential["response"].get("transports") or ()
    return tuple(dict.fromkeys(name for name in given if isinstance(name, str) and name in known))
