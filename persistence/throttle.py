"""How are attempts counted? As buckets of the rate limiter: by all processes as one, by each alone without Redis."""

import math
from collections.abc import Awaitable, Callable
from functools import partial

from domain.access.devices import DeviceTokens
from domain.access.places import place_of
from domain.access.throttle import Attempt, AttemptKind
from persistence.rate_limiter import RateLimiter

KnownPlace = Callable[[bytes, str], Awaitable[bool]]


class BucketThrottle:
    """Counts attempts; the rules are domain/access/throttle.py's."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter

    async def attempt(self, attempt: Attempt) -> int:
        """Count an attempt. 0, or the seconds to wait before the next is looked at."""
        buckets = attempt.buckets()
        found = await self._limiter.spend(buckets, 1)
        has_room = all(verdict.allowed for verdict in found)
        is_held_up_by_strangers = not has_room and all(verdict.allowed for verdict in found[:2])
        if is_held_up_by_strangers and attempt.is_known is not None and await attempt.is_known():
            found = await self._limiter.spend(buckets[:2], 1)
        return math.ceil(max(verdict.wait for verdict in found))

    async def succeeded(self, attempt: Attempt) -> None:
        """It was right: it does not count, and neither do the failures before it from here."""
        pair, *rest = attempt.buckets()
        await self._limiter.forget(pair.key)
        if rest:
            # An office behind one address signs in each morning.
            await self._limiter.give_back(rest, 1)


class AttemptThrottle:
    """One kind of attempt, for those who know a subject and an address. Implements domain.identity.ports.LoginThrottle.

    `known_place` tells whether a subject has come from a place before.
    """

    def __init__(
        self,
        throttle: BucketThrottle,
        kind: AttemptKind,
        *,
        devices: DeviceTokens,
        known_place: KnownPlace | None = None,
    ) -> None:
        self._throttle, self._kind, self._devices, self._known_place = throttle, kind, devices, known_place

    async def attempt(self, subject: bytes, ip_address: str | None, *, device: str | None = None) -> int:
        """Count an attempt. 0, or the seconds to wait. `device` is the device token the client came with."""
        return await self._throttle.attempt(self._attempt(subject, ip_address, device))

    async def succeeded(self, subject: bytes, ip_address: str | None, *, device: str | None = None) -> None:
        """It was right: forget the failures of this subject from here."""
        await self._throttle.succeeded(self._attempt(subject, ip_address, device))

    def _attempt(self, subject: bytes, ip_address: str | None, device: str | None) -> Attempt:
        known = self._known_place
        return Attempt(
            kind=self._kind,
            subject=subject,
            address=ip_address,
            device=self._devices.device_of(device, subject),
            is_known=None if known is None else partial(known, subject, place_of(ip_address)),
        )
