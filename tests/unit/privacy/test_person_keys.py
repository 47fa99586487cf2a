"""What is sealed under a person's key opens in its place alone (T3, T10; ASVS 5 V11.3, V14.2)."""

import os
from uuid import UUID

import pytest

from domain.ids import new_id
from persistence.person_keys import PersonKey, Vault
from persistence.sealing import CannotUnseal, Sealer

EMAIL, NAME = "users.email", "users.first_name"


@pytest.fixture
def vault() -> Vault:
    return Vault(Sealer(os.urandom(32)))


@pytest.fixture
def person() -> UUID:
    return new_id()


def test_what_is_sealed_opens_by_the_kept_form_of_the_key(vault: Vault, person: UUID) -> None:
    key, wrapped = vault.make(person)
    sealed = key.seal("grace@example.com", column=EMAIL, row=person)
    assert sealed is not None
    assert b"grace" not in sealed
    assert vault.key(person, wrapped).open(sealed, column=EMAIL, row=person) == "grace@example.com"


def test_the_same_text_is_sealed_differently_each_time(vault: Vault, person: UUID) -> None:
    key, _ = vault.make(person)
    assert key.seal("Grace", column=NAME, row=person) != key.seal("Grace", column=NAME, row=person)


def test_nothing_is_kept_of_nothing(vault: Vault, person: UUID) -> None:
    key, _ = vault.make(person)
    assert key.seal("", column=NAME, row=person) is None
    assert key.seal(None, column=NAME, row=person) is None
    assert key.open(None, column=NAME, row=person) is None


def test_a_value_moved_to_another_column_row_or_person_does_not_open(vault: Vault, person: UUID) -> None:
    key, _ = vault.make(person)
    sealed = key.seal("grace@example.com", column=EMAIL, row=person)
    other = new_id()
    for opening, column, row in ((key, NAME, person), (key, EMAIL, other), (vault.make(other)[0], EMAIL, person)):
        with pytest.raises(CannotUnseal):
            opening.open(sealed, column=column, row=row)


@pytest.mark.parametrize("position", [0, 11, 12, -1])
def test_a_changed_bit_does_not_open(vault: Vault, person: UUID, position: int) -> None:
    key, _ = vault.make(person)
    sealed = bytearray(key.seal("grace@example.com", column=EMAIL, row=person) or b"")
    sealed[position] ^= 1
    with pytest.raises(CannotUnseal):
        key.open(bytes(sealed), column=EMAIL, row=person)


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_a_stump_does_not_open(vault: Vault, person: UUID, length: int) -> None:
    key, _ = vault.make(person)
    sealed = key.seal("grace@example.com", column=EMAIL, row=person) or b""
    with pytest.raises(CannotUnseal):
        key.open(sealed[:length], column=EMAIL, row=person)


def test_a_key_moved_to_another_person_does_not_open(vault: Vault, person: UUID) -> None:
    _, wrapped = vault.make(person)
    with pytest.raises(CannotUnseal):
        vault.key(new_id(), wrapped)


def test_a_key_of_another_installation_does_not_open(vault: Vault, person: UUID) -> None:
    _, wrapped = vault.make(person)
    with pytest.raises(CannotUnseal, match="TOCSIN_OLDER_SECRET_KEYS"):
        Vault(Sealer(os.urandom(32))).key(person, wrapped)


def test_who_is_erased_reads_as_nothing_whatever_is_left(vault: Vault, person: UUID) -> None:
    key, _ = vault.make(person)
    sealed = key.seal("grace@example.com", column=EMAIL, row=person)
    assert vault.opener(person, None, is_erased=True).open(sealed, column=EMAIL, row=person) is None


def test_who_has_no_key_yet_is_read_as_the_text_that_is_there(vault: Vault, person: UUID) -> None:
    opener = vault.opener(person, None, is_erased=False)
    assert opener.open("Gräce".encode(), column=NAME, row=person) == "Gräce"
    assert opener.open(None, column=NAME, row=person) is None


def test_a_person_with_a_key_has_no_plain_values(vault: Vault, person: UUID) -> None:
    """Whoever writes an address of their own into the database puts it under nobody's key."""
    _, wrapped = vault.make(person)
    with pytest.raises(CannotUnseal):
        vault.opener(person, wrapped, is_erased=False).open(b"mallory@example.com", column=EMAIL, row=person)


def test_long_and_foreign_texts_come_back(vault: Vault, person: UUID) -> None:
    key: PersonKey = vault.make(person)[0]
    for text in ("x" * 400, "日本語 ñ 🙂", "\x01\x02"):
        assert key.open(key.seal(text, column=NAME, row=person), column=NAME, row=person) == text
