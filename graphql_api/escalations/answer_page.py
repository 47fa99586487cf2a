"""What does the link in a message open? A page with one button; only the button acts, in the name of who was told.

A scanner that follows every link of a mail sees the page and presses nothing. The page needs no script and no sign-in:
at three in the morning, on a phone, one tap must do. The token is in the query, which no log of ours keeps.
"""

from collections.abc import Sequence
from html import escape
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from domain.alerts.actions.moves import acknowledge_alert
from domain.alerts.events import Via
from domain.alerts.model import Alert, AlertStatus
from domain.errors import DomainError, IllegalMove, InvalidInput
from domain.escalations.drills import Drill, DrillState
from domain.identity.model import Viewer
from domain.schedules.swaps import ShiftSwap
from graphql_api.escalations.answering import acting_as, answer_many, require_operator
from graphql_api.escalations.drill_answering import answered_by_person
from graphql_api.schedules.swap_answering import swap_page
from graphql_api.state import AppState
from persistence.drills import drills_by_ids
from persistence.group_answers import with_their_groups
from persistence.person_viewer import viewer_of_person
from persistence.reads.alerts import alerts_by_ids
from persistence.shift_swaps import swaps_by_ids

PATH = "/answer"
# Of a group: the worst by name.
MAX_SHOWN = 5
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; img-src data:",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="robots" content="noindex">
  <title>{title} · Tocsin</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/account/files/account.css">
</head>
<body>
  <main>
    <p class="brand" aria-hidden="true">Tocsin</p>
    <h1>{title}</h1>
{body}
  </main>
</body>
</html>
"""
# The form posts to the page's own address, token and all.
_BUTTON = '    <form method="post"><button type="submit">Acknowledge</button></form>\n'
OVER = "This link is not valid any more. Sign in to answer the alert."
_STATES = {
    AlertStatus.ACTIVE: "Nobody has answered yet.",
    AlertStatus.ACKNOWLEDGED: "It is acknowledged.",
    AlertStatus.INVESTIGATING: "Somebody is looking for the cause.",
    AlertStatus.RESOLVED: "It is resolved.",
}


async def answer_page(request: Request) -> Response:
    """GET shows, POST acts."""
    state: AppState = request.app.state.tocsin
    answer = state.answer_links.read(request.query_params.get("token", ""), now=state.clock.now())
    if answer is None:
        return _page("The link is over", f"    <p>{OVER}</p>", 410)
    async with state.reads.connect() as connection:
        viewer = await viewer_of_person(connection, answer.user_id)
        # Of a message about a group: all that is open of it.
        episodes = await with_their_groups(connection, {answer.alert_id: answer.episode})
        found = {} if viewer is None else await alerts_by_ids(connection, list(episodes), sight=viewer.sight)
        elsewhere = None if viewer is None or found else await _no_alert(connection, answer.alert_id, viewer)
    alerts = [found[one] for one, episode in episodes.items() if one in found and found[one].episode == episode]
    if viewer is not None and elsewhere is not None:
        return await _of_no_alert(request, state, viewer, elsewhere)
    if viewer is None or not alerts:
        return _page("The link is over", f"    <p>{OVER}</p>", 410)
    if len(alerts) > 1:
        return await _of_group(request, state, viewer, alerts)
    alert = alerts[0]
    if request.method == "POST":
        return await _acknowledge(request, state, viewer, alert)
    return _page(alert.title, _details(alert) + _button(alert))


async def _no_alert(connection: AsyncConnection, subject_id: UUID, viewer: Viewer) -> Drill | ShiftSwap | None:
    """What else a link is made for: a drill, or the question whether to take over a shift."""
    (drill,) = await drills_by_ids(connection, [subject_id], sight=viewer.sight)
    (swap,) = await swaps_by_ids(connection, [subject_id], sight=viewer.sight)
    return drill or swap


async def _of_no_alert(request: Request, state: AppState, viewer: Viewer, found: Drill | ShiftSwap) -> Response:
    if isinstance(found, Drill):
        return await _of_drill(request, state, viewer, found)
    return _page(*await swap_page(request, state, viewer, found))


async def _of_drill(request: Request, state: AppState, viewer: Viewer, drill: Drill) -> Response:
    """The same page for a drill, which says so."""
    what = "    <p>This is a drill: nothing is broken.</p>\n"
    if drill.state is not DrillState.RUNNING:
        return _page("The drill is over", what)
    if request.method != "POST":
        return _page("A drill", what + _BUTTON)
    try:
        await answered_by_person(request, state, viewer, drill.id, via=Via.LINK)
    except InvalidInput:
        return _page("The drill is over", what)  # somebody was faster, or the button was pressed twice
    except DomainError as error:
        return _page("A drill", f'    <p class="bad">{escape(error.message)}</p>\n' + what, 403)
    return _page("You were reached", what)


async def _of_group(request: Request, state: AppState, viewer: Viewer, alerts: Sequence[Alert]) -> Response:
    """The worst of a group's alerts, and one button for all."""
    active = [alert for alert in alerts if alert.status is AlertStatus.ACTIVE]
    worst = "".join(map(_details, alerts[:MAX_SHOWN]))
    if request.method == "POST" and active:
        done, trouble = await answer_many(acting_as(viewer, request, state, via=Via.LINK), active)
        if not done:
            return _page("Not acknowledged", f'    <p class="bad">{escape(trouble)}</p>\n' + worst, 403)
        return _page("Acknowledged", f"    <p>{done} of {len(alerts)} alerts of the group.</p>\n")
    return _page(f"{len(alerts)} alerts of a group", worst + (_button(active[0]) if active else ""))


async def _acknowledge(request: Request, state: AppState, viewer: Viewer, alert: Alert) -> Response:
    acting = acting_as(viewer, request, state, via=Via.LINK)
    try:
        require_operator(viewer, alert)
        done = await acknowledge_alert(acting, alert_id=alert.id)
    except IllegalMove:
        return _page(alert.title, _details(alert))  # somebody was faster, or the button was pressed twice
    except DomainError as error:
        return _page(alert.title, f'    <p class="bad">{escape(error.message)}</p>\n' + _details(alert), 403)
    return _page("Acknowledged", _details(done))


def _details(alert: Alert) -> str:
    since = f"since {alert.started_at:%Y-%m-%d %H:%M} UTC"
    facts = " · ".join([escape(alert.severity.value), escape(alert.service_name or alert.source), since])
    return (
        f"    <p>{escape(alert.title)}</p>\n"
        f'    <p class="hint">{facts}</p>\n'
        f'    <p role="status">{_STATES[alert.status]}</p>\n'
    )


def _button(alert: Alert) -> str:
    if alert.status is not AlertStatus.ACTIVE:
        return ""
    return _BUTTON


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status, headers=_HEADERS)


ROUTES = [Route(PATH, answer_page, methods=["GET", "POST"])]
