"""What does the link in a question about a shift open? What is asked, and a button for yes and for no.

GET shows, POST acts, in the name of who was asked and with no more than they may: as the link that answers an alert.
"""

from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request

from domain.errors import DomainError
from domain.identity.model import Viewer
from domain.schedules import swaps
from domain.schedules.swap_message import times_of
from graphql_api.escalations.person_desk import person_desk
from graphql_api.state import AppState
from graphql_api.web_bodies import body_within
from persistence.schedules import schedules_by_ids
from persistence.shift_swaps import SwapRepository
from persistence.users import users_by_ids

ACCEPT, DECLINE = "accept", "decline"
_MAX_FORM = 1_000
_BUTTON = (
    '    <form method="post"><input type="hidden" name="answer" value="{value}">'
    '<button type="submit">{label}</button></form>\n'
)
_TITLES = {
    swaps.SwapState.ASKED: "A shift to take over",
    swaps.SwapState.ACCEPTED: "The swap is accepted",
    swaps.SwapState.DECLINED: "The swap is declined",
    swaps.SwapState.WITHDRAWN: "The swap was taken back",
    swaps.SwapState.EXPIRED: "The swap was not answered in time",
}


async def swap_page(request: Request, state: AppState, viewer: Viewer, swap: swaps.ShiftSwap) -> tuple[str, str, int]:
    """The page's title, its body and its status."""
    details = await _details(state, viewer, swap)
    now_is = swap.state_at(state.clock.now())
    if now_is is not swaps.SwapState.ASKED:
        return _TITLES[now_is], details, 200
    if request.method != "POST":
        return _TITLES[now_is], details + _buttons(swap, viewer), 200
    try:
        done = await _answered(request, state, viewer, swap)
    except DomainError as error:
        return _TITLES[now_is], f'    <p class="bad">{escape(error.message)}</p>\n' + details, 403
    if done is None:
        return _TITLES[now_is], details + _buttons(swap, viewer), 400
    return _TITLES[done.state], details, 200


async def _answered(request: Request, state: AppState, viewer: Viewer, swap: swaps.ShiftSwap) -> swaps.ShiftSwap | None:
    """As it is now; None for a form that says neither yes nor no."""
    said = await _said(request)
    actions = {ACCEPT: ("acceptShiftSwap", swaps.accept_swap), DECLINE: ("declineShiftSwap", swaps.decline_swap)}
    if said not in actions:
        return None
    name, act = actions[said]
    async with state.uow() as uow:
        stores: swaps.Swaps = SwapRepository(uow.connection, now=state.clock.now())
        desk = person_desk(request, state, viewer, uow=uow, stores=stores, action=name, target_kind="schedule")
        done = await act(swap.id, desk=desk)
        await uow.commit()
    return done


async def _said(request: Request) -> str:
    body = await body_within(request, _MAX_FORM) or b""
    return "".join(parse_qs(body.decode(errors="replace")).get("answer", []))


async def _details(state: AppState, viewer: Viewer, swap: swaps.ShiftSwap) -> str:
    async with state.reads.connect() as connection:
        (schedule,) = await schedules_by_ids(connection, [swap.schedule_id], sight=viewer.sight)
        (giver,) = await users_by_ids(connection, [swap.user_id])
    if schedule is None:
        return ""
    lines = [f"{'' if giver is None else giver.name}: {schedule.name}", times_of(swap.given, schedule.time_zone)]
    if swap.returned is not None:
        lines.append(f"in return for {times_of(swap.returned, schedule.time_zone)}")
    if swap.reason:
        lines.append(swap.reason)
    return "".join(f"    <p>{escape(line)}</p>\n" for line in lines)


def _buttons(swap: swaps.ShiftSwap, viewer: Viewer) -> str:
    """An offer to everybody is not declined by one of them."""
    yes = _BUTTON.format(value=ACCEPT, label="Take it over")
    return yes + (_BUTTON.format(value=DECLINE, label="No") if swap.colleague_id == viewer.user_id else "")
