"""What can be changed of teams: one file a mutation. Making one and adding members are with the people."""

import strawberry

from graphql_api.teams.mutations.archive_team import archive_team
from graphql_api.teams.mutations.change_team_role import change_team_role
from graphql_api.teams.mutations.hand_over_team import hand_over_team
from graphql_api.teams.mutations.remove_team_member import remove_team_member
from graphql_api.teams.mutations.set_team_ownership import set_team_ownership
from graphql_api.teams.mutations.update_team import update_team


@strawberry.type
class TeamMutations:
    """Mixed into Mutation."""

    update_team = update_team
    change_team_role = change_team_role
    remove_team_member = remove_team_member
    set_team_ownership = set_team_ownership
    hand_over_team = hand_over_team
    archive_team = archive_team
