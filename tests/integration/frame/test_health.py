"""What an operator and a balancer see of a process: health with each dependency, and metrics (T7, T9)."""

from pathlib import Path

import pytest

from domain.identity.model import Role
from domain.ids import new_id
from tests.api import Api, api_settings, running_api

DOWN = "postgresql://nobody:nothing@127.0.0.1:9/nowhere"
DOWN_REDIS = "redis://127.0.0.1:9/0"


async def test_a_process_that_is_well_says_so_three_times(application_url: str, redis_url: str, tmp_path: Path) -> None:
    async with running_api(api_settings(application_url, tmp_path, redis_url=redis_url)) as api:
        live, ready, health = [await api.http.get(path) for path in ("/livez", "/readyz", "/healthz")]
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert ready.status_code == health.status_code == 200
    for response in (ready, health):
        body = response.json()
        assert body["status"] == "ok"
        assert {name: check["state"] for name, check in body["checks"].items()} == {"postgresql": "up", "redis": "up"}
    assert health.json()["version"]
    assert health.json()["ingest"] == {"waitingSignals": 0}


async def test_without_redis_a_process_is_degraded_but_ready(application_url: str, tmp_path: Path) -> None:
    async with running_api(api_settings(application_url, tmp_path, redis_url=DOWN_REDIS)) as api:
        response = await api.http.get("/readyz")
        login = await api.change("login", {"email": "a@b.c", "password": "nobody's"}, "accessToken", who=None)
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["redis"]["state"] == "down"
    assert login["code"] == "INVALID_CREDENTIALS"


async def test_without_postgresql_a_process_lives_but_is_not_ready(tmp_path: Path) -> None:
    async with running_api(api_settings(DOWN, tmp_path)) as api:
        live, ready, health = [await api.http.get(path) for path in ("/livez", "/readyz", "/healthz")]
        metrics = await api.http.get("/metrics")
    assert live.status_code == 200
    for response in (ready, health):
        assert response.status_code == 503
        assert "retry-after" in response.headers
        assert response.json()["status"] == "unavailable"
        assert response.json()["checks"]["postgresql"]["state"] == "down"
        assert "nobody" not in response.text
    assert metrics.status_code == 200


async def test_without_postgresql_graphql_says_try_again_and_not_internal_error(
    application_url: str, tmp_path: Path
) -> None:
    async with running_api(api_settings(DOWN, tmp_path)) as api:
        login = await api.ask('mutation { login(input: {email: "a@b.c", password: "x"}) { __typename } }')
        (error,) = login["errors"]
        assert error["extensions"] == {"code": "OVERLOADED", "retryAfterSeconds": 1}
        # Who asks cannot even be said.
        token, _ = api.state.access_tokens.sign(user_id=new_id(), session_id=new_id(), now=api.clock.now())
        response = await api.post("{ users { nodes { id } } }", who=token)
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        assert response.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_metrics_count_operations_by_root_field_and_never_by_a_clients_words(api: Api) -> None:
    await api.post("query ThisNameIsMine { me { id } }")
    await api.post("{ me { id } serverInfo { version } }")
    await api.post("{ users { nodes { id } } }")
    await api.post("{ nonsense_of_a_client }")
    await api.http.request("BREW", "/graphql")
    text = (await api.http.get("/metrics")).text
    assert 'tocsin_graphql_seconds_count{operation="me",type="query"}' in text
    assert 'operation="several"' in text
    assert 'operation="invalid"' in text
    assert 'tocsin_graphql_errors_total{code="UNAUTHENTICATED"}' in text
    assert 'method="other"' in text
    for word in ("ThisNameIsMine", "nonsense_of_a_client", "BREW"):
        assert word not in text
    for name in (
        "tocsin_ingest_queue_signals",
        "tocsin_websockets",
        "tocsin_subscriptions",
        "tocsin_relay_lag_seconds",
        "tocsin_audit_unsealed_entries",
        "tocsin_audit_unsealed_seconds",
    ):
        assert f"# TYPE {name} gauge" in text, name
    for name in ("tocsin_ingest_seconds", "tocsin_ingest_batch_posts"):
        assert f"# TYPE {name} histogram" in text, name


@pytest.mark.asyncio(loop_scope="module")
async def test_a_post_is_counted_by_source_status_and_outcome(api: Api) -> None:
    manager = await api.person(Role.MANAGER)
    made = await api.change("createIntegration", {"name": "M", "source": "GENERIC"}, "key", who=manager)
    headers = {"authorization": f"Bearer {made['key']}"}
    assert (await api.http.post("/webhooks/generic", json={"title": "t"}, headers=headers)).status_code == 202
    text = (await api.http.get("/metrics")).text
    assert 'tocsin_ingest_items_total{outcome="opened"} 1.0' in text
    assert 'tocsin_ingest_seconds_count{source="generic",status="202"} 1.0' in text
