"""The stage of the demo: a directory, a broker of its own, keys, and the processes; all of it gone afterwards."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from safecelery.cli.demo.identities import Identities
from safecelery.cli.demo.wire import QUEUE
from safecelery.errors import SafeCeleryError
from safecelery.settings import BrokerSettings, ResultSettings, SafeCelerySettings, SigningSettings
from safecelery.testing.servers import REDIS_MISSING, CertificateAuthority, RedisServer, redis_binary

__all__ = ["SAFE_DB", "Scene", "examples_directory", "set_scene"]

#: Redis databases: one for each side.
SAFE_DB, PLAIN_DB = 0, 1


@dataclass(frozen=True, slots=True)
class Scene:
    """Broker and keys; nothing runs on it yet."""

    directory: Path
    server: RedisServer
    identities: Identities

    def describe(self) -> str:
        """The broker, in a line."""
        with self.administrator(SAFE_DB) as client:
            version = client.info("server")["redis_version"]
        if self.server.tls:
            where = f"rediss://localhost:{self.server.port}"
            return f"Redis {version} on {where}: TLS 1.3, certificate and host name verified, a user of its own"
        return f"Redis {version} on a unix socket in a directory of mode 0700 (no redis-server with TLS on PATH)"

    def settings(self, owner: str) -> SafeCelerySettings:
        """Settings of a service with that owner's key. Neither the environment nor a file has a say in them."""
        ca_file = self.server.ca_file if self.server.tls else None
        url = self.server.url_for(SAFE_DB)
        return SafeCelerySettings.model_construct(
            policy="strict",
            broker=BrokerSettings.model_validate({"url": url, "ca_file": ca_file, "tls_floor": "TLSv1.3"}),
            results=ResultSettings.model_validate({"url": url}),
            signing=SigningSettings(key=self.identities.reference(owner), trust_file=self.identities.trust_file),
            default_queue=QUEUE,
        )

    def environment(self, owner: str, book: Path) -> dict[str, str]:
        """The same for a process, as a user would set it."""
        url = self.server.url_for(SAFE_DB)
        tls = {"SAFECELERY_BROKER__CA_FILE": str(self.server.ca_file)} if self.server.tls else {}
        return {
            **self.common_environment(book),
            "SAFECELERY_POLICY": "strict",
            "SAFECELERY_BROKER__URL": url,
            "SAFECELERY_BROKER__TLS_FLOOR": "TLSv1.3",
            "SAFECELERY_RESULTS__URL": url,
            "SAFECELERY_SIGNING__KEY": self.identities.reference(owner),
            "SAFECELERY_SIGNING__TRUST_FILE": str(self.identities.trust_file),
            "SAFECELERY_DEFAULT_QUEUE": QUEUE,
            **tls,
        }

    def plain_environment(self, book: Path) -> dict[str, str]:
        """For ``orders.plain``."""
        tls = {"PLAIN_CA_FILE": str(self.server.ca_file)} if self.server.tls else {}
        return {**self.common_environment(book), "PLAIN_BROKER": self.server.url_for(PLAIN_DB), **tls}

    def common_environment(self, book: Path) -> dict[str, str]:
        """What every process of the service needs."""
        path = os.pathsep.join([str(examples_directory()), *sys.path])
        return {"ORDERS_BOOK": str(book), "PYTHONPATH": path}

    def attacker(self, database: int) -> redis.Redis:
        """A client with the service's own broker account: that is what a leaked password or a neighbour has."""
        url = self.server.admin_url if self.server.socket else self.server.url_for(database)
        return redis.Redis.from_url(url, **self._client_options(database))

    def administrator(self, database: int) -> redis.Redis:
        """A client that may do everything."""
        return redis.Redis.from_url(self.server.admin_url, **self._client_options(database))

    def _client_options(self, database: int) -> dict[str, Any]:
        options: Mapping[str, Any] = self.server.broker_ssl or {}
        return {**options, "db": database, "socket_timeout": 30}


def examples_directory() -> Path:
    """Where the package ``orders`` is: in the wheel, or in a checkout.

    Raises:
        SafeCeleryError: in neither.
    """
    package = Path(__file__).resolve().parents[2]
    for candidate in (package / "_examples", package.parent / "examples"):
        if (candidate / "orders" / "app.py").is_file():
            return candidate
    raise SafeCeleryError("the example service that belongs to safecelery is missing: install it again")


@contextmanager
def set_scene(*, keep: bool) -> Iterator[Scene]:
    """A broker and keys in a new directory of mode 0700, taken away afterwards unless it is kept.

    Raises:
        SafeCeleryError: no Redis can be had; says what to install.
    """
    binary = redis_binary()
    if binary is None:
        raise SafeCeleryError(REDIS_MISSING)
    directory = Path(tempfile.mkdtemp(prefix="sc-"))  # short: the path of a unix socket has some 100 bytes
    try:
        authority = CertificateAuthority.create(directory) if binary.tls else None
        with RedisServer(directory, authority, unix_socket=not binary.tls, binary=binary) as server:
            yield Scene(directory, server, Identities.create(directory / "keys"))
    finally:
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)
