"""Who listens, and for what? Five people of different sight, a session for each socket, and four ways to ask.

People and sessions are put into the database, since what is measured begins at the socket. All of them see every alert
of the load, and every filter lets it pass: so the last of a thousand clients is really the last of a thousand.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from bench.database import Database
from bench.live_wire import Subscriber
from domain.ids import new_id
from graphql_api.identity.tokens import AccessTokens
from tocsin.settings import Settings

SECRET = "a key for sockets of the bench alone"  # noqa: S105 - it lives as long as the run
LIFE = timedelta(days=1)
FIELDS = "... on AlertEvent { id cursor kind occurredAt alert { id title severity status } }"
DOCUMENTS = (
    f"subscription Follow($filter: AlertFilter) {{ alertEvents(filter: $filter) {{ {FIELDS} }} }}",
    f"subscription Watch($filter: AlertFilter) {{ alertEvents(filter: $filter) {{ {FIELDS} }} }}",
)
RESUMING = f"subscription Resume($after: String) {{ alertEvents(after: $after) {{ {FIELDS} }} }}"
VARIABLES: tuple[dict[str, object], ...] = ({}, {"filter": {"severity": ["CRITICAL", "HIGH"]}})
ROLES = ("admin", "viewer", "viewer", "viewer", "viewer")
# Steps of seven through the twenty combinations: the first five differ in sight, variables and document.
COMBINATIONS = [
    (person, variables, document)
    for person, variables, document in (
        (number * 7 % 20 // 4, number * 7 % 4 // 2, number * 7 % 2) for number in range(20)
    )
]


class People:
    """The signed-in people of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        settings = Settings(database_url=database.owner_url, secret_key=SECRET)
        self._tokens = AccessTokens(settings.derived_key("access-token"), lifetime=LIFE)
        self._people = [new_id() for _ in ROLES]
        statements = []
        for number, (person, role) in enumerate(zip(self._people, ROLES, strict=True)):
            team = new_id()
            user = f"'{person}', 'bench-{person}@example.com', '{role}', now()"
            made = f"'{team}', 'bench {team}', 'bench-{team}', true, now()"
            statements += [
                f"INSERT INTO users (id, email, role, created_at) VALUES ({user})",
                f"INSERT INTO teams (id, name, slug, is_private, created_at) VALUES ({made})",
            ]
            if number:
                statements.append(
                    f"INSERT INTO memberships (team_id, user_id, role, created_at) "
                    f"VALUES ('{team}', '{person}', '{role}', now())"
                )
        database.run(*statements)

    def crowd(self, number: int, *, groups: int) -> list[Subscriber]:
        """So many subscribers, dealt out evenly to so many groups; each socket has its own session and operation id."""
        sessions = [(new_id(), *COMBINATIONS[index % groups]) for index in range(number)]
        self._sign_in([(session, self._people[person]) for session, person, _, _ in sessions])
        now = datetime.now(UTC)
        return [
            Subscriber(
                token=self._tokens.sign(user_id=self._people[person], session_id=session, now=now)[0],
                query=DOCUMENTS[document],
                variables=VARIABLES[variables],
                operation=str(new_id()),
            )
            for session, person, variables, document in sessions
        ]

    def _sign_in(self, sessions: list[tuple[UUID, UUID]]) -> None:
        rows = ", ".join(
            f"('{session}', '{person}', '\\x{session.hex}', now(), now(), now() + '1 day', now() + '1 day')"
            for session, person in sessions
        )
        self._database.run(
            "INSERT INTO sessions (id, user_id, refresh_digest, created_at, last_used_at, idle_expires_at, expires_at) "
            f"VALUES {rows}"
        )
