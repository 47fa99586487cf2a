"""Who answers an alert without signing in, by link or reply? Whoever was told, with no more than their role gives."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from starlette.requests import Request

from domain.alerts.actions.acting import Acting
from domain.alerts.actions.changing import MAX_BULK
from domain.alerts.actions.moves import acknowledge_alerts, resolve_alerts
from domain.alerts.events import Via
from domain.alerts.model import Alert
from domain.errors import Forbidden
from domain.identity.model import Role, Viewer
from domain.identity.team_roles import role_within
from graphql_api.middleware import request_id_of
from graphql_api.state import AppState

# So many are answered one by one, as their messages told of them.
FEW = 20


def acting_as(viewer: Viewer, request: Request, state: AppState, *, via: Via) -> Acting:
    """A change in this person's name, from where they answer."""
    return Acting(
        viewer=viewer,
        clock=state.clock,
        open=state.uow,
        request_id=request_id_of(request.scope),
        ip_address=request.client.host if request.client else None,
        via=via,
    )


def require_operator(viewer: Viewer, alert: Alert) -> None:
    """As in the API: to act on alerts takes an operator, everywhere or in the alert's team."""
    team_role = None if alert.team_id is None else viewer.role_in(alert.team_id)
    if not role_within(viewer.role, team_role).includes(Role.OPERATOR):
        message = "Your role does not allow you to answer alerts."
        raise Forbidden(message)


async def answer_many(
    acting: Acting, alerts: Sequence[Alert], *, resolves: bool = False, hold: timedelta = timedelta(0)
) -> tuple[int, str]:
    """Acknowledge or resolve a whole group, a hundred alerts in a transaction; how many, and why not the others."""
    done, trouble, mine = 0, "", list[UUID]()
    for alert in alerts:
        try:
            require_operator(acting.viewer, alert)
            mine.append(alert.id)
        except Forbidden as error:
            trouble = error.message
    for place in range(0, len(mine), MAX_BULK):
        ids = mine[place : place + MAX_BULK]
        outcomes = await (
            resolve_alerts(acting, ids=ids, hold=hold) if resolves else acknowledge_alerts(acting, ids=ids)
        )
        done += sum(one.error is None for one in outcomes)
        trouble = next((one.error.message for one in outcomes if one.error is not None), trouble)
    return done, trouble
