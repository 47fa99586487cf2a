"""How is a drill answered by link or reply, without signing in? By whoever was told, in their name, and audited."""

from collections.abc import Iterable
from uuid import UUID

from starlette.requests import Request

from domain.alerts.events import Via
from domain.errors import DomainError
from domain.escalations.drills import Drill, Drills, answer_drill
from domain.identity.model import Viewer
from graphql_api.escalations.person_desk import person_desk
from graphql_api.state import AppState
from persistence.drills import DrillRepository, drills_by_ids

REACHED = "Thank you: the drill reached you."


async def answered_by_person(request: Request, state: AppState, viewer: Viewer, drill_id: UUID, *, via: Via) -> Drill:
    """Answer it in the person's name; a DomainError when that cannot be."""
    async with state.uow() as uow:
        stores: Drills = DrillRepository(uow.connection, now=state.clock.now())
        desk = person_desk(request, state, viewer, uow=uow, stores=stores, action="answerDrill", target_kind="drill")
        done = await answer_drill(drill_id, desk=desk, via=via)
        await uow.commit()
    return done


async def answer_drills(request: Request, state: AppState, viewer: Viewer, ids: Iterable[UUID], *, via: Via) -> int:
    """Answer those of the ids that are drills and run; how many. Most are alerts: one look tells them apart."""
    async with state.reads.connect() as connection:
        found = await drills_by_ids(connection, list(ids), sight=viewer.sight)
    done = 0
    for drill in found:
        if drill is None:
            continue
        try:
            await answered_by_person(request, state, viewer, drill.id, via=via)
            done += 1
        except DomainError:
            continue  # it is over
    return done
