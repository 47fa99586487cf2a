"""Did Grafana sign this post? HMAC-SHA256 with the secret kept on the integration, in `X-Grafana-Alerting-Signature`.

Grafana signs `<timestamp>:<body>` when its contact point names a timestamp header, else the body alone. The name of
that header is the user's choice, so every header with "timestamp" in its name is tried. Only a signature with a
timestamp protects against replay.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from graphql_api.webhooks.contract import PayloadError, Post

SIGNATURE_HEADER = "x-grafana-alerting-signature"
TOLERANCE = timedelta(minutes=5)
_MOST_TIMESTAMPS = 5


def verify(post: Post) -> None:
    """Raise PayloadError 401 unless the post is signed with the integration's secret. No secret: nothing to verify."""
    secret = post.integration.hmac_secret
    if secret is None:
        return
    given = post.headers.get(SIGNATURE_HEADER, "").strip().lower().encode()
    if not given:
        raise PayloadError(401, "the post is not signed, but the integration has a secret", (SIGNATURE_HEADER,))
    stamps = [value for name, value in post.headers.items() if "timestamp" in name][:_MOST_TIMESTAMPS]
    for stamp in stamps:
        if hmac.compare_digest(_signature(secret, stamp.encode() + b":" + post.body), given):
            _check_age(stamp, post.received_at)
            return
    if not hmac.compare_digest(_signature(secret, post.body), given):
        raise PayloadError(401, "the signature does not fit the body and the integration's secret", (SIGNATURE_HEADER,))


def _signature(secret: str, message: bytes) -> bytes:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest().encode()


def _check_age(stamp: str, received_at: datetime) -> None:
    try:
        signed_at = datetime.fromtimestamp(int(stamp), tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise PayloadError(401, "the signature's timestamp is not a Unix time", (SIGNATURE_HEADER,)) from error
    if abs(received_at - signed_at) > TOLERANCE:
        raise PayloadError(
            401, f"the signature was made at {signed_at:%Y-%m-%d %H:%M:%S} UTC: too far from now", (SIGNATURE_HEADER,)
        )
