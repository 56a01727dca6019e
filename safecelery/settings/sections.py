"""The sections of a service's settings: one class for each table of ``safecelery.toml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode

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
    "SigningSettings",
    "TlsFloor",
]

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
    """Reference to the private key: ``directory:/run/secrets/orders-keys`` (this one and the next),
    ``file:/run/secrets/orders.key`` or ``env:ORDERS_KEY``. Files are followed while the process runs."""
    trust_file: Path | None = None
    """TOML file of the trusted public keys and what each may send. Followed while the process runs."""


def _split_list(value: object) -> object:
    """``"a, b"``: how a variable of the environment spells a list."""
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


class EncryptionSettings(_Section):
    """Which tasks are encrypted, and the keys this service reads with. Whom it encrypts to, the trust file says."""

    keys: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_list)] = ()
    """References to private decryption keys, ``file:PATH``, ``env:NAME`` or ``directory:PATH``, separated by commas."""
    tasks: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_list)] = ()
    """Names or globs of tasks that must be encrypted, separated by commas: for senders without the code of a task that
    says ``encrypt=True``, or ``*`` for all of them."""
    operations_key: str | None = None
    """Reference to a key of scheme ``aes-256-gcm`` that names operations of encrypted tasks with an
    ``idempotency_key``. All workers of a task share it, and it is not rotated while outcomes are kept under it."""
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
