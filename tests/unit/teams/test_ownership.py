"""Does an alert find the team that owns it, by service, by labels, and always the same one?"""

from collections.abc import Mapping, Sequence
from itertools import permutations
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.visibility import EVERYTHING, Sight
from domain.ids import new_id
from domain.silences.matcher_syntax import parse_matchers
from domain.teams.ownership import MAX_REMEMBERED, Claim, Ownership, OwnershipLine

TEAMS = {name: new_id() for name in ("Alpha", "Beta", "Gamma", "Vault")}


def claim(
    team: str, *, service: str | None = None, matchers: str | None = None, rank: int = 100, private: bool = False
) -> Claim:
    line = OwnershipLine(
        id=new_id(),
        team_id=TEAMS[team],
        service_name=service,
        matchers=parse_matchers(matchers or ""),
        rank=rank,
    )
    return Claim(line, team, private)


def owner(
    claims: Sequence[Claim],
    service: str | None = None,
    labels: Mapping[str, str] | None = None,
    sight: Sight | None = None,
) -> str | None:
    found = Ownership(version=1, claims=claims).find(service, labels or {}, sight=sight)
    return None if found is None else found.team_name


def test_a_service_is_owned_by_its_exact_name() -> None:
    claims = [claim("Alpha", service="checkout")]
    assert owner(claims, "checkout") == "Alpha"
    assert [owner(claims, other) for other in ("Checkout", "checkout-eu", "", None)] == [None] * 4


def test_labels_are_owned_by_matchers_all_of_which_must_hold() -> None:
    claims = [claim("Alpha", matchers='env="prod",host=~"db-.*"')]
    assert owner(claims, None, {"env": "prod", "host": "db-1"}) == "Alpha"
    assert owner(claims, None, {"env": "prod", "host": "web-1"}) is None
    assert owner(claims, None, {"host": "db-1"}) is None


def test_a_service_goes_before_matchers_whatever_their_ranks() -> None:
    claims = [claim("Alpha", matchers='env="prod"', rank=1), claim("Beta", service="checkout", rank=9999)]
    assert owner(claims, "checkout", {"env": "prod"}) == "Beta"
    assert owner(claims, "search", {"env": "prod"}) == "Alpha"


def test_then_the_smaller_rank_counts_then_the_name_then_the_older_line() -> None:
    by_rank = [claim("Alpha", matchers='env="prod"'), claim("Beta", matchers='env=~"prod|test"', rank=5)]
    assert owner(by_rank, None, {"env": "prod"}) == "Beta"
    by_name = [claim("Beta", service="checkout"), claim("Alpha", service="checkout")]
    assert owner(by_name, "checkout") == "Alpha"
    older, newer = claim("Alpha", matchers='env="prod"'), claim("Alpha", matchers='shop="eu"')
    found = Ownership(version=1, claims=[newer, older]).find(None, {"env": "prod", "shop": "eu"})
    assert found is older


def test_negative_and_absent_labels_count_as_in_silences() -> None:
    claims = [claim("Alpha", matchers='env!="test",team="pay"'), claim("Beta", matchers='owner=""', rank=500)]
    assert owner(claims, None, {"team": "pay"}) == "Alpha"
    assert owner(claims, None, {"team": "pay", "env": "test"}) == "Beta"
    assert owner(claims, None, {"owner": "x"}) is None


def test_a_person_gives_nothing_to_a_team_hidden_from_them_and_a_tool_does() -> None:
    claims = [claim("Vault", service="safe", private=True), claim("Beta", service="safe", rank=200)]
    assert owner(claims, "safe") == "Vault"
    assert owner(claims, "safe", sight=Sight()) == "Beta"
    assert owner(claims, "safe", sight=Sight(team_ids=frozenset({TEAMS["Vault"]}))) == "Vault"
    assert owner(claims, "safe", sight=EVERYTHING) == "Vault"
    labels = [claim("Vault", matchers='env="prod"', private=True)]
    assert owner(labels, None, {"env": "prod"}, sight=Sight()) is None


