"""Settings of a service, from the environment, a secrets directory and a TOML file.

Precedence, highest first: arguments, ``SAFECELERY_*`` environment variables (nested names joined by
``__``: ``SAFECELERY_BROKER__URL``), files in the secrets directory (named like the variables), the TOML
file. An unknown key is an error in each of them, with the nearest known name. Secrets have no repr.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from safecelery.errors import SettingsError, did_you_mean
from safecelery.settings.sections import (
    LEDGER_OFF,
    BrokerSettings,
    ControlSettings,
    EncryptionSettings,
    FirewallSettings,
    LedgerSettings,
    MetricsSettings,
    Profile,
    ResultSettings,
    SigningSettings,
    TlsFloor,
)

__all__ = [
    "LEDGER_OFF",
    "BrokerSettings",
    "ControlSettings",
    "EncryptionSettings",
    "FirewallSettings",
    "LedgerSettings",
    "MetricsSettings",
    "Profile",
    "ResultSettings",
    "SafeCelerySettings",
    "SigningSettings",
    "TlsFloor",
]

PREFIX = "SAFECELERY_"
#: Variables that say where settings are, and so are not settings themselves.
CONFIG_FILE, SECRETS_DIR = PREFIX + "CONFIG_FILE", PREFIX + "SECRETS_DIR"
#: Default file name of the TOML settings, in the working directory.
DEFAULT_CONFIG_FILE = "safecelery.toml"


class SafeCelerySettings(BaseSettings):
    """All settings of one service. Raises :class:`SettingsError` when built from anything unknown or wrong."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    profile: Profile = "production"
    """``production`` refuses plain text, missing keys and default passwords. ``development`` starts an
    embedded broker and makes keys by itself, and says so loudly."""
    policy: str = "baseline"
    """Name of a shipped policy (``baseline``, ``strict``, ``migration``) or path of a TOML file."""
    broker: BrokerSettings = BrokerSettings()
    results: ResultSettings = ResultSettings()
    signing: SigningSettings = SigningSettings()
    encryption: EncryptionSettings = EncryptionSettings()
    ledger: LedgerSettings = LedgerSettings()
    firewall: FirewallSettings = FirewallSettings()
    metrics: MetricsSettings = MetricsSettings()
    control: ControlSettings = ControlSettings()
    default_queue: str = Field(default="celery", min_length=1)
    """Queue of tasks that no route sends elsewhere."""
    dead_letter_queue: str = Field(default="safecelery.dead-letters", min_length=1)
    """Queue that keeps every refused message, with the reason."""
    park_ahead: float = Field(default=60, ge=10, allow_inf_nan=False)
    """Seconds. A message that is due further ahead waits on the broker instead of in a worker's memory."""
    state_dir: Path | None = None
    """Directory of the development profile's broker and keys. ``None``: under the user's state directory."""

    def __init__(self, **values: Any) -> None:
        _refuse_unknown_variables(os.environ)
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, environment, secrets directory, TOML file; in this order."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if secrets := os.environ.get(SECRETS_DIR):
            _refuse_unknown_secrets(Path(secrets))
            sources.append(
                NestedSecretsSettingsSource(
                    file_secret_settings,
                    secrets_dir=secrets,
                    secrets_dir_missing="error",
                    secrets_prefix=PREFIX,
                    secrets_nested_delimiter="__",
                )
            )
        if toml := _config_file():
            sources.append(_ServiceToml(settings_cls, toml_file=toml))
        return tuple(sources)

    @property
    def broker_urls(self) -> tuple[str, ...]:
        """The broker URLs with their passwords. For the connection only, never for a log."""
        return tuple(url.get_secret_value() for url in self.broker.url)


class _ServiceToml(TomlConfigSettingsSource):
    """``safecelery.toml`` without the table that configures the linter (safecelery/lint/config/)."""

    def __call__(self) -> dict[str, Any]:
        """What the file says about the service."""
        return {key: value for key, value in super().__call__().items() if key != "lint"}


def _config_file() -> Path | None:
    named = os.environ.get(CONFIG_FILE)
    if named:
        if not Path(named).is_file():
            raise SettingsError(f"{CONFIG_FILE} names {named!r}, which is not a file")
        return Path(named)
    default = Path(DEFAULT_CONFIG_FILE)
    return default if default.is_file() else None


def _names() -> Iterator[str]:
    for name, field in SafeCelerySettings.model_fields.items():
        yield PREFIX + name.upper()
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            for inner in section.model_fields:
                yield f"{PREFIX}{name.upper()}__{inner.upper()}"


def _refuse_unknown(names: Iterator[str], where: str) -> None:
    known = [CONFIG_FILE, SECRETS_DIR, *_names()]
    unknown = [name for name in names if name.upper().startswith(PREFIX) and name.upper() not in known]
    if unknown:
        lines = [f"  {name}{did_you_mean(name.upper(), known)}" for name in unknown]
        raise SettingsError(f"unknown settings in {where}, nothing would read them:\n" + "\n".join(lines))


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    _refuse_unknown(iter(environ), "the environment")


def _refuse_unknown_secrets(directory: Path) -> None:
    if not directory.is_dir():
        raise SettingsError(f"{SECRETS_DIR} names {str(directory)!r}, which is not a directory")
    _refuse_unknown((path.name for path in directory.iterdir()), f"the secrets directory {directory}")


def _explain(error: ValidationError) -> str:
    """One line per mistake: dotted name, what is wrong, nearest known name. Never the value given."""
    lines = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        path = [str(part) for part in item["loc"]]
        hint = did_you_mean(path[-1], _siblings(path)) if item["type"] == "extra_forbidden" else ""
        text = "unknown setting" if item["type"] == "extra_forbidden" else item["msg"]
        lines.append(f"  {'.'.join(path)}: {text}{hint}")
    return "settings of safecelery:\n" + "\n".join(lines)


def _siblings(path: list[str]) -> list[str]:
    model: type[BaseModel] = SafeCelerySettings
    for part in path[:-1]:
        field = model.model_fields.get(part)
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return []
        model = field.annotation
    return list(model.model_fields)
