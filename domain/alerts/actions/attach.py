"""How does a file come onto an alert, and off it? The bytes first, then the record; a record never lacks its bytes.

A file whose record never came (the process died between) is an orphan that persistence/objects.py sweeps.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.alerts.actions.acting import Acting
from domain.alerts.actions.changing import not_found
from domain.alerts.attachments import MAX_FILES_PER_ALERT, Attachment, object_key
from domain.alerts.change import change
from domain.alerts.events import AlertEventKind
from domain.alerts.model import Alert
from domain.errors import InvalidInput, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that the object store holds already, under the key of `attachment_id`."""

    attachment_id: UUID
    file_name: str
    content_type: str
    size_bytes: int
    sha256: bytes


async def attach_file(acting: Acting, *, alert_id: UUID, file: StoredFile) -> tuple[Alert, Attachment]:
    """Record the file on the alert. When this raises, the caller removes the bytes."""
    async with acting.open() as work:
        alert = (await work.alerts.get_for_change([alert_id], sight=acting.viewer.sight)).get(alert_id)
        if alert is None:
            raise not_found()
        if await work.attachments.count(alert_id) >= MAX_FILES_PER_ALERT:
            raise InvalidInput(message=f"an alert may have {MAX_FILES_PER_ALERT} files", path=("alertId",))
        now = acting.clock.now()
        attachment = Attachment(
            id=file.attachment_id,
            alert_id=alert_id,
            file_name=file.file_name,
            content_type=file.content_type,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            object_key=object_key(alert_id, file.attachment_id),
            uploaded_by=acting.viewer.user_id,
            created_at=now,
        )
        told = change(
            alert, AlertEventKind.ATTACHMENT_ADDED, actor=acting.actor, now=now, data={"attachment": _told(attachment)}
        )
        await work.alerts.save([told])
        await work.attachments.add(attachment)
        await work.audit.append(
            acting.audit_entry("attachFile", target_id=alert_id, occurred_at=now, after=_told(attachment))
        )
        await work.commit()
    return told.after, attachment


async def delete_attachment(acting: Acting, *, attachment_id: UUID) -> tuple[Alert, Attachment]:
    """Take a file off its alert; the timeline keeps that it was there. The caller removes the bytes afterwards."""
    async with acting.open() as work:
        # A look, before the locks; the alert of an attachment never changes.
        found = await work.attachments.get(attachment_id)
        if found is None:
            raise _no_attachment()
        alert = (await work.alerts.get_for_change([found.alert_id], sight=acting.viewer.sight)).get(found.alert_id)
        # Again, under the lock: of two who delete it, one is too late.
        if alert is None or await work.attachments.get(attachment_id) is None:
            raise _no_attachment()
        now = acting.clock.now()
        told = change(
            alert, AlertEventKind.ATTACHMENT_REMOVED, actor=acting.actor, now=now, data={"attachment": _told(found)}
        )
        await work.alerts.save([told])
        await work.attachments.mark_deleted(attachment_id, now=now)
        await work.audit.append(
            acting.audit_entry("deleteAttachment", target_id=alert.id, occurred_at=now, before=_told(found))
        )
        await work.commit()
    return told.after, found


def _told(attachment: Attachment) -> dict[str, object]:
    return {
        "id": str(attachment.id),
        "fileName": attachment.file_name,
        "contentType": attachment.content_type,
        "sizeBytes": attachment.size_bytes,
        "sha256": attachment.sha256.hex(),
    }


def _no_attachment() -> NotFound:
    return NotFound(message="no such attachment", path=("id",))
