"""How do files travel? `POST /attachments/{alertId}` brings one, `GET /attachments/{alertId}/{id}` fetches it.

Both stream. A file is known by its bytes while they come, cut off at the limit, and given back only as a download that
no browser runs: attachment, nosniff, and a policy that forbids everything.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import quote
from uuid import UUID

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from domain.alerts.actions.attach import StoredFile, attach_file
from domain.alerts.attachments import ALLOWED_TYPES, SNIFF_BYTES, checked_file_name, object_key, sniff
from domain.audit.model import AuditOutcome
from domain.errors import DomainError, Forbidden, InvalidInput, NotFound, TooManyAttempts, Unauthenticated
from domain.ids import new_id
from graphql_api.access.limiting import FILE_COST, wait_of
from graphql_api.alerts.acting import acting
from graphql_api.alerts.file_parts import Upload
from graphql_api.alerts.loaders import load_alerts
from graphql_api.context import Context
from graphql_api.errors import code_of
from graphql_api.guards import check_route
from graphql_api.http import encode
from graphql_api.identity.authentication import authenticate_request
from graphql_api.identity.cookies import CrossSite
from graphql_api.middleware import OPERATION, request_id_of
from graphql_api.scalars import uuid_of
from persistence.objects import ObjectStoreUnavailable
from persistence.reads.attachments import attachment_in_sight

log = structlog.get_logger(__name__)

_DOWNLOAD_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "private, no-store",
}


class TooLarge(InvalidInput):
    """The file is larger than TOCSIN_ATTACHMENT_MAX_BYTES."""


class UnknownType(InvalidInput):
    """The file is of a type that is not taken."""


# The most particular one counts: an error has the status of the nearest class it inherits from.
_STATUS: dict[type[BaseException], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    TooLarge: 413,
    UnknownType: 415,
    InvalidInput: 422,
    TooManyAttempts: 429,
}


@dataclass
class Checked:
    """A file on its way: measured, hashed and named by its bytes; it raises where it must not go on."""

    upload: Upload
    limit: int
    size: int = 0
    file_name: str = ""
    content_type: str = ""
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> bytes:
        """The digest of what has come."""
        return self._hash.digest()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes; none before the first few have said what the file is."""
        head = b""
        async for chunk in self.upload.chunks():
            self.size += len(chunk)
            if self.size > self.limit:
                raise TooLarge(message=f"a file may have {self.limit} bytes")
            self._hash.update(chunk)
            if self.content_type:
                yield chunk
                continue
            head += chunk
            if len(head) >= SNIFF_BYTES:
                self._identify(head)
                yield head
        if not self.size:
            raise InvalidInput(message="the file is empty")
        if not self.content_type:
            self._identify(head)
            yield head

    def _identify(self, head: bytes) -> None:
        self.file_name = checked_file_name(self.upload.file_name)
        kind = sniff(head[:SNIFF_BYTES], file_name=self.file_name)
        if kind is None:
            raise UnknownType(message=f"the bytes of the file are none of {', '.join(ALLOWED_TYPES)}")
        self.content_type = kind


async def upload_attachment(request: Request) -> Response:
    """Take a file."""
    try:
        context = await _context(request, "attachFile")
        await _require(context, "attachFile")
        await _spend(context)
        alert_id = uuid_of(request.path_params["alert_id"], "alert", "alertId")
        if await context.loader(load_alerts).load(alert_id) is None:
            raise NotFound(message="no such alert", path=("alertId",))
        answer = await _take(context, alert_id, request)
    except DomainError as refusal:
        return _refusal(refusal)
    except ClientDisconnect:
        return Response(status_code=400)
    except ObjectStoreUnavailable as error:
        return _unavailable(error)
    return Response(encode(answer), status_code=201, media_type="application/json")


async def _take(context: Context, alert_id: UUID, request: Request) -> dict[str, object]:
    limit = context.settings.attachment_max_bytes
    announced = request.headers.get("content-length", "")
    # A form adds a little around the file; what it adds up to is measured as it comes.
    if announced.isdigit() and int(announced) > limit + 64 * 1024:
        raise TooLarge(message=f"a file may have {limit} bytes")
    objects = context.state.objects
    checked = Checked(Upload(request), limit)
    attachment_id = new_id()
    key = object_key(alert_id, attachment_id)
    await objects.put(key, checked.chunks())
    file = StoredFile(
        attachment_id=attachment_id,
        file_name=checked.file_name,
        content_type=checked.content_type,
        size_bytes=checked.size,
        sha256=checked.sha256,
    )
    try:
        _, attachment = await attach_file(acting(context), alert_id=alert_id, file=file)
    except BaseException:
        await objects.discard(key)
        raise
    return {
        "id": str(attachment.id),
        "alertId": str(alert_id),
        "fileName": attachment.file_name,
        "contentType": attachment.content_type,
        "sizeBytes": attachment.size_bytes,
        "sha256": attachment.sha256.hex(),
        "url": f"{context.settings.effective_public_url}/attachments/{alert_id}/{attachment.id}",
    }


