"""How is the body of a signed call read? Whole, as it came, and no larger than whoever calls would send."""

from starlette.requests import Request


async def body_within(request: Request, most: int) -> bytes | None:
    """The bytes; None when there are more."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return bytes(body)
