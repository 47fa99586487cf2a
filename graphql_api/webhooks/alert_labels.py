"""What do Alertmanager's label sets mean? The fingerprint it would give them, and which label or annotation says what.

Shared by the two doors of an Alertmanager integration, so that one alert has one key whichever it comes through.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from domain.alerts.dedup import dedup_key
from graphql_api.webhooks.fields import first_of

# A pair of Prometheus servers watching the same targets differ in these labels only: both report one problem.
REPLICA_LABELS = ("replica", "prometheus_replica")

RECIPE_FINGERPRINT = "Alertmanager's fingerprint of the alert's labels"
RECIPE_LABELS = "hash of all labels but replica and prometheus_replica, as Alertmanager fingerprints them"

_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_MASK = 0xFFFFFFFFFFFFFFFF
_SHORT = 300
_LONGEST_SET = 16_384


def fingerprint_key(fingerprint: str) -> str:
    """The dedup key of an alert whose fingerprint Alertmanager has sent."""
    return dedup_key("am", 1, fingerprint)


def labels_key(labels: Mapping[str, str]) -> str:
    """The dedup key of a label set: the same as by Alertmanager's fingerprint when no replica label is in it."""
    if any(name in labels for name in REPLICA_LABELS):
        labels = {name: value for name, value in labels.items() if name not in REPLICA_LABELS} or labels
    return f"am:1:{fingerprint(labels)}"


def fingerprint(labels: Mapping[str, str]) -> str:
    """FNV-1a (64 bit) over the sorted names and values, each ended by a 0xff byte: Prometheus' LabelSet.Fingerprint.

    A label set past 16 kB is digested otherwise: this loop costs 0.1 µs a byte.
    """
    state = _FNV_OFFSET
    size = 0
    for name in sorted(labels):
        value = labels[name]
        length = len(name) + len(value)
        size += length
        if size > _LONGEST_SET:
            return _digest(labels)
        state = _extended(state, name, value) if length <= _SHORT else _extend(state, name, value)
    return f"{state:016x}"


def _extend(state: int, name: str, value: str) -> int:
    """The hash state after one more label. Masking is needed only now and then: the low 64 bits never depend on it."""
    data = b"%b\xff%b\xff" % (name.encode("utf-8", "surrogatepass"), value.encode("utf-8", "surrogatepass"))
    whole = len(data) - len(data) % 2
    pairs = iter(data[:whole])
    for first, second in zip(pairs, pairs, strict=True):
        state = ((((state ^ first) * _FNV_PRIME) ^ second) * _FNV_PRIME) & _MASK
    if whole < len(data):
        state = ((state ^ data[-1]) * _FNV_PRIME) & _MASK
    return state


# Alerts are sent again every minute, and alerts of one rule begin with the same labels: most steps are known.
_extended = lru_cache(maxsize=32_768)(_extend)


def _digest(labels: Mapping[str, str]) -> str:
    digest = blake2b(digest_size=16)
    for name in sorted(labels):
        digest.update(name.encode("utf-8", "surrogatepass") + b"\xff" + labels[name].encode("utf-8", "surrogatepass"))
        digest.update(b"\xff")
    return "#" + digest.hexdigest()


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
