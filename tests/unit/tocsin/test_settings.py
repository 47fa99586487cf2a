"""Are settings read from the environment as an operator means them, and refused by name where they cannot be meant?"""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from tocsin.settings import MissingSettingError, Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_each_driver_gets_the_form_it_wants(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_URL", f"{scheme}://app:pw@db/tocsin?ssl=require")
    settings = Settings()
    assert settings.database_dsn == "postgresql://app:pw@db/tocsin?ssl=require"
    assert settings.database_sqlalchemy_url == "postgresql+asyncpg://app:pw@db/tocsin?ssl=require"


def test_migrations_use_the_owner_and_fall_back_to_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_URL", "postgresql://app@db/tocsin")
    assert Settings().owner_dsn == "postgresql://app@db/tocsin"
    monkeypatch.setenv("TOCSIN_DATABASE_OWNER_URL", "postgresql://owner@db/tocsin")
    assert Settings().owner_dsn == "postgresql://owner@db/tocsin"
    assert Settings().database_dsn == "postgresql://app@db/tocsin"


def test_an_owner_without_an_application_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_OWNER_URL", "postgresql://owner@db/tocsin")
    with pytest.raises(ValidationError, match="without TOCSIN_DATABASE_URL"):
        Settings()


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_URL", "")
    monkeypatch.setenv("TOCSIN_PORT", "")
    settings = Settings()
    assert settings.database_url is None
    assert settings.port == 8080
    with pytest.raises(MissingSettingError, match="TOCSIN_DATABASE_URL is not set"):
        _ = settings.database_dsn


@pytest.mark.parametrize(
    ("text", "duration"),
    [("900", timedelta(minutes=15)), ("0.5", timedelta(milliseconds=500)), ("PT15M", timedelta(minutes=15))],
)
def test_a_duration_is_seconds_or_iso_8601(monkeypatch: pytest.MonkeyPatch, text: str, duration: timedelta) -> None:
    monkeypatch.setenv("TOCSIN_REOPEN_WINDOW", text)
    assert Settings().reopen_window == duration


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TOCSIN_DATABASE_URL", "mysql://db/tocsin"),
        ("TOCSIN_REDIS_URL", "http://cache"),
        ("TOCSIN_ELASTICSEARCH_URL", "search:9200"),
        ("TOCSIN_REOPEN_WINDOW", "-1"),
        ("TOCSIN_PORT", "65536"),
        ("TOCSIN_INGEST_BATCH_SIZE", "0"),
        ("TOCSIN_SECRET_KEY", "short"),
        ("TOCSIN_LOG_FORMAT", "xml"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert [f"TOCSIN_{'_'.join(map(str, problem['loc'])).upper()}" for problem in refused.value.errors()] == [variable]


def test_the_broker_is_redis_unless_one_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().effective_broker_url is None
    monkeypatch.setenv("TOCSIN_REDIS_URL", "redis://cache:6379/0")
    assert Settings().effective_broker_url == "redis://cache:6379/0"
    monkeypatch.setenv("TOCSIN_BROKER_URL", "amqp://queue")
    assert Settings().effective_broker_url == "amqp://queue"


def test_a_generated_secret_is_kept_for_us_alone(tmp_path: Path) -> None:
    first = Settings(data_dir=tmp_path / "data")
    secret = first.secret_bytes
    assert len(secret) == 32
    assert Settings(data_dir=tmp_path / "data").secret_bytes == secret
    assert Settings(data_dir=tmp_path / "other").secret_bytes != secret
    assert stat.S_IMODE(first.secret_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.secret_file.parent.stat().st_mode) == 0o700


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(max_workers=16) as executor:
        secrets = list(executor.map(lambda _: Settings(data_dir=tmp_path / "data").secret_bytes, range(64)))
    assert len(set(secrets)) == 1
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["secret.key"]


def test_a_damaged_secret_is_refused_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("abcd\n")
    with pytest.raises(ValueError, match="does not hold 32 bytes"):
        _ = Settings(data_dir=tmp_path).secret_bytes
    assert (tmp_path / "secret.key").read_text() == "abcd\n"


def test_a_secret_that_cannot_be_kept_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MissingSettingError, match=r"^TOCSIN_SECRET_KEY is not set: none can be kept in .*/file/data"):
        _ = Settings(data_dir=tmp_path / "file" / "data").secret_bytes


def test_roles_that_must_have_a_second_factor_are_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().second_factor_roles == frozenset()
    monkeypatch.setenv("TOCSIN_SECOND_FACTOR_REQUIRED_FOR", " Admin, manager ,")
    assert Settings().second_factor_roles == {"admin", "manager"}
    monkeypatch.setenv("TOCSIN_SECOND_FACTOR_REQUIRED_FOR", "admin,root")
    with pytest.raises(ValidationError, match="root: no such role"):
        Settings()


def test_each_purpose_has_a_key_of_its_own(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    keys = {settings.derived_key(purpose) for purpose in ("access-token", "email-hash", "sealing")}
    assert len(keys) == 3
    assert settings.secret_bytes not in keys
    assert settings.derived_key("sealing") == Settings(data_dir=tmp_path).derived_key("sealing")


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_SECRET_KEY", "correct-horse-battery-staple-and-more")
    monkeypatch.setenv("TOCSIN_ADMIN_PASSWORD", "hunter2-hunter2")
    assert "staple" not in repr(Settings())
    assert "hunter2" not in repr(Settings())


def test_every_setting_is_described() -> None:
    undescribed = [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")]
    assert undescribed == []


def test_networks_that_are_none_are_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_OUTBOUND_ALLOWED_NETWORKS", "10.1.0.0/16, fd00::/8")
    assert [str(network) for network in Settings().outbound_networks] == ["10.1.0.0/16", "fd00::/8"]
    monkeypatch.setenv("TOCSIN_OUTBOUND_ALLOWED_NETWORKS", "10.1.0.1/16")
    with pytest.raises(ValidationError, match="write networks as"):
        Settings()
