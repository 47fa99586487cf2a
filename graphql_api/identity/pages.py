"""What does a person see in between, where no console is at hand? A plain page: words, perhaps one form, no script.

Its policy allows nothing but its own style, named by its digest, and a form to this server.
"""

import base64
import hashlib
from dataclasses import dataclass
from html import escape

from starlette.responses import HTMLResponse

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem;color:#1c2430;"
    "background:#fff}h1{font-size:1.4rem}code{display:block;padding:.8rem;background:#f2f4f7;font-size:1.1rem;"
    "overflow-wrap:anywhere}a,button{color:#0b5cad}label{display:block;margin:1rem 0 .3rem}"
    "input,button{font:inherit;padding:.4rem .6rem}"
    "@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181f}code{background:#222934}"
    "a,button{color:#8ec5ff}}"
)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action {{form}}; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page's words. Everything is escaped here, whoever said it."""

    title: str
    words: tuple[str, ...]
    code: str | None = None
    link: tuple[str, str] | None = None
    # Trusted HTML of ours, values escaped by whoever made it.
    form: str = ""

    def answer(self, status: int = 200) -> HTMLResponse:
        """The page as an answer that no cache keeps."""
        parts = [f"<h1>{escape(self.title)}</h1>", *(f"<p>{escape(words)}</p>" for words in self.words)]
        if self.code is not None:
            parts.append(f"<p><code>{escape(self.code)}</code></p>")
        parts.append(self.form)
        if self.link is not None:
            words, path = self.link
            parts.append(f'<p><a href="{escape(path, quote=True)}">{escape(words)}</a></p>')
        html = (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.title)} · Tocsin</title><style>{_STYLE}</style></head>"
            f"<body><main>{''.join(parts)}</main></body></html>"
        )
        policy = _POLICY.format(form="'self'" if self.form else "'none'")
        return HTMLResponse(html, status, headers={"content-security-policy": policy, "cache-control": "no-store"})


def hidden(name: str, value: str) -> str:
    """A field of a form that nobody sees."""
    return f'<input type="hidden" name="{escape(name, quote=True)}" value="{escape(value, quote=True)}">'