def test_what_is_remembered_is_bounded_and_right() -> None:
    owned = Ownership(version=1, claims=[claim("Alpha", matchers='host=~"db-.*"')])
    for number in range(3 * MAX_REMEMBERED):
        found = owned.find(None, {"host": f"{'db' if number % 2 else 'web'}-{number}"})
        assert (found is not None) == bool(number % 2)
    assert len(owned._remembered) <= MAX_REMEMBERED  # noqa: SLF001
    long = {"host": "db-" + "x" * 3000}
    assert owned.find(None, long) is not None
    assert ((("host", long["host"]),)) not in owned._remembered  # noqa: SLF001


def test_an_archived_teams_heir_stands_in_its_place_and_a_circle_of_heirs_is_nobody() -> None:
    one, two, three = new_id(), new_id(), new_id()
    chained = Ownership(heirs={one: two, two: three})
    assert chained.heir_of(one) == three
    assert chained.heir_of(three) == three
    assert chained.heir_of(None) is None
    assert Ownership(heirs={one: None}).heir_of(one) is None
    assert Ownership(heirs={one: two, two: one}).heir_of(one) is None


WORDS = st.sampled_from(["a", "b", ""])
LABELS = st.dictionaries(st.sampled_from(["env", "host", "shop"]), WORDS, max_size=3)
MATCHERS = st.lists(
    st.tuples(st.sampled_from(["env", "host", "shop"]), st.sampled_from(["=", "!=", "=~", "!~"]), WORDS),
    min_size=1,
    max_size=3,
).map(lambda parts: ",".join(f'{name}{operator}"{value}"' for name, operator, value in parts))
CLAIMS = st.lists(
    st.builds(
        lambda team, service, matchers, rank: (
            claim(team, service=service, rank=rank) if service else claim(team, matchers=matchers, rank=rank)
        ),
        st.sampled_from(sorted(TEAMS)),
        st.sampled_from([None, None, "shop", "bank"]),
        MATCHERS,
        st.integers(1, 3),
    ),
    max_size=8,
)


def plainly(claims: Sequence[Claim], service: str | None, labels: Mapping[str, str]) -> UUID | None:
    """The rule as the table says it, without an index or a memory."""
    fits = [c for c in claims if c.line.service_name is not None and c.line.service_name == service]
    fits = fits or [
        c for c in claims if c.line.service_name is None and all(m.matches(labels) for m in c.line.matchers)
    ]
    best = min(fits, key=lambda c: (c.line.rank, c.team_name, c.line.id), default=None)
    return None if best is None else best.line.id


@given(CLAIMS, st.lists(st.tuples(st.sampled_from([None, "shop", "bank", "none"]), LABELS), max_size=6))
def test_the_index_finds_what_the_rule_says(
    claims: list[Claim], asked: list[tuple[str | None, dict[str, str]]]
) -> None:
    owned = Ownership(version=1, claims=claims)
    # Twice: the second answer may come from memory.
    for service, labels in [*asked, *asked]:
        found = owned.find(service, labels)
        assert (None if found is None else found.line.id) == plainly(claims, service, labels)


@given(CLAIMS.filter(lambda claims: len(claims) <= 4), LABELS)
def test_the_order_in_which_lines_are_read_does_not_matter(claims: list[Claim], labels: dict[str, str]) -> None:
    found = {
        None if (one := Ownership(version=1, claims=order).find("shop", labels)) is None else one.line.id
        for order in permutations(claims)
    }
    assert len(found) == 1


@given(CLAIMS, LABELS)
def test_who_sees_everything_finds_what_a_tool_finds(claims: list[Claim], labels: dict[str, str]) -> None:
    owned = Ownership(version=1, claims=claims)
    assert owned.find("bank", labels, sight=EVERYTHING) == owned.find("bank", labels)
