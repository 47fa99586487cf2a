"""Which enums do several nouns share? Severity: of alerts, of what integrations map, of metrics."""

from domain.alerts.model import Severity
from graphql_api.exposes import expose_enum

expose_enum(
    Severity,
    description="How bad it is, worst first.",
    values={
        Severity.CRITICAL: "People are affected now; somebody must act at once.",
        Severity.HIGH: "It will soon be critical, or a part of it already is.",
        Severity.MEDIUM: "It needs attention in working hours; also what a source that says nothing gets.",
        Severity.LOW: "Good to know.",
    },
)

__all__ = ["Severity"]