async def download_attachment(request: Request) -> Response:
    """Give a file back. That it was read is on the audit log before its first byte leaves."""
    try:
        context = await _context(request, "downloadAttachment")
        await _require(context, "downloadAttachment")
        await _spend(context)
        alert_id = uuid_of(request.path_params["alert_id"], "alert", "alertId")
        attachment_id = uuid_of(request.path_params["attachment_id"], "attachment", "attachmentId")
        async with context.read() as connection:
            attachment = await attachment_in_sight(
                connection,
                alert_id=alert_id,
                attachment_id=attachment_id,
                sight=context.require_viewer().sight,
            )
        if attachment is None:
            raise NotFound(message="no such attachment", path=("attachmentId",))
        body = await context.state.objects.get(attachment.object_key)
        await _record(context, "downloadAttachment", alert_id, AuditOutcome.DONE)
    except DomainError as refusal:
        return _refusal(refusal)
    except FileNotFoundError:
        log.exception("attachments.bytes_missing", attachment_id=request.path_params["attachment_id"])
        return _refusal(NotFound(message="the file's bytes are not there"))
    except ObjectStoreUnavailable as error:
        return _unavailable(error)
    headers = {
        **_DOWNLOAD_HEADERS,
        "content-length": str(attachment.size_bytes),
        "content-disposition": f"attachment; filename*=UTF-8''{quote(attachment.file_name, safe='')}",
        "etag": f'"{attachment.sha256.hex()}"',
    }
    return StreamingResponse(body, headers=headers, media_type=attachment.content_type)


ROUTES = (
    Route("/attachments/{alert_id}", upload_attachment, methods=["POST"]),
    Route("/attachments/{alert_id}/{attachment_id}", download_attachment, methods=["GET"]),
)


async def _context(request: Request, operation: str) -> Context:
    state = request.app.state.tocsin
    try:
        caller = await authenticate_request(state, request)
    except CrossSite:
        raise Forbidden(message="a request with X-Tocsin-Session must come from a page of this server") from None
    request.scope[OPERATION] = operation
    return Context(
        state=state,
        viewer=caller.viewer,
        credential_problem=caller.problem,
        request_id=request_id_of(request.scope),
        ip=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
    )


async def _require(context: Context, operation: str) -> None:
    """As graphql_api/permissions.py does for fields: a refusal is on the audit log before the answer leaves."""
    try:
        check_route(context, operation)
    except Forbidden:
        await _record(context, operation, None, AuditOutcome.REFUSED)
        raise


async def _spend(context: Context) -> None:
    """A file counts as an operation does; TooManyAttempts when its caller asks for too much."""
    if await context.spend(FILE_COST) is not None:
        seconds = wait_of(context.rates)
        raise TooManyAttempts(message=f"too much was asked; try again in {seconds} s", retry_after_seconds=seconds)


async def _record(context: Context, operation: str, alert_id: UUID | None, outcome: AuditOutcome) -> None:
    entry = context.audit_entry(operation, target_kind="alert", target_id=alert_id, outcome=outcome)
    async with context.uow() as work:
        await work.audit.append(entry)
        await work.commit()


def _refusal(refusal: DomainError) -> Response:
    status = next(_STATUS[kind] for kind in type(refusal).__mro__ if kind in _STATUS)
    body = {"code": code_of(refusal).value, "message": refusal.message, "path": list(refusal.path)}
    headers = {"www-authenticate": "Bearer"} if isinstance(refusal, Unauthenticated) else {}
    if isinstance(refusal, TooManyAttempts):
        headers = {"retry-after": str(refusal.retry_after_seconds)}
    return Response(encode(body), status_code=status, media_type="application/json", headers=headers)


def _unavailable(error: Exception) -> Response:
    log.error("attachments.store_unavailable", error=str(error))
    body = {"code": "OVERLOADED", "message": "the object store cannot be reached just now", "path": []}
    return Response(encode(body), status_code=503, media_type="application/json", headers={"retry-after": "5"})
