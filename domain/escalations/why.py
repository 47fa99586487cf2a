"""Why was somebody not told of an alert? One sentence for each policy, and one when none was at work. Pure."""

from datetime import UTC, datetime

from domain.escalations.engine import Call, Subject, call_of, steps_left
from domain.escalations.model import Escalation, EscalationState

HIDDEN = "a policy that you may not see"


def reason_without_policy(subject: Subject, *, now: datetime) -> str:
    """When nothing was set to work for the alert."""
    call, reason = call_of(subject, now=now)
    if call is not Call.SOMEBODY:
        return f"no policy was set to work: {reason}"
    return "no policy takes alerts of this team and severity, or it was made after the alert last changed"


def reason_not_reached(escalation: Escalation, name: str | None) -> str:
    """When a policy was, and its steps did not reach them. `name` is None for one that may not be seen."""
    if name is None:
        return f"{HIDDEN} did not reach this person"
    steps = escalation.position + steps_left(escalation)
    fired = f"{name}: {escalation.position} of {steps} steps fired, and none reached this person"
    if escalation.unreached_since is not None and escalation.state is EscalationState.RUNNING:
        since = f"{escalation.unreached_since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return f"{name}: since {since} no step of it reaches anybody; it is tried again every minute"
    if escalation.state is EscalationState.RUNNING and escalation.next_at is not None:
        return f"{fired}; the next fires at {escalation.next_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{fired}; {escalation.state.value}: {escalation.reason}"
