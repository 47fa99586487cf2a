"""Who answers an alert without signing in, by link or reply? Whoever was told, with no more than their role gives."""

from starlette.requests import Request

from domain.alerts.actions.acting import Acting
from domain.alerts.events import Via
from domain.alerts.model import Alert
from domain.errors import Forbidden
from domain.identity.model import Role, Viewer
from domain.identity.team_roles import role_within
from graphql_api.middleware import request_id_of
from graphql_api.state import AppState


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
