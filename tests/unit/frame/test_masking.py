"""Clients read their own mistakes in full, ours only as a reference (T4)."""

from typing import Any

import asyncpg
import pytest
from graphql import GraphQLError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain import errors
from domain.alerts.submission import QueueFull, StoreUnavailable
from graphql_api.errors import MAPPING, TOP_LEVEL, ErrorCode, as_user_error, code_of
from graphql_api.masking import MAX_MESSAGE, present


def wrapped(error: Exception) -> DBAPIError:
    outer = OperationalError("SELECT secret", {}, error)
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidInput("no", ("first",)), "INVALID_INPUT"),
        (errors.NotFound("no"), "NOT_FOUND"),
        (errors.Unauthenticated("who?"), "UNAUTHENTICATED"),
        (errors.Forbidden("no"), "FORBIDDEN"),
        (QueueFull(3), "OVERLOADED"),
        (StoreUnavailable(3), "OVERLOADED"),
        (PoolTimeout("full"), "OVERLOADED"),
        (ConnectionRefusedError("secret host"), "OVERLOADED"),
        (asyncpg.CannotConnectNowError("starting up"), "OVERLOADED"),
        (asyncpg.TooManyConnectionsError("secret"), "OVERLOADED"),
        (wrapped(asyncpg.ConnectionDoesNotExistError("secret")), "OVERLOADED"),
        (wrapped(asyncpg.AdminShutdownError("secret")), "OVERLOADED"),
        (wrapped(asyncpg.QueryCanceledError("secret")), "TIMEOUT"),
        (wrapped(asyncpg.UndefinedColumnError("secret")), "INTERNAL"),
        (ValueError("secret"), "INTERNAL"),
        (KeyError("secret"), "INTERNAL"),
    ],
    ids=repr,
)
def test_each_cause_has_its_code_and_none_tells_a_secret(error: Exception, code: str) -> None:
    shown = present(GraphQLError("secret", original_error=error), "ref-1")
    assert (shown.extensions or {})["code"] == code
    assert "secret" not in shown.message
    assert shown.original_error is None
    if code == "INTERNAL":
        assert (shown.extensions or {})["reference"] == "ref-1"
        assert "ref-1" in shown.message


def test_an_error_of_the_document_is_shown_as_it_is() -> None:
    shown = present(GraphQLError("Cannot query field 'x' on type 'Query'. Did you mean 'y'?"), "ref")
    assert shown.message.endswith("Did you mean 'y'?")
    assert shown.extensions == {"code": "BAD_REQUEST"}
    quiet = present(GraphQLError("Cannot query field 'x' on type 'Query'. Did you mean 'y'?"), "ref", suggestions=False)
    assert quiet.message == "Cannot query field 'x' on type 'Query'."


def test_presenting_twice_changes_nothing() -> None:
    once = present(GraphQLError("x", original_error=ValueError("secret")), "ref-1")
    assert present(once, "ref-2") is once


def instance(kind: type[errors.DomainError]) -> errors.DomainError:
    return kind("a sentence", ("a", "b"))


@pytest.mark.parametrize("kind", [*MAPPING, errors.Unauthenticated], ids=lambda kind: str(kind.__name__))
def test_every_domain_error_has_a_code_of_its_own_and_a_graphql_type(kind: type[errors.DomainError]) -> None:
    error = instance(kind)
    shown: Any = as_user_error(error)
    if kind is errors.Unauthenticated:
        assert shown is None
        assert code_of(error) is ErrorCode.UNAUTHENTICATED
        return
    assert (shown.message, shown.path, shown.code) == ("a sentence", ["a", "b"], code_of(error))
    assert type(shown).__name__ == kind.__name__


def test_no_domain_error_was_forgotten() -> None:
    def below(kind: type[errors.DomainError]) -> set[type[errors.DomainError]]:
        return {one for child in kind.__subclasses__() for one in ({child} | below(child))}

    known = {kind for kind in below(errors.DomainError) if kind.__module__ == "domain.errors"}
    assert known == {*MAPPING, *TOP_LEVEL}


def test_moves_are_told_in_the_enums_own_words() -> None:
    shown: Any = as_user_error(errors.IllegalMove("no", current="active", allowed=("resolved",)))
    assert (shown.current, shown.allowed) == ("ACTIVE", ["RESOLVED"])


def test_a_message_is_no_longer_than_somebody_reads() -> None:
    shown = present(GraphQLError("not to include unknown field 'k', found: " + "k: 1 " * 10_000), "ref")
    assert shown.message.startswith("not to include unknown field 'k', found: k: 1")
    assert len(shown.message) == MAX_MESSAGE + 1
    assert shown.extensions == {"code": "BAD_REQUEST"}
