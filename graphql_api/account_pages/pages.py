"""What does a browser get at the address of a mailed link? A small page that calls the API, from local files alone.

The token stands in the address behind a `#`, which a browser keeps to itself: the page's script reads it, takes it out
of the address bar, and sends it to the API in the body of a POST. Nothing is used up before a person presses the
button, so a scanner that opens every link of a mail uses none. The policy allows no other address, and no script but
the file.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from graphql_api.documents.shipped import FOLDER as DOCUMENTS

STATIC = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TITLES = {
    "verify": "Confirm your address",
    "reset": "Set a new password",
    "invitation": "Come in",
    "address": "Confirm your new address",
}
_TYPES = {"account.js": "text/javascript; charset=utf-8", "account.css": "text/css; charset=utf-8"}
# What the script may ask; shipped documents run also where registered ones alone may (graphql_api/documents).
_ASKED = {
    "verifyAddress": "verify_address",
    "resendVerification": "resend_verification",
    "resetPassword": "reset_password",
    "requestPasswordReset": "request_password_reset",
    "acceptInvitation": "accept_invitation",
    "confirmAddressChange": "confirm_address_change",
}
_HEADERS = {"content-security-policy": POLICY, "referrer-policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    etag: str


def _file(content: bytes) -> _File:
    return _File(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def _script() -> bytes:
    """The script, with the documents it sends."""
    documents = {field: (DOCUMENTS / f"{name}.graphql").read_text() for field, name in _ASKED.items()}
    text = (STATIC / "account.js").read_text()
    return text.replace("/* documents */ {}", orjson.dumps(documents).decode(), 1).encode()


class AccountPages:
    """The pages and their two files, read once a process."""

    def __init__(self) -> None:
        shell = (STATIC / "page.html").read_text()
        self._pages = {
            name: shell.replace("{title}", title)
            .replace("{page}", name)
            .replace("{form}", (STATIC / f"{name}.html").read_text())
            for name, title in TITLES.items()
        }
        self._files = {"account.js": _file(_script()), "account.css": _file((STATIC / "account.css").read_bytes())}

    @property
    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/account/{name}", self.page),
            Route("/account/files/{name}", self.file),
        ]

    async def page(self, request: Request) -> Response:
        """One of the pages. No cache keeps it."""
        html = self._pages.get(request.path_params["name"])
        if html is None:
            return Response(status_code=404)
        return HTMLResponse(html, headers={**_HEADERS, "cache-control": "no-store"})

    async def file(self, request: Request) -> Response:
        """The script or the style."""
        name = request.path_params["name"]
        found = self._files.get(name)
        if found is None:
            return Response(status_code=404)
        headers = {"etag": found.etag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, 200, headers, _TYPES[name])
