"""What do the mutations on maintenance windows share? The words of their inputs, their unit of work, and the guard."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from domain.audit.writing import WriteAudit
from domain.maintenance.actions import Planned, WindowDraft, drafted
from domain.maintenance.model import MaintenanceWindow, Occurrence
from domain.maintenance.planning import occurrence_silence
from domain.silences import sweeping
from domain.silences.breadth import Preview, require_narrow, too_broad
from domain.silences.by_people import Asking
from domain.silences.model import Silence
from graphql_api.audit_writer import audit
from graphql_api.context import Context
from graphql_api.silences.asking import asking, silence_work, silencing_of
from graphql_api.silences.inputs import broad_share
from graphql_api.silences.previews import SilencePreview
from persistence.reads.silence_preview import preview
from persistence.reads.silence_sight import SilencePlaces
from persistence.silence_work import SilenceUnitOfWork

STARTS_AT = "Its first start, on the clock of its zone: `2026-12-06T02:30`. Of one that recurs it may lie in the past."
DURATION = "How long it lasts, as time that passes; it must be over before it begins again."
RECURRENCE = (
    "When it occurs again, an RFC 5545 RRULE, on the clock of its zone: `FREQ=WEEKLY;BYDAY=SU`, "
    "`FREQ=MONTHLY;BYDAY=2TU;COUNT=12`. At most hourly."
)
EXCEPTIONS = "Starts that do not happen, on the clock of its zone, as the recurrence gives them; at most 200."
TIME_ZONE = "The IANA time zone whose clock it goes by: `Europe/Berlin`."
TEAM = (
    "Only alerts of this team, which you must manage. Without one it holds the alerts of no team and of public teams; "
    "those of private teams only when an administrator makes it."
)
Change = Callable[[SilenceUnitOfWork, Asking, WriteAudit], Awaitable[Planned]]


async def checked(context: Context, draft: WindowDraft) -> MaintenanceWindow:
    """The window of a draft; refused where it cannot be, or where the viewer may make none."""
    async with context.read() as connection:
        request = Asking(
            viewer=context.require_viewer(),
            silencing=silencing_of(context),
            places=SilencePlaces(connection),
            now=context.now(),
            max_duration=context.settings.silence_max_duration,
        )
        return await drafted(request, draft)


async def looked_at(context: Context, window: MaintenanceWindow) -> Preview:
    """What the window would hold if it stood now, of what the viewer sees."""
    now = context.now()
    silence = occurrence_silence(window, Occurrence(now, now + window.duration), now=now)
    async with context.state.engine.connect() as connection:
        return await preview(connection, silence, sight=context.require_viewer().sight, now=now)


def shown_preview(context: Context, window: MaintenanceWindow, found: Preview) -> SilencePreview:
    """What it would hold, with why that is too much."""
    why = too_broad(window.matchers, window.condition, found, share=broad_share(context))
    return SilencePreview(preview=found, why_broad=why)


def guard(context: Context, window: MaintenanceWindow, found: Preview, *, is_confirmed: bool) -> None:
    """SilenceTooBroad for one that would hold too much, unless it is meant so."""
    share = broad_share(context)
    require_narrow(window.matchers, window.condition, found, share=share, is_confirmed=is_confirmed)


async def change(context: Context, action: str, make: Change) -> UUID:
    """Change a window in one transaction, then go on with the marks of what runs; the window's id."""
    async with silence_work(context) as work:
        write = audit(context, work, action, "maintenance_window")
        window, unfinished = await make(work, asking(context, work), write)
        await work.commit()
    await finish(context, unfinished)
    return window.id


async def finish(context: Context, unfinished: Sequence[Silence]) -> None:
    """Go on with the marks of the occurrences that were begun or ended."""
    for silence in unfinished:
        await sweeping.finish(silencing_of(context).open, silence, now=context.now())
