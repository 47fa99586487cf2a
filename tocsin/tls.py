"""How does the API end TLS itself? With version 1.3 alone: what came before is kept for clients long out of support."""

import ssl

from tocsin.errors import StartError
from tocsin.settings import Settings


def server_tls(settings: Settings) -> ssl.SSLContext | None:
    """The server's side of TLS; None where a proxy ends it. StartError in one line when the files are not right."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or "not a certificate and its key"
        raise StartError(
            f"TOCSIN_TLS_CERTIFICATE={settings.tls_certificate} with TOCSIN_TLS_KEY={settings.tls_key}: {reason}"
        ) from None
    return context
