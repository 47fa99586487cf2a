"""Which values does the environment give us? Every setting, its default and what it means; read once at start-up.

Any package but the domain may read this module, so it imports nothing of ours but identity_providers.py, which is like
itself. Variables carry the prefix `TOCSIN_`; an empty one counts as unset. Durations are seconds (`900`) or ISO 8601
(`PT15M`).
"""

from pydantic_settings import SettingsConfigDict

from tocsin.settings.alerts import AlertSettings
from tocsin.settings.door import DoorSettings
from tocsin.settings.messages import MailProvider, MessageSettings
from tocsin.settings.operation import LogFormat, LogLevel, OperationSettings
from tocsin.settings.people import PeopleSettings
from tocsin.settings.secrets import SECRET_BYTES, SecretSettings
from tocsin.settings.stores import StoreSettings
from tocsin.settings.words import MissingSettingError

__all__ = ["SECRET_BYTES", "LogFormat", "LogLevel", "MailProvider", "MissingSettingError", "Settings"]


class Settings(
    OperationSettings,
    SecretSettings,
    MessageSettings,
    PeopleSettings,
    AlertSettings,
    DoorSettings,
    StoreSettings,
):
    """The settings of one process. Immutable: a change takes a restart."""

    model_config = SettingsConfigDict(
        env_prefix="TOCSIN_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # A refused value may hold a password: the message names the variable alone.
        hide_input_in_errors=True,
    )
