"""With whom do people sign in in these tests? A real, certified OpenID provider, and servers that let it in or not."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.api import Api, running_api
from tests.integration.identity.federation.ways import CALLBACK, settings
from tests.services.errors import UnavailableError
from tests.services.oidc import OidcProvider, oidc_provider
from tests.services.ports import free_port


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    folder = tmp_path_factory.mktemp("oidc")
    try:
        with oidc_provider(folder, port=free_port(), callbacks=[CALLBACK]) as running:
            yield running
    except UnavailableError as error:
        pytest.skip(f"oidc-provider: {error}")


@pytest.fixture
async def api(provider: OidcProvider, application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A server where providers let people in."""
    async with running_api(settings(provider, application_url, tmp_path, oidc_sign_up=True)) as opened:
        yield opened


@pytest.fixture
async def closed(provider: OidcProvider, application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A server where they let nobody in and link nobody."""
    async with running_api(settings(provider, application_url, tmp_path)) as opened:
        yield opened
