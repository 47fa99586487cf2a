"""Every answer for people and programs says what a browser must not do with it (ASVS 5 3.4; API8:2023)."""

from pathlib import Path

import pytest

from tests.api import Api, api_settings, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAGE = {"accept": "text/html"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/graphql?query={serverInfo{version}}", {}),
        ("/graphql", PAGE),
        ("/graphiql/graphiql.js", {}),
        ("/livez", {}),
        ("/readyz", {}),
        ("/healthz", {}),
        ("/metrics", {}),
        ("/nothing/here", {}),
        ("/nothing/here", PAGE),
        ("/auth/unknown/start", PAGE),
        ("/auth/unknown/callback", PAGE),
        ("/attachments/x/y", {}),
    ],
)
async def test_an_answer_is_framed_sniffed_and_told_on_nowhere(api: Api, path: str, headers: dict[str, str]) -> None:
    said = (await api.http.get(path, headers=headers)).headers
    policy = said["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy or "sandbox" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert said["x-content-type-options"] == "nosniff"
    assert said["x-frame-options"] == "DENY"
    assert said["referrer-policy"] == "no-referrer"
    assert said["cross-origin-resource-policy"] == "same-origin"
    assert said["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in said


@pytest.mark.parametrize(
    ("public_url", "expected"), [("https://alerts.example.com", "max-age=31536000"), ("http://localhost:8080", None)]
)
async def test_where_people_come_by_https_browsers_are_told_to_stay_there(
    module_database_url: str, tmp_path: Path, public_url: str, expected: str | None
) -> None:
    """ASVS 5 3.4.1."""
    async with running_api(api_settings(module_database_url, tmp_path, public_url=public_url)) as opened:
        for path in ("/livez", "/graphql", "/nothing"):
            response = await opened.http.get(path)
            assert response.headers.get("strict-transport-security") == expected


async def test_a_header_cannot_be_ended_early_by_what_a_client_sends(api: Api) -> None:
    """ASVS 5 1.2.1, header injection: what comes back of a request's own words is harmless."""
    for given in (b"a\r\nset-cookie: x=y", b"a%0d%0aset-cookie: x=y", b"a b", "é".encode(), b"x" * 200):
        response = await api.http.get("/livez", headers=[(b"x-request-id", given)])
        assert "set-cookie" not in response.headers
        assert response.headers["x-request-id"] != given.decode("latin-1")
