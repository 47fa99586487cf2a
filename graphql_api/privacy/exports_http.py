"""How does a person fetch an export of their data? `GET /exports/{id}`, as whose data it is.

By a token, or by a link on a page of ours with the browser's cookies, which a link can carry and a script cannot read.
For everybody else there is no such export. That it was fetched is on the audit log before its first byte leaves.
"""

from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from domain.errors import DomainError, NotFound, TooManyAttempts, Unauthenticated
from domain.privacy.exports import DataExport, ExportState, may_have
from graphql_api.access.limiting import FILE_COST, wait_of
from graphql_api.context import Context
from graphql_api.errors import code_of
from graphql_api.guards import check_route
from graphql_api.http import encode
from graphql_api.identity.authentication import authenticate_request
from graphql_api.middleware import OPERATION, request_id_of
from graphql_api.scalars import uuid_of
from persistence.data_exports import FILE_COLUMN, export_by_id
from persistence.objects import ObjectStoreUnavailable
from persistence.person_keys import PersonKey
from persistence.seal_people import key_to_write
from persistence.sealed_files import opened_file

log = structlog.get_logger(__name__)
ACTION = "downloadDataExport"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "private, no-store",
    "content-disposition": 'attachment; filename="personal-data.json"',
}
_GONE = "no such export, or its time is over"
HTTP_FORBIDDEN = 403
_STATUS: dict[type[DomainError], int] = {Unauthenticated: 401, NotFound: 404, TooManyAttempts: 429}


async def download_export(request: Request) -> Response:
    """Give the file to whom it belongs."""
    state = request.app.state.tocsin
    caller = await authenticate_request(state, request)
    request.scope[OPERATION] = ACTION
    context = Context(
        state=state,
        viewer=caller.viewer,
        credential_problem=caller.problem,
        request_id=request_id_of(request.scope),
        ip=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
    )
    try:
        check_route(context, ACTION)
        await _spend(context)
        export, object_key = await _found(context, uuid_of(request.path_params["export_id"], "export", "id"))
        body = await state.objects.get(object_key)
        key = await _record(context, export)
    except DomainError as refusal:
        return _refusal(refusal)
    except FileNotFoundError:
        log.exception("exports.bytes_missing", export_id=request.path_params["export_id"])
        return _refusal(NotFound(_GONE))
    except ObjectStoreUnavailable as error:
        log.warning("exports.store_unavailable", error=str(error))
        answer = {"code": "OVERLOADED", "message": "the object store cannot be reached just now", "path": []}
        return Response(encode(answer), status_code=503, media_type="application/json", headers={"retry-after": "5"})
    headers = {**_HEADERS, "content-length": str(export.size_bytes)}
    plain = opened_file(body, key, column=FILE_COLUMN, row=export.id)
    return StreamingResponse(plain, headers=headers, media_type="application/json")


async def _spend(context: Context) -> None:
    """As for any file: TooManyAttempts when its caller asks for too much."""
    if await context.spend(FILE_COST) is not None:
        seconds = wait_of(context.rates)
        message = f"too much was asked; try again in {seconds} s"
        raise TooManyAttempts(message, retry_after_seconds=seconds)


async def _found(context: Context, export_id: UUID) -> tuple[DataExport, str]:
    """The export and where its file is; of somebody else's it is said what is said of none."""
    viewer = context.require_viewer()
    async with context.read() as connection:
        export = await export_by_id(connection, export_id)
    if (
        export is None
        or not may_have(export, viewer_id=viewer.user_id, role=viewer.role)
        or export.state_at(context.now()) is not ExportState.READY
        or export.object_key is None
    ):
        raise NotFound(_GONE)
    return export, export.object_key


async def _record(context: Context, export: DataExport) -> PersonKey:
    """Write that it is fetched; the key of the person, who is not erased before that is written."""
    entry = context.audit_entry(
        ACTION, target_kind="user", target_id=export.user_id, after={"exportId": str(export.id)}
    )
    async with context.uow() as work:
        key = await key_to_write(work.connection, export.user_id)
        if key is None:
            raise NotFound(_GONE)
        await work.audit.append(entry)
        await work.commit()
    return key


def _refusal(refusal: DomainError) -> Response:
    body = {"code": code_of(refusal).value, "message": refusal.message, "path": list(refusal.path)}
    headers: dict[str, str] = {}
    if isinstance(refusal, Unauthenticated):
        headers = {"www-authenticate": "Bearer"}
    elif isinstance(refusal, TooManyAttempts):
        headers = {"retry-after": str(refusal.retry_after_seconds)}
    status = next((number for kind, number in _STATUS.items() if isinstance(refusal, kind)), HTTP_FORBIDDEN)
    return Response(encode(body), status_code=status, media_type="application/json", headers=headers)


ROUTES = (Route("/exports/{export_id}", download_export, methods=["GET"]),)
