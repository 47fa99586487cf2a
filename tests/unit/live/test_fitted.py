"""Does JSON that is kept take the room of what it says?"""

import tracemalloc

import orjson

from graphql_api.fitted import fitted

NUMBER = 1000
# What a few letters and the object around them are.
MOST_EACH = 150


def test_short_json_that_is_kept_takes_little_room() -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = [fitted(orjson.dumps({"number": number})) for number in range(NUMBER)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [orjson.loads(one)["number"] for one in kept] == list(range(NUMBER))
    assert after - before < NUMBER * MOST_EACH
