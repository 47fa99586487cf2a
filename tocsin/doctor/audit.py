"""Is the audit log being sealed? The database knows: how long do its newest entries wait?"""

from datetime import UTC, datetime, timedelta

from persistence.audit_seals import last_seal, waiting_rows
from persistence.direct import DirectConnection
from tocsin.doctor.report import Check, State

# Seals are made once a minute by default; nothing that runs leaves entries for so long.
LATE = timedelta(minutes=15)


async def check_audit_log(connection: DirectConnection) -> Check:
    """The seals."""
    seal = await last_seal(connection)
    waiting = await waiting_rows(connection, seal)
    newest = f"seal {seal.number} of {seal.sealed_at:%Y-%m-%d %H:%M} UTC is the newest" if seal else "no seal yet"
    if waiting.oldest is not None and datetime.now(tz=UTC) - waiting.oldest > LATE:
        return Check(
            name="Audit log",
            state=State.DEGRADED,
            detail=f"{waiting.rows} entries wait for their seal, since {waiting.oldest:%Y-%m-%d %H:%M} UTC; {newest}",
            consequence="entries that are not sealed could be changed by the database's owner unseen",
            remedy="start `tocsin scheduler`, or look for `the audit log is not sealed` in its log",
        )
    return Check(name="Audit log", state=State.OK, detail=f"sealed: {newest}")
