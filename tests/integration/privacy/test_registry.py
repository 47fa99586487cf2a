"""No sealed column and no table about people is forgotten: the registries are held against all tables (T3, T10)."""

import sqlalchemy as sa

from persistence.erasing import undecided
from persistence.sealed_columns import SEALED
from persistence.tables import metadata

# Bytes that are no secret and no person's: what they are instead.
PLAIN = {
    "audit_seals.root": "a hash",
    "audit_seals.previous": "a hash",
    "audit_seals.key": "a public key",
    "audit_seals.signature": "a signature",
    "audit_seals.entry_ids": "ids",
    "audit_seals.leaves": "hashes",
    "attachments.sha256": "a hash",
    "federation_codes.challenge": "a hash",
    "identity_challenges.nonce": "random, to be signed",
    "passkeys.credential_id": "an id",
    "passkeys.public_key": "a public key",
    "rejected_items.raw": "what a tool sent, kept for 30 days to be sent again",
}


def test_every_column_of_bytes_is_sealed_or_known_to_be_no_secret() -> None:
    registered = {sealed.name for sealed in SEALED}
    forgotten = [
        f"{table}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, sa.LargeBinary)
        and not column.name.endswith(("digest", "hash"))
        and f"{table}.{column.name}" not in registered | set(PLAIN)
    ]
    assert forgotten == [], "add them to persistence/sealed_columns.py, or say here what they are"


def test_every_registered_column_is_there_and_holds_bytes() -> None:
    for sealed in SEALED:
        column = metadata.tables[sealed.table.name].c[sealed.column.name]
        assert isinstance(column.type, sa.LargeBinary), sealed.name


def test_every_column_that_names_a_person_has_a_decision() -> None:
    assert undecided() == [], "say in persistence/erasing.py whether it goes with an erased person or stays, and why"
