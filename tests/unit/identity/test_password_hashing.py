"""What does a password cost who guesses it? What RFC 9106 asks for: no test may hash with less and call it the product.

Tests of other things sign people in with a quicker hash (tests/api.py).
"""

from argon2 import PasswordHasher as Argon2
from argon2 import Type, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from persistence.passwords import Argon2Hasher


async def test_a_hash_takes_as_long_as_the_standard_asks() -> None:
    hasher = Argon2Hasher()
    try:
        kept = await hasher.hash("correct horse battery")
        assert extract_parameters(kept) == RFC_9106_LOW_MEMORY
        assert RFC_9106_LOW_MEMORY.type is Type.ID
        assert await hasher.verify(kept, "correct horse battery")
        assert not await hasher.verify(kept, "correct horse batterz")
        assert not await hasher.verify(None, "no password is this one")
        assert not hasher.is_outdated(kept)
        assert hasher.is_outdated(Argon2(time_cost=1).hash("correct horse battery"))
    finally:
        hasher.close()
