"""What does a browser get at `/graphql`? GraphiQL with a sign-in box, from local files alone.

The files of GraphiQL, React and graphql-ws come with a wheel that requirements/*.lock pins by hash; each is checked
once more against the digest written here, and the page names the digest, so the browser checks it, too. Nothing is
loaded from elsewhere: the page works offline, and its policy forbids every other address.
"""

import base64
import gzip
import hashlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

log = structlog.get_logger(__name__)

PACKAGE = "graphene_django_graphiql_static"
PREFIX = "/graphiql/"
OWN = Path(__file__).parent / "static"
# graphiql 2.4.7, react and react-dom 17.0.2, graphql-ws 5.12.1, @graphiql/plugin-explorer 0.1.15.
WHEEL_FILES: Mapping[str, str] = {
    "graphiql.min.css": "c6cd4b83f01c5e1ff4975d77bc957184dce6dec0155fbf9cc4d9190eba8a7b9d",
    "style.css": "7c0d0b3d496e90c351e8be123d2785a834d86aff107568d0da7af9e7d6659f55",
    "react.production.min.js": "229bbf4d0e7488209564152c6723497f1ac3934136ca1684233d2fa88fa4146f",
    "react-dom.production.min.js": "9db33292007ab6c38527b39d5663e976a305564e19b2a5a8713ea2b2c00f505d",
    "graphiql.min.js": "c564de05b95d184e2c5ba5ceaf2635821f6bf92f2d5777b74d91004ff6b591d1",
    "graphql-ws.min.js": "11986f83a00d26b06c80bbcb01ad2eb8734b7a92c95421584bec656f953f6eac",
    "graphiql-plugin-explorer.umd.js": "de152e8415dd5e57c28fa45378490916d121fe4506f9308301216914f2ebcef1",
}
OWN_FILES = ("graphiql.css", "graphiql.js")
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}", re.ASCII)
MISSING = (
    "<!DOCTYPE html><title>Tocsin</title><p>GraphiQL's files are not installed on this server "
    f"(the package {PACKAGE} of requirements/runtime.lock). The API itself is at this address: POST to it."
)
CLOSED = (
    "<!DOCTYPE html><title>Tocsin</title><p>GraphiQL is off: this server runs registered documents alone "
    "(TOCSIN_TRUSTED_DOCUMENTS_ONLY). The API itself is at this address: POST to it."
)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    content: bytes
    zipped: bytes
    media_type: str
    digest: bytes

    @property
    def integrity(self) -> str:
        """The value of an `integrity` attribute."""
        return "sha256-" + base64.b64encode(self.digest).decode()

    @property
    def etag(self) -> str:
        """A strong validator."""
        return f'"{self.digest.hex()[:32]}"'


class GraphiQL:
    """The page and its files. A process reads them once, when a browser first asks."""

    def __init__(self) -> None:
        self._assets: dict[str, Asset] | None = None

    def page(self, request: Request) -> Response:
        """The page; a plain note where its files are missing."""
        assets = self._loaded()
        if not assets:
            return HTMLResponse(MISSING, 501)
        template = (OWN / "graphiql.html").read_text()
        return HTMLResponse(
            template.replace("{links}", _tags(assets, ".css")).replace("{scripts}", _tags(assets, ".js")),
            headers={"content-security-policy": _policy(request), "cache-control": "no-cache", "vary": "accept"},
        )

    @staticmethod
    def closed() -> Response:
        """What a browser gets where only registered documents run."""
        return HTMLResponse(CLOSED, 403, headers={"cache-control": "no-store", "vary": "accept"})

    async def file(self, request: Request) -> Response:
        """One of the page's files."""
        asset = self._loaded().get(request.path_params["name"])
        if asset is None:
            return Response(status_code=404)
        headers = {"etag": asset.etag, "cache-control": "public, max-age=3600", "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == asset.etag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.zipped, 200, {**headers, "content-encoding": "gzip"}, asset.media_type)
        return Response(asset.content, 200, headers, asset.media_type)

    def _loaded(self) -> dict[str, Asset]:
        if self._assets is None:
            self._assets = load_assets()
        return self._assets


def wants_page(request: Request) -> bool:
    """Whether a browser asks for the page, and not a client for an answer."""
    asked = {"query", "documentId", "extensions"} & request.query_params.keys()
    return request.method == "GET" and not asked and _accepts_html(request)


def _accepts_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def load_assets() -> dict[str, Asset]:
    """Every file of the page by its name; none at all when one is missing or is not the file that was chosen."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        log.warning("graphiql.missing", package=PACKAGE)
        return {}
    folder = Path(spec.submodule_search_locations[0]) / "static" / PACKAGE
    assets = {}
    for name, expected in WHEEL_FILES.items():
        asset = _read(folder / name)
        if asset is None or asset.digest.hex() != expected:
            # Not served: it is not the file that was looked at when it was chosen.
            log.error("graphiql.file_differs", file=name)
            return {}
        assets[name] = asset
    return assets | {name: found for name in OWN_FILES if (found := _read(OWN / name)) is not None}


def _read(path: Path) -> Asset | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return Asset(content, gzip.compress(content, 6, mtime=0), _TYPES[path.suffix], hashlib.sha256(content).digest())


def _tags(assets: Mapping[str, Asset], suffix: str) -> str:
    form = (
        '  <link rel="stylesheet" href="{url}" integrity="{integrity}">'
        if suffix == ".css"
        else '  <script src="{url}" integrity="{integrity}"></script>'
    )
    return "\n".join(
        form.format(url=PREFIX + name, integrity=asset.integrity)
        for name, asset in assets.items()
        if name.endswith(suffix)
    )


def _policy(request: Request) -> str:
    # Some browsers do not count a WebSocket to the same host as 'self'.
    host = request.headers.get("host", "")
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"font-src data:; connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
