"""Which team does an alert get when it opens, what is told of it, and does it keep it?"""

from dataclasses import replace
from uuid import UUID

from domain.alerts.model import MANUAL_INTEGRATION_ID
from domain.alerts.normalise import normalise
from domain.alerts.routing import choose_team, placed
from domain.alerts.signal import Outcome
from domain.alerts.visibility import EVERYTHING, Sight
from domain.ids import new_id
from domain.integrations.model import Integration, IntegrationSource
from domain.teams.ownership import Ownership
from tests.unit.alerts.signals import INTEGRATION, RESOLVED, START, Book, at, signal, submission
from tests.unit.teams.test_ownership import TEAMS, claim

OWNED = Ownership(
    version=7,
    claims=[
        claim("Alpha", service="checkout"),
        claim("Beta", matchers='env="prod"'),
        claim("Vault", service="safe", private=True),
    ],
)
DEFAULT = new_id()


def team_of(book: Book) -> UUID | None:
    return book.alert.team_id


def decisions(book: Book, kind: str) -> list[dict[str, object]]:
    return [d for event in book.events for d in event.data.get("decisions", ()) if d["kind"] == kind]


def book(ownership: Ownership = OWNED) -> Book:
    return Book(ownership=ownership)


def with_default(team_id: UUID) -> Integration:
    return replace(INTEGRATION, default_team_id=team_id)


def test_the_owner_of_the_service_gets_it_and_the_decision_says_by_what() -> None:
    made = book()
    made.say(0, service_name="checkout", labels={"env": "prod"})
    assert team_of(made) == TEAMS["Alpha"]
    (decision,) = decisions(made, "team")
    assert decision["reason"] == "the team owns the service"
    assert decision["inputs"] == {
        "teamId": str(TEAMS["Alpha"]),
        "ownershipId": str(OWNED.find("checkout", {}).line.id),  # type: ignore[union-attr]
        "ownershipVersion": 7,
        "rule": "service checkout",
    }


def test_the_owner_goes_before_the_integrations_default_team() -> None:
    made = book()
    made.post(submission(at(0), signal(labels={"env": "prod"}), integration=with_default(DEFAULT)))
    assert team_of(made) == TEAMS["Beta"]
    (decision,) = decisions(made, "team")
    assert decision["inputs"]["rule"] == '{env="prod"}'  # type: ignore[index]


def test_nobodys_alert_is_the_default_teams() -> None:
    made = book()
    made.post(submission(at(0), signal(service_name="other"), integration=with_default(DEFAULT)))
    assert team_of(made) == DEFAULT
    assert [d["reason"] for d in decisions(made, "team")] == ["the integration's default team"]


def test_without_any_of_them_there_is_no_team_and_no_decision() -> None:
    made = book()
    made.say(0, service_name="other")
    assert team_of(made) is None
    assert decisions(made, "team") == []


def test_what_is_folded_into_an_alert_leaves_it_with_its_team() -> None:
    made = book()
    made.say(0, service_name="other")
    assert made.say(10, service_name="checkout") is Outcome.UPDATED
    assert team_of(made) is None
    assert made.say(20, RESOLVED, ended_at=at(20)) is Outcome.RESOLVED
    assert made.say(30, service_name="checkout", started_at=at(30)) is Outcome.REOPENED
    assert team_of(made) is None
    assert decisions(made, "team") == []


def test_an_alert_that_opens_anew_is_decided_anew() -> None:
    made = book()
    made.say(0, service_name="checkout")
    first = made.alert.id
    made.say(10, RESOLVED, ended_at=at(10))
    made.ownership = Ownership(version=8, claims=[claim("Gamma", service="checkout")])
    assert made.say(8 * 3600, service_name="checkout", started_at=at(8 * 3600)) is Outcome.OPENED
    assert made.alert.id != first
    assert team_of(made) == TEAMS["Gamma"]


def by_hand(team_id: UUID | None) -> Integration:
    return Integration(
        id=MANUAL_INTEGRATION_ID,
        name="Manual",
        source=IntegrationSource.MANUAL,
        created_at=START,
        default_team_id=team_id,
    )


def test_a_team_that_a_person_named_wins_and_is_pinned() -> None:
    choice = choose_team(normalise(signal(service_name="checkout"), by_hand(DEFAULT), START), OWNED, sight=EVERYTHING)
    assert (choice.team_id, choice.is_pinned) == (DEFAULT, True)
    named = "who opened it named the team: a person, or the rule or heartbeat that raised it"
    assert [decision.reason for decision in choice.decisions] == [named]
    handed_over = Ownership(heirs={DEFAULT: TEAMS["Alpha"]})
    choice = choose_team(normalise(signal(), by_hand(DEFAULT), START), handed_over, sight=EVERYTHING)
    assert (choice.team_id, choice.decisions[0].reason) == (TEAMS["Alpha"], f"{named}, taken over by this one")


def test_without_a_name_the_owner_gets_it_unless_it_is_hidden_from_the_person() -> None:
    for service, sight, team in (
        ("checkout", Sight(), TEAMS["Alpha"]),
        ("safe", Sight(), None),
        ("safe", EVERYTHING, TEAMS["Vault"]),
    ):
        choice = choose_team(normalise(signal(service_name=service), by_hand(None), START), OWNED, sight=sight)
        assert (choice.team_id, choice.is_pinned) == (team, False)


def test_an_archived_default_team_gives_way_to_its_heir_or_to_none() -> None:
    heir = new_id()
    given = normalise(signal(), with_default(DEFAULT), START)
    taken_over = choose_team(given, Ownership(heirs={DEFAULT: heir}))
    assert taken_over.team_id == heir
    assert "taken over" in taken_over.decisions[0].reason
    nobody = choose_team(given, Ownership(heirs={DEFAULT: None}))
    assert nobody.team_id is None
    assert "archived" in nobody.decisions[0].reason


def test_a_preview_shows_the_team_and_why() -> None:
    seen = placed(normalise(signal(service_name="checkout"), with_default(DEFAULT), START), OWNED)
    assert seen.team_id == TEAMS["Alpha"]
    assert seen.decisions[-1].reason == "the team owns the service"
    assert placed(normalise(signal(), with_default(DEFAULT), START), OWNED).team_id == DEFAULT
