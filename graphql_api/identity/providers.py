"""How is a provider asked who somebody is? By OAuth 2's code flow with PKCE, and OpenID Connect where it is spoken.

Authlib speaks the protocol; what is checked is decided here. Of an ID token: a signature by one of the provider's own
keys with an algorithm of keys in pairs (what a token's header asks for is never enough), the issuer of the discovery
document, which must be the one set up; our client id as audience, the nonce of this very sign-in, and the times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from joserfc.errors import JoseError

from domain.identity.identities import MAX_SUBJECT, Vouched
from graphql_api.version import VERSION
from tocsin.identity_providers import IdentityProvider, Preset

log = structlog.get_logger(__name__)

SECONDS = 10.0
LEEWAY_SECONDS = 60
# Signatures by a private key. With HS256 the client secret would sign, and with `none` nobody.
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
# What a provider says in `amr` when it asked for more than one factor (RFC 8176).
SECOND_FACTOR = "mfa"
TROUBLE = (httpx2.HTTPError, OSError, TimeoutError)


class ProviderError(Exception):
    """The sign-in did not come about; the message is for the log, and names no secret."""


class ProviderAway(ProviderError):
    """The provider does not answer, or answers nonsense."""


class ProviderRefused(ProviderError):
    """The provider, or the person there, said no; or what it says does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where the browser is sent, and what must be known when it comes back."""

    url: str
    state: str
    verifier: str
    nonce: str | None


class Provider:
    """One provider. Made once a process; its discovery document and keys are fetched when first needed."""

    def __init__(self, settings: IdentityProvider, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.settings = settings
        self.is_oidc = settings.preset is not Preset.GITHUB
        options: dict[str, Any] = {
            "timeout": SECONDS,
            "code_challenge_method": "S256",
            "scope": "openid email profile" if self.is_oidc else "read:user user:email",
            # A provider's address is where it says it is: no redirect leads elsewhere.
            "follow_redirects": False,
        }
        if transport is not None:
            options["transport"] = transport
        self._app: StarletteOAuth2App = OAuth().register(
            name=settings.name,
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
            client_kwargs=options,
            user_agent=f"Tocsin/{VERSION}",
            **self._addresses(),
        )

    def _addresses(self) -> dict[str, str]:
        if self.is_oidc:
            return {"server_metadata_url": f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"}
        base = self.settings.url.rstrip("/")
        api = "https://api.github.com/" if base == "https://github.com" else f"{base}/api/v3/"
        return {
            "authorize_url": f"{base}/login/oauth/authorize",
            "access_token_url": f"{base}/login/oauth/access_token",
            "api_base_url": api,
        }

    async def depart(self, callback: str) -> Departure:
        """Begin a sign-in."""
        try:
            await self._metadata()
            begun = await self._app.create_authorization_url(callback)
        except (*TROUBLE, ValueError, RuntimeError) as error:
            raise ProviderAway(repr(error)) from error
        return Departure(
            url=begun["url"], state=begun["state"], verifier=begun["code_verifier"], nonce=begun.get("nonce")
        )

    async def arrive(self, departure: Departure, parameters: Mapping[str, str], *, callback: str) -> Vouched:
        """What the provider says of whoever signed in there. `parameters` came back with the browser."""
        try:
            await self._check_issuer(parameters)
            if "error" in parameters:
                raise ProviderRefused(f"the provider answered {parameters['error'][:100]!r}")
            if not parameters.get("code"):
                raise ProviderRefused("the provider sent no code")
            token = await self._app.fetch_access_token(
                redirect_uri=callback, code=parameters["code"], code_verifier=departure.verifier
            )
            return await (self._by_openid(token, departure) if self.is_oidc else self._by_github(token))
        except ProviderError:
            raise
        except TROUBLE as error:
            raise ProviderAway(repr(error)) from error
        except JoseError as error:
            # Names the claim or the header that does not hold, never its content.
            raise ProviderRefused(f"the ID token does not hold: {str(error)[:200]}") from error
        except OAuthError as error:
            raise ProviderRefused(f"the provider answered {str(error.error)[:100]!r}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            raise ProviderAway(f"not understood: {type(error).__name__}") from error

    async def _check_issuer(self, parameters: Mapping[str, str]) -> None:
        """RFC 9207: the answer names who gives it, so that one provider's is not taken for another's."""
        if not self.is_oidc:
            return
        metadata = await self._metadata()
        named = parameters.get("iss")
        must_be_named = metadata.get("authorization_response_iss_parameter_supported") is True
        if (named is not None or must_be_named) and named != metadata["issuer"]:
            raise ProviderRefused("the answer is of another issuer")

    async def _metadata(self) -> dict[str, Any]:
        if not self.is_oidc:
            return {}
        metadata: dict[str, Any] = await self._app.load_server_metadata()
        if metadata.get("issuer") != self.settings.issuer:
            # What was fetched may be a page of an error: asked again next time.
            self._app.server_metadata.clear()
            raise ProviderAway("the discovery document is of another issuer")
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = sorted(ALGORITHMS.intersection(offered))
        return metadata

    async def _by_openid(self, token: dict[str, Any], departure: Departure) -> Vouched:
        if not token.get("id_token") or departure.nonce is None:
            raise ProviderRefused("the provider sent no ID token")
        metadata = await self._metadata()
        options = {
            "iss": {"essential": True, "values": [metadata["issuer"]]},
            "aud": {"essential": True, "value": self.settings.client_id},
            "sub": {"essential": True},
        }
        claims: dict[str, Any] = dict(
            await self._app.parse_id_token(token, nonce=departure.nonce, claims_options=options, leeway=LEEWAY_SECONDS)
        )
        if "email" not in claims and metadata.get("userinfo_endpoint"):
            told = dict(await self._app.userinfo(token=token))
            if told.get("sub") != claims["sub"]:
                raise ProviderRefused("the user's information is of another subject")
            claims = {**told, **claims}
        is_mfa = SECOND_FACTOR in (claims.get("amr") or [])
        return self._vouched(
            subject=claims["sub"],
            email=claims.get("email"),
            is_verified=_is_true(claims.get("email_verified")),
            names=(str(claims.get("given_name") or ""), str(claims.get("family_name") or "")),
            has_second_factor=is_mfa and self.settings.trust_mfa,
        )

    async def _by_github(self, token: dict[str, Any]) -> Vouched:
        user = await self._read("user", token)
        emails = await self._read("user/emails", token)
        # Only the one that GitHub itself verified and the person made the main one.
        found = (one for one in emails if one.get("primary") and one.get("verified") is True)
        primary: dict[str, Any] = next(found, {})
        first, _, last = str(user.get("name") or "").partition(" ")
        return self._vouched(
            subject=str(int(user["id"])),
            email=primary.get("email"),
            is_verified=bool(primary),
            names=(first, last),
            has_second_factor=False,
        )

    async def _read(self, path: str, token: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        answer = await self._app.get(path, token=token, headers={"accept": "application/vnd.github+json"})
        answer.raise_for_status()
        return answer.json()

    def _vouched(
        self, *, subject: object, email: object, is_verified: bool, names: tuple[str, str], has_second_factor: bool
    ) -> Vouched:
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or "\x00" in subject:
            raise ProviderRefused("the provider names no subject")
        address = email if isinstance(email, str) and email else None
        return Vouched(
            provider=self.settings.name,
            subject=subject,
            email=address,
            is_email_verified=address is not None and (is_verified or self.settings.trust_email),
            first_name=names[0],
            last_name=names[1],
            has_second_factor=has_second_factor,
        )


def _is_true(said: object) -> bool:
    """Whether it is said plainly. Some providers say it as text."""
    return said is True or said == "true"
