"""Which alerts are a storm of known causes? A hundred thousand over fifty, each with the cause a person would name."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.alerts.model import Severity
from domain.alerts.normalise import NormalSignal, normalise
from domain.alerts.signal import Signal
from domain.ids import new_id
from domain.integrations.model import Integration, IntegrationSource

CAUSES = 50
NOISE = 0.02
START = datetime(2026, 3, 4, 12, tzinfo=UTC)
STORM = timedelta(minutes=20)
INTEGRATION = Integration(id=new_id(), name="bench", source=IntegrationSource.PROMETHEUS, created_at=START)
NAMES = ("HighLatency", "ErrorRate", "Saturation", "PodCrashLooping", "QueueGrowing", "ProbeFailed")
# Which service needs which.
NEEDS = [(f"app-{db}-{app}", f"db-{db}") for db in range(10) for app in range(12)]
WORDS = (
    "connection pool of {} exhausted by batch job after {} seconds",
    "certificate of {} cannot be renewed, {} days left",
    "replication of volume {} lags by {} segments",
    "license server refused host {} for the {} time",
    "dns resolution of {} failed {} times in a row",
    "clock of {} drifted by {} milliseconds",
    "kernel on {} reported {} uncorrectable memory errors",
    "backup of {} skipped {} tables",
    "message broker {} dropped {} consumers",
    "firmware of switch {} rebooted port {}",
)


@dataclass(frozen=True, slots=True)
class Said:
    """One alert of the storm, and the cause that a person would name."""

    signal: NormalSignal
    cause: int


def _signal(number: int, at: datetime, *, title: str, labels: dict[str, str], service: str | None) -> NormalSignal:
    said = Signal(
        title=title,
        source="prometheus",
        dedup_key=f"bench:1:{number}",
        dedup_recipe="numbered",
        severity=Severity.HIGH,
        service_name=service,
        labels=labels,
    )
    return normalise(said, INTEGRATION, at)


def storm(alerts: int, *, noise: float = 0.0, seed: int = 1) -> Iterator[Said]:
    """The alerts in order of their time. Ten causes each: a cluster, a service others need, a change, a text, a pair.

    Of `noise` of them the label that tells the cause is lost, or the message is worded otherwise, as in any house.
    """
    chance = random.Random(seed)
    begins = {cause: chance.uniform(0, STORM.total_seconds() / 2) for cause in range(CAUSES)}
    moments = []
    for number in range(alerts):
        cause = number % CAUSES
        # The first of a cause is the cause itself; the rest follow within the storm.
        late = 0.0 if number < CAUSES else chance.expovariate(1 / 200)
        moments.append((begins[cause] + min(late, STORM.total_seconds() / 2), number, cause))
    for seconds, number, cause in sorted(moments):
        yield Said(_of_cause(cause, number, START + timedelta(seconds=seconds), noise=noise, chance=chance), cause)


def _of_cause(cause: int, number: int, at: datetime, *, noise: float, chance: random.Random) -> NormalSignal:
    kind, which = divmod(cause, 10)
    is_plain = number < CAUSES or chance.random() >= noise
    name = chance.choice(NAMES)
    labels = {"alertname": name, "instance": f"10.0.{number % 250}.{number % 199}:9100", "severity": "high"}
    if kind == 0:  # a cluster loses its power: every alertname, every service
        service = f"svc-{chance.randrange(40)}"
        labels |= {"service": service, **({"cluster": f"cluster-{which}"} if is_plain else {})}
        return _signal(number, at, title=f"{name} on {labels['instance']}", labels=labels, service=service)
    if kind == 1:  # a database that twelve services need
        service = f"db-{which}" if number < CAUSES else f"app-{which}-{chance.randrange(12)}"
        labels |= {"cluster": f"shared-{chance.randrange(5)}", "service": service}
        return _signal(number, at, title=f"{name} of {service}", labels=labels, service=service)
    if kind == 2:  # a change that breaks several services, named by its number
        service = f"web-{chance.randrange(30)}"
        labels |= {"service": service, **({"change": f"CHG-{which}"} if is_plain else {})}
        return _signal(number, at, title=f"{name} after deploy", labels=labels, service=service)
    if kind == 3:  # one message from everywhere, with nothing in its labels to tell
        host = f"host-{chance.randrange(5000)}"
        labels |= {"service": f"misc-{chance.randrange(50)}", "alertname": "LogMatch"}
        return _signal(
            number,
            at,
            title=WORDS[which].format(host, chance.randrange(1000)) + ("" if is_plain else ", operator informed"),
            labels=labels,
            service=None,
        )
    # Payments and their gateway of one region, each with its own names.
    side = "gateway" if number // CAUSES % 2 else "payments"
    labels |= {"service": side, "alertname": f"{side}-{name}", **({"region": f"region-{which}"} if is_plain else {})}
    return _signal(number, at, title=f"{side} {name} in region-{which}", labels=labels, service=side)
