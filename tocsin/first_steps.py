"""What does a person need on the first day? An administrator, an integration with a key, and a curl that works."""

import http.client
import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import DomainError
from persistence.bootstrap import ensure_first_administrator, ensure_first_integration
from tocsin.errors import StartError
from tocsin.processes import Process, exit_reason
from tocsin.settings import Settings

# A machine that does much else takes its time: giving up takes down what was about to answer.
READY_SECONDS = 180.0
POLL_SECONDS = 0.1
HTTP_OK = 200
EXAMPLE_ALERT = {
    "title": "Disk almost full on db-1",
    "description": "/var/lib/postgresql has 4 % left",
    "severity": "high",
    "status": "firing",
    "service": "database",
    "dedup_key": "disk-db-1",
    "labels": {"host": "db-1"},
}


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Secrets made by this start, shown once; None for what was there already (or was given)."""

    admin_password: str | None
    integration_key: str | None


def prepare_first_steps(settings: Settings) -> FirstSteps:
    """Make the first administrator and the first integration where there is none yet."""
    password = prepare_administrator(settings)
    return FirstSteps(admin_password=password, integration_key=ensure_first_integration(settings))


def prepare_administrator(settings: Settings) -> str | None:
    """Make the first administrator where there is none; the password when it was generated just now."""
    try:
        return ensure_first_administrator(settings)
    except DomainError as error:  # an address that is none, or somebody else's
        raise StartError(f"the first administrator cannot be made: {error}") from None


def wait_for_api(settings: Settings, processes: Sequence[Process]) -> None:
    """Return once the API answers; StartError when one of its processes ends, or time is up."""
    deadline = time.monotonic() + READY_SECONDS
    while not _is_live(settings):
        for process in processes:
            if (code := process.poll()) is not None:
                raise StartError(f"the API ended while starting ({exit_reason(code)}): the lines above say why")
        if time.monotonic() > deadline:
            raise StartError(f"the API did not answer within {READY_SECONDS:.0f} s: the lines above may say why")
        time.sleep(POLL_SECONDS)


def _is_live(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(_reachable_host(settings), settings.port, timeout=2)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == HTTP_OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reachable_host(settings: Settings) -> str:
    """An API that listens everywhere is asked on this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound


def welcome(settings: Settings, first_steps: FirstSteps) -> str:
    """The addresses, the secrets made by this start, and a command that posts an alert."""
    url = settings.effective_public_url
    lines = [
        "",
        "Tocsin is up.",
        "",
        f"  GraphiQL       {url}/graphql",
        f"  Webhooks       {url}/webhooks/{{prometheus,grafana,datadog,newrelic,cloudwatch,generic}}",
        f"  Health         {url}/healthz",
        f"  Data           {settings.data_dir}",
        f"  Administrator  {settings.admin_email}",
    ]
    if first_steps.admin_password:
        lines.append(f"  Password       {first_steps.admin_password}   (shown this once)")
    lines += ["", *_post_an_alert(url, first_steps.integration_key), "", "Ctrl-C stops everything.", ""]
    return "\n".join(lines) + "\n"


def _post_an_alert(url: str, key: str | None) -> list[str]:
    if key is None:
        return [
            "The integration's key was shown at the first start. For another one sign in at GraphiQL and use the",
            "mutation createIntegration (or rotateIntegrationKey).",
        ]
    return [
        "Post an alert (the key of the integration “First integration” is shown this once):",
        "",
        f"  curl -sS {url}/webhooks/generic \\",
        f"    -H 'Authorization: Bearer {key}' \\",
        "    -H 'Content-Type: application/json' \\",
        f"    -d {shlex.quote(json.dumps(EXAMPLE_ALERT, ensure_ascii=False))}",
    ]
