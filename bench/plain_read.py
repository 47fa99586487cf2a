"""How fast is the same JSON without GraphQL? One Starlette route, the rows of asyncpg, orjson.

The bench starts it with `uvicorn bench.plain_read:app`; `READ_DSN` comes from the environment.
"""

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.stock_read import health, lifespan, rows

NAMES = {
    "service_name": "serviceName",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "last_seen_at": "lastSeenAt",
}


async def graphql(request: Request) -> Response:
    """Answer every post with the newest fifty."""
    await request.body()
    found = await rows(50)
    names = [NAMES.get(name, name) for name in found[0].keys()]  # noqa: SIM118 - a Record is no mapping
    nodes = [dict(zip(names, row.values(), strict=True)) for row in found]
    for node in nodes:
        node["id"], node["severity"], node["status"] = str(node["id"]), node["severity"].upper(), node["status"].upper()
    body = orjson.dumps({"data": {"alerts": {"nodes": nodes}}}, option=orjson.OPT_UTC_Z)
    return Response(body, media_type="application/json")


app = Starlette(routes=[Route("/health", health), Route("/graphql", graphql, methods=["POST"])], lifespan=lifespan)
