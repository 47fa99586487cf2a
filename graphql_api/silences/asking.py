"""What does a mutation on silences need of its request? Its unit of work, who asks, and a look at what would be hit."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.ids import new_id
from domain.silences.breadth import Preview
from domain.silences.by_people import Asking, reach_of
from domain.silences.changing import Reach, Silencing
from domain.silences.drafts import SilenceDraft
from domain.silences.model import Silence
from graphql_api.context import Context
from persistence.reads.silence_preview import preview
from persistence.reads.silence_sight import SilencePlaces
from persistence.silence_work import SilenceUnitOfWork


def silence_work(context: Context) -> SilenceUnitOfWork:
    """One change of silences."""
    return SilenceUnitOfWork(context.state.engine)


def silencing_of(context: Context) -> Silencing:
    """Who acts, and through what."""
    viewer = context.require_viewer()
    return Silencing(
        actor=viewer.actor,
        integration_id=None,
        clock=context.state.clock,
        open=lambda: silence_work(context),
        request_id=context.request_id or None,
        ip_address=context.ip,
        session_id=viewer.session_id,
    )


def asking(context: Context, work: SilenceUnitOfWork) -> Asking:
    """One request to change silences, within its unit of work."""
    return Asking(
        viewer=context.require_viewer(),
        silencing=silencing_of(context),
        places=SilencePlaces(work.connection),
        now=context.now(),
        max_duration=context.settings.silence_max_duration,
    )


async def previewed(
    context: Context, draft: SilenceDraft, *, integration_id: UUID | None, team_id: UUID | None
) -> Preview:
    """What a silence of this viewer would hold; refused where they may make none."""
    viewer = context.require_viewer()
    async with context.state.engine.connect() as connection:
        now = context.now()
        request = Asking(viewer=viewer, silencing=silencing_of(context), places=SilencePlaces(connection), now=now)
        reach = await reach_of(request, integration_id=integration_id, team_id=team_id)
        return await preview(connection, as_silence(draft, reach, now), sight=viewer.sight, now=now)


async def previewed_anew(context: Context, silence: Silence, draft: SilenceDraft) -> Preview:
    """What a silence would hold after a change."""
    viewer = context.require_viewer()
    async with context.state.engine.connect() as connection:
        changed = replace(silence, matchers=draft.matchers, condition=draft.condition)
        return await preview(connection, changed, sight=viewer.sight, now=context.now())


def as_silence(draft: SilenceDraft, reach: Reach, now: datetime) -> Silence:
    """The silence of a draft, for a look at what it would hold."""
    return Silence(
        id=new_id(),
        integration_id=reach.integration_id,
        matchers=draft.matchers,
        condition=draft.condition,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        created_by=draft.created_by,
        comment=draft.comment,
        updated_at=now,
        team_id=reach.team_id,
        holds_private=reach.holds_private,
    )
