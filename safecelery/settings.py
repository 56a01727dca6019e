"""Settings of a service, from the environment, a secrets directory and a TOML file.

Precedence, highest first: arguments, ``SAFECELERY_*`` environment variables (nested names joined by
``__``: ``SAFECELERY_BROKER__URL``), files in the secrets directory (named like the variables), the TOML
file. An unknown key is an error in each of them, with the nearest known name. Secrets have no repr.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from safecelery.errors import SettingsError, did_you_mean

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

#: Value of ``ledger.url`` that turns the delivery ledger off. Logged at each start of a worker.
LEDGER_OFF = "disabled-and-replays-run"

Profile = Literal["production", "development"]
TlsFloor = Literal["TLSv1.2", "TLSv1.3"]


def _split_urls(value: object) -> object:
    """``"a;b"`` is kombu's spelling of a failover list (kombu/connection.py, ``Connection.__init__``)."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(";") if part.strip())
    return value


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class BrokerSettings(_Section):
    """How to reach the message broker."""

    url: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split_urls)] = ()
    """One URL, or a failover list separated by ``;``. ``rediss://`` or ``amqps://`` in production."""
    ca_file: Path | None = None
    """PEM file of the authority that signed the broker's certificate. ``None``: the system's authorities."""
    cert_file: Path | None = None
    """PEM file of this service's client certificate, if the broker asks for one."""
    key_file: Path | None = None
    """PEM file of the client certificate's private key."""
    tls_floor: TlsFloor = "TLSv1.2"
    """Lowest TLS version to speak."""


class ResultSettings(_Section):
    """Where results go. Without a URL no results are kept."""

    url: SecretStr | None = None
    ca_file: Path | None = None
    """As for the broker; ``None`` takes the broker's."""
    cert_file: Path | None = None
    key_file: Path | None = None
    expires: int = Field(default=86_400, gt=0)
    """Seconds for which a result is kept, and for which its seal holds."""
    mode: Literal["enforce", "report"] = "enforce"
    """``report``: unsigned results are believed, counted and logged; for the time in which workers are moved over."""
    exceptions: tuple[str, ...] = ()
    """Dotted names of exceptions that a failed task's caller may see as themselves, beside the built-in ones and the
    task's own ``throws``. Any other becomes a ``RemoteError``."""
    max_bytes: int = Field(default=1_048_576, ge=1_024)
    """Bytes of one stored result, before and after decompression. Nothing larger is parsed, or stored."""
    claim_check: SecretStr | None = None
    """fsspec URL of the place that takes larger results, such as ``s3://bucket/results``. ``None``: they fail. Needs
    the extra ``claimcheck``."""
    claim_max_bytes: int = Field(default=268_435_456, ge=1_024)
    """Bytes of the largest result that goes to, or is read from, that place."""
    unsealed_backend: Literal["anyone-can-forge-results"] | None = None
    """Lets a result backend run that safecelery cannot seal. Logged at each start."""


class SigningSettings(_Section):
    """The key this service signs with, and the keys it trusts."""

    key: str | None = None
    """Reference to the private key: ``file:/run/secrets/orders.key`` or ``env:ORDERS_KEY``."""
    trust_file: Path | None = None
    """TOML file of the trusted public keys and what each may send."""


def _split_list(value: object) -> object:
    """``"a, b"``: how a variable of the environment spells a list."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


class EncryptionSettings(_Section):
    """Which tasks are encrypted, and the keys this service reads with. Whom it encrypts to, the trust file says."""

    keys: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_list)] = ()
    """References to private decryption keys, ``file:PATH``, ``env:NAME`` or ``directory:PATH``, separated by commas."""
    tasks: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_list)] = ()
    """Names or globs of tasks that must be encrypted, separated by commas: for senders without the code of a task that
    says ``encrypt=True``, or ``*`` for all of them."""
    mode: Literal["enforce", "report"] = "enforce"
    """What a worker does with messages of such tasks that are not encrypted: ``enforce`` refuses them; ``report`` runs,
    counts and logs each; only for the time in which senders begin to encrypt."""


class LedgerSettings(_Section):
    """Where workers keep account of the messages that they ran, so that none runs twice unasked."""

    url: SecretStr | None = None
    """``rediss://``, ``postgresql+psycopg://`` or ``sqlite:///``. ``None``: the broker's own Redis, else the results'
    Redis; with neither, a worker does not start."""
    ca_file: Path | None = None
    """As for the broker; ``None`` takes the broker's."""
    cert_file: Path | None = None
    key_file: Path | None = None
    lease: int = Field(default=60, ge=2)
    """Seconds after which a message of a worker that died is another's. A living worker renews three times as often."""


class FirewallSettings(_Section):
    """What a worker does with messages that it should not run."""

    mode: Literal["enforce", "report"] = "enforce"
    """``enforce`` refuses them. ``report`` runs unsigned messages, and those whose signer may not send them, counts
    and logs each as one that would be refused; only for the time in which senders begin to sign."""


class MetricsSettings(_Section):
    """Where a worker's numbers can be read, in Prometheus' text format."""

    port: int | None = Field(default=None, ge=1, le=65_535)
    """TCP port of the worker's main process; ``None``: no endpoint. Needs the extra ``safecelery[metrics]``."""
    address: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen at. There is no password: whoever reaches it reads names of queues, tasks and key owners."""


class ControlSettings(_Section):
    """What workers say to each other. Commands need no setting: they are signed, and granted in the trust store."""

    mingle: bool = False
    """At its start a worker asks the others for the ids of revoked tasks, by the signed command ``hello``."""
    unsigned_gossip: bool = False
    """Workers listen to each other's events. Nobody signs those: whoever reaches the broker can forge them."""


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
