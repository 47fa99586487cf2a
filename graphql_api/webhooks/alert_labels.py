"""What do Alertmanager's label sets mean? The fingerprint it would give them, and which label or annotation says what.

Shared by the two doors of an Alertmanager integration, so that one alert has one key whichever it comes through.
"""

from collections.abc import Mapping

from fnv_c import fnv1a_64

from domain.alerts.dedup import dedup_key
from graphql_api.webhooks.fields import first_of

# A pair of Prometheus servers watching the same targets differ in these labels only: both report one problem.
REPLICA_LABELS = ("replica", "prometheus_replica")

RECIPE_FINGERPRINT = "Alertmanager's fingerprint of the alert's labels"
RECIPE_LABELS = "hash of all labels but replica and prometheus_replica, as Alertmanager fingerprints them"


def fingerprint_key(fingerprint: str) -> str:
    """The dedup key of an alert whose fingerprint Alertmanager has sent."""
    return dedup_key("am", 1, fingerprint)


def labels_key(labels: Mapping[str, str]) -> str:
    """The dedup key of a label set: the same as by Alertmanager's fingerprint when no replica label is in it."""
    if any(name in labels for name in REPLICA_LABELS):
        labels = {name: value for name, value in labels.items() if name not in REPLICA_LABELS} or labels
    return f"am:1:{fingerprint(labels)}"


def fingerprint(labels: Mapping[str, str]) -> str:
    """FNV-1a (64 bit) over the sorted names and values, each ended by a 0xff byte: Prometheus' LabelSet.Fingerprint."""
    # No label holds a NUL (it could not be stored), and no byte of UTF-8 is 0xff: so one stands in for the other.
    data = "".join([f"{name}\0{labels[name]}\0" for name in sorted(labels)]).encode().replace(b"\0", b"\xff")
    return f"{fnv1a_64(data):016x}"


def title_of(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """What to call the alert: its summary or title, else its name, else its labels."""
    title = first_of(annotations, ("summary", "title")) or first_of(labels, ("alertname",))
    if title is not None:
        return title
    pairs = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return f"{{{pairs[:400]}}}" if pairs else "alert without a name"


def description_of(annotations: Mapping[str, str]) -> str | None:
    """The longer text."""
    return first_of(annotations, ("description", "message"))


def service_of(labels: Mapping[str, str]) -> str | None:
    """The service concerned; `job` is the last resort: every Prometheus target has one."""
    return first_of(labels, ("service", "service_name", "app", "job"))


def severity_text_of(labels: Mapping[str, str]) -> str | None:
    """The source's own word for the severity."""
    return first_of(labels, ("severity", "priority"))


def runbook_of(annotations: Mapping[str, str]) -> str | None:
    """The link to the instructions for this alert."""
    return first_of(annotations, ("runbook_url", "runbook"))
