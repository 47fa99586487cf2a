"""Which code does an authenticator app show, and is it good? RFC 6238: six digits, every 30 seconds, HMAC-SHA-1.

These parameters are the ones every app knows. A code is taken for the step it belongs to and the one before and after
it, since clocks differ; and never again, nor an older one, once it was taken: who reads a code over a shoulder or from
a phishing page comes too late.
"""

import base64
import hmac
import secrets
import unicodedata
from datetime import datetime

import pyotp

DIGITS = 6
STEP_SECONDS = 30
# Steps before and after the current one.
TOLERANCE = 1
# As long as the hash: RFC 4226 asks for no less than 128 bits and advises 160.
SECRET_BYTES = 20


def new_secret() -> str:
    """A fresh secret, in Base32 as people type it."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def step_at(moment: datetime) -> int:
    """The time step of a moment."""
    return int(moment.timestamp()) // STEP_SECONDS


def code_of(secret: str, step: int) -> str:
    """The code of a step."""
    return pyotp.HOTP(secret, digits=DIGITS).at(step)


def matching_step(secret: str, code: str, *, now: datetime, last_step: int | None) -> int | None:
    """The step whose code this is, if it may be taken now; None for a wrong code and for one that is used up.

    Every step is looked at, whichever matches: the time says nothing.
    """
    given = _digits(code)
    current, found = step_at(now), None
    for step in range(max(0, current - TOLERANCE), current + TOLERANCE + 1):
        is_it = hmac.compare_digest(code_of(secret, step), given)
        if is_it and found is None and (last_step is None or step > last_step):
            found = step
    return found


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """The `otpauth://` address an app reads from a QR code."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(name=account, issuer_name=issuer)


def _digits(code: str) -> str:
    """The code as it is compared: apps show it in two groups. What is no code becomes one that matches none."""
    text = "".join(unicodedata.normalize("NFKC", code[: 4 * DIGITS]).split())
    return text if len(text) == DIGITS and text.isascii() and text.isdigit() else ""
