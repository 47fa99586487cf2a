"""Can a few teams use up what is everybody's? Some places are each team's own, and half of all are no team's."""

from uuid import UUID

import pytest

from domain.errors import InvalidInput
from domain.ids import new_id
from domain.room import OWN, Numbers, Room

ROOM = Room(what="things", how="end one", of_all=100, of_team=30)
TEAM = new_id()


@pytest.mark.parametrize(
    ("of_all", "theirs", "team_id"),
    [
        pytest.param(99, 29, TEAM, id="both-have-room"),
        pytest.param(99, 99, None, id="no-teams-may-be-all-of-them"),
        pytest.param(100, OWN - 1, TEAM, id="a-teams-own-places-stay"),
        pytest.param(400, OWN - 1, TEAM, id="however-many-there-are"),
        pytest.param(100, 49, None, id="half-are-no-teams"),
    ],
)
def test_there_is_room(of_all: int, theirs: int, team_id: UUID | None) -> None:
    ROOM.check(Numbers(of_all, theirs), team_id=team_id)


@pytest.mark.parametrize(
    ("of_all", "theirs", "team_id", "path", "said"),
    [
        pytest.param(30, 30, TEAM, ("teamId",), "the team has 30 things", id="the-team-has-its-share"),
        pytest.param(100, OWN, TEAM, (), "there are 100 things", id="all-places-are-taken"),
        pytest.param(100, 50, None, (), "each team may have 10, and 50 may be no team's", id="and-half-of-them-used"),
    ],
)
def test_there_is_none(of_all: int, theirs: int, team_id: UUID | None, path: tuple[str, ...], said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ROOM.check(Numbers(of_all, theirs), team_id=team_id)
    assert refused.value.path == path
    assert said in refused.value.message
    assert "end one" in refused.value.message
