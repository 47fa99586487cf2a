"""How does an integration's key make, change and end silences of its own alerts? As in Alertmanager (/api/v2)."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from domain.silences import sweeping
from domain.silences.changing import Reach, Silencing, amend, expire, found, make, require_own
from domain.silences.drafts import MAX_DURATION, SilenceDraft, check_draft
from domain.silences.model import Silence, SilenceState


async def create_silence(
    silencing: Silencing, draft: SilenceDraft, *, max_duration: timedelta = MAX_DURATION
) -> Silence:
    """Make a silence; one that begins now marks the open alerts it holds. A start in the past becomes now."""
    check_draft(draft, max_duration=max_duration)
    async with silencing.open() as work:
        now = silencing.clock.now()
        silence = await make(silencing, work, draft, reach=_reach(silencing), now=now)
        await work.commit()
    return await sweeping.finish(silencing.open, silence, now=now)


async def update_silence(
    silencing: Silencing, silence_id: UUID, draft: SilenceDraft, *, max_duration: timedelta = MAX_DURATION
) -> Silence:
    """Change a silence; see `amend`."""
    check_draft(draft, max_duration=max_duration)
    async with silencing.open() as work:
        now = silencing.clock.now()
        before = found(await work.silences.get(silence_id, integration_id=silencing.integration_id))
        require_own(before)
        # What this protocol cannot say stays: a condition, and the team whose alerts alone are held.
        draft = replace(draft, condition=before.condition)
        reach = replace(_reach(silencing), team_id=before.team_id)
        after = await amend(silencing, work, before, draft, reach=reach, now=now)
        await work.commit()
    return await sweeping.finish(silencing.open, after, now=now)


async def expire_silence(silencing: Silencing, silence_id: UUID) -> Silence:
    """End a silence now; its marks go. One that has ended already stays as it is."""
    async with silencing.open() as work:
        now = silencing.clock.now()
        silence = found(await work.silences.get(silence_id, integration_id=silencing.integration_id))
        if silence.applied is SilenceState.EXPIRED:
            return silence
        after = await expire(silencing, work, silence, reason="the silence was ended early", now=now)
        await work.skip_occurrence(after)
        await work.commit()
    return await sweeping.finish(silencing.open, after, now=now)


def _reach(silencing: Silencing) -> Reach:
    """All alerts of the integration, whoever may see them: its key stands for their source."""
    return Reach(integration_id=silencing.integration_id, holds_private=True)
