"""How does a request become somebody who acts? The viewer, the clock and the ports, for the use cases."""

from domain.alerts.actions.acting import Acting
from domain.alerts.ports import Once
from graphql_api.context import Context
from graphql_api.idempotency import input_digest

EXPECTED_VERSION = "The `version` you read: with another one now, nothing is changed and you get StaleVersion."


def acting(context: Context) -> Acting:
    """The signed-in person's request."""
    return Acting(
        viewer=context.require_viewer(),
        clock=context.state.clock,
        open=context.uow,
        request_id=context.request_id or None,
        ip_address=context.ip,
    )


def once_of(context: Context, mutation: str, data: object, key: str | None) -> Once | None:
    """The idempotency key of an input, if it has one."""
    return None if key is None else Once(mutation=mutation, key=key, input_digest=input_digest(context, data))
