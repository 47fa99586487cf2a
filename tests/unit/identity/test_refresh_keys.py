"""Do refresh tokens, sealed values and addresses go on through a change of the server's key?"""

import json
import secrets

import pytest
from pydantic import ValidationError

from domain.identity.addresses import address_digests
from domain.identity.sessions import RefreshTokens, digest
from domain.ids import new_id
from persistence.sealing import CannotUnseal, Sealer
from tocsin.settings import Settings

OLD = "the old secret which is long enough"
NEW = "the new secret which is long enough"
BEFORE = Settings(secret_key=OLD)
AFTER = Settings(secret_key=NEW, older_secret_keys=OLD)
ALONE = Settings(secret_key=NEW)


def refresh_tokens(settings: Settings) -> RefreshTokens:
    return RefreshTokens(settings.derived_key("refresh-token"), settings.older_derived_keys("refresh-token"))


def test_a_refresh_token_of_a_former_key_is_read_and_its_successor_is_of_the_current() -> None:
    session = new_id()
    token = refresh_tokens(BEFORE).token(session, 3)
    assert refresh_tokens(AFTER).read(token) == (session, 3)
    assert refresh_tokens(ALONE).read(token) is None
    assert refresh_tokens(ALONE).read(refresh_tokens(AFTER).token(session, 4)) == (session, 4)


def test_a_lost_answer_is_repeated_as_it_was_given_before_the_key_changed() -> None:
    """API2:2023: a token made up anew would end the session as if it had been stolen."""
    session = new_id()
    given = refresh_tokens(BEFORE).token(session, 4)
    assert refresh_tokens(AFTER).stored(session, 4, stored=digest(given)) == given
    own = refresh_tokens(AFTER).token(session, 4)
    assert refresh_tokens(AFTER).stored(session, 4, stored=digest(own)) == own


def test_what_a_former_key_sealed_opens_and_what_is_sealed_now_is_of_the_current() -> None:
    """ASVS 5 11.2.2."""
    row = new_id()
    sealed = Sealer.of(BEFORE).seal("hush", column="a.b", row=row)
    assert Sealer.of(AFTER).unseal(sealed, column="a.b", row=row) == "hush"
    assert (
        Sealer.of(ALONE).unseal(Sealer.of(AFTER).seal("hush", column="a.b", row=row), column="a.b", row=row) == "hush"
    )
    with pytest.raises(CannotUnseal, match="TOCSIN_OLDER_SECRET_KEYS"):
        Sealer.of(ALONE).unseal(sealed, column="a.b", row=row)


def test_an_address_is_looked_for_under_each_key() -> None:
    keys = (AFTER.derived_key("email-hash"), *AFTER.older_derived_keys("email-hash"))
    current, older = address_digests("Ada@Example.com", keys)
    assert current == address_digests("ada@example.com", [NEW_KEY])[0]
    assert older == address_digests("ada@example.com", [BEFORE.derived_key("email-hash")])[0]


NEW_KEY = ALONE.derived_key("email-hash")


def test_several_former_keys_are_listed_with_commas() -> None:
    settings = Settings(secret_key=NEW, older_secret_keys=f"{OLD} , {'x' * 40},{NEW},")
    assert len(settings.older_derived_keys("sealing")) == 2  # the current one is no former one
    assert settings.derived_key("sealing") not in settings.older_derived_keys("sealing")


def test_a_key_with_a_comma_is_given_in_a_list() -> None:
    with_comma = "a secret, with a comma, that is long enough"
    settings = Settings(secret_key=NEW, older_secret_keys=json.dumps([with_comma, OLD]))
    assert Settings(secret_key=with_comma).derived_key("x") in settings.older_derived_keys("x")
    assert BEFORE.derived_key("x") in settings.older_derived_keys("x")
    for nonsense in ("[", '["short"]', "[1]", '{"a": 1}'):
        with pytest.raises(ValidationError):
            Settings(secret_key=NEW, older_secret_keys=nonsense)


def test_the_generated_secret_of_a_data_directory_can_become_a_former_one(tmp_path: object) -> None:
    text = secrets.token_hex(32)
    generated = Settings(data_dir=tmp_path)
    generated.secret_file.write_text(text)
    settings = Settings(secret_key=NEW, older_secret_keys=text)
    assert generated.derived_key("sealing") in settings.older_derived_keys("sealing")


def test_a_former_key_that_is_short_is_refused_and_none_is_shown() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(secret_key=NEW, older_secret_keys=f"{OLD},short-one")
    assert "32 characters" in str(raised.value)
    assert "short-one" not in str(raised.value)
    assert OLD not in repr(AFTER)
