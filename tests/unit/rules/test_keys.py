"""Can people read the key that a rule makes: the values of its parts, whatever they are?"""

import pytest

from domain.correlation.making import by_key
from domain.rules.keys import key_of, read_key

PARTS = ("service", "labels.env", "labels.path")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("shop", "prod", "x"), "shop, prod, x"),
        (("shop", "", ""), "shop"),
        (("shop", "a/b", "c\\d"), "shop, a/b, c\\d"),
        (("a:1:b", "\n", "\\/"), "a:1:b, \n, \\/"),
    ],
)
def test_a_key_says_its_values(values: tuple[str, str, str], said: str) -> None:
    service, env, path = values
    key = key_of(PARTS, {"alert.service": service, "alert.labels": {"env": env, "path": path}})
    assert read_key(key) == said
    assert by_key(key).title == said


def test_what_has_nothing_to_read_stays_the_key() -> None:
    nothing = key_of(PARTS, {"alert.service": "", "alert.labels": {}})
    long = key_of(PARTS, {"alert.service": "x" * 300, "alert.labels": {}})
    for key in (nothing, long, "gen:1:disk", "anything"):
        assert read_key(key) == key
