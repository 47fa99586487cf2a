"""What does the server tell of itself?"""

from graphql_api.context import Context
from graphql_api.identity.types import Feature, ServerInfo
from graphql_api.version import VERSION


async def server_info(context: Context) -> ServerInfo:
    """The version, to everybody; what the server runs on, to people who are signed in."""
    if context.viewer is None:
        return ServerInfo(version=VERSION, features=[])
    settings = context.settings
    return ServerInfo(
        version=VERSION,
        features=[
            Feature(name="introspection", enabled=settings.introspection, detail=None),
            Feature(name="redis", enabled=settings.redis_url is not None, detail=None),
            Feature(
                name="search",
                enabled=True,
                detail="elasticsearch" if settings.elasticsearch_url else "postgresql",
            ),
        ],
    )
