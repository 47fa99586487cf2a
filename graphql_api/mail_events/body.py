"""How is the body of a call back read? Whole, and no larger than a provider's."""

from starlette.requests import Request

# SendGrid gathers events for some seconds; SNS messages have at most 256 KB.
MAX_BODY = 4 * 1024 * 1024


async def whole_body(request: Request) -> bytes | None:
    """The bytes as they came; None when there are too many."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return None
    return bytes(body)
