"""A Redis of one's own: TLS only and an ACL user, or a unix socket in a private directory.

The account may do what Celery and kombu need and no more: every key and channel, every command outside the category
``@dangerous``. Found by tracing kombu's Redis transport and Celery's Redis backend: lists, hashes, sorted sets, sets,
strings, transactions, Lua scripts, publish and subscribe, none of them dangerous.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import ssl
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from safecelery.brokers.redis_binary import REDIS_MISSING, RedisBinary, redis_binary
from safecelery.testing.servers.ca import CertificateAuthority, ServerCertificate
from safecelery.testing.servers.ports import free_ports
from safecelery.testing.servers.process import ManagedProcess, ServerError, Startable

__all__ = ["RedisServer"]

RULES = "~* &* +@all -@dangerous"
DATABASES = 64
START_DEADLINE_S = 40.0


class RedisServer(Startable):
    """A redis-server with nothing but what was asked for, as a context manager.

    With ``tls`` (the default) it listens on one TLS port of 127.0.0.1, has no plain port, and lets in one user whose
    password is made for the run; the default user is off. With ``unix_socket`` it listens on a socket in a 0700
    directory only. Nothing is written to disk but its log. A unix socket's path must fit in some 100 bytes: give a
    short directory.
    """

    def __init__(
        self,
        directory: Path,
        ca: CertificateAuthority | None = None,
        *,
        tls: bool = True,
        username: str = "orders",
        password: str | None = None,
        server_cert: ServerCertificate = "good",
        require_client_cert: bool = False,
        unix_socket: bool = False,
        binary: RedisBinary | None = None,
    ) -> None:
        if tls and not unix_socket and ca is None:
            message = "RedisServer with TLS needs a CertificateAuthority"
            raise ValueError(message)
        self.home = directory / f"redis-{secrets.token_hex(4)}"
        self.ca = ca
        self.tls = tls and not unix_socket
        self.username = username
        self.password = password or secrets.token_urlsafe(24)
        self.server_cert: ServerCertificate = server_cert
        self.require_client_cert = require_client_cert
        self.socket = self.home / "redis.sock" if unix_socket else None
        self.port = 0
        self._admin_password = secrets.token_urlsafe(24)
        self._binary = binary
        self._process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """The broker's URL with user and password, database 0."""
        return self.url_for(0)

    @property
    def backend_url(self) -> str:
        """The result backend's URL: the same database as the broker's."""
        return self.url_for(0)

    def url_for(self, database: int) -> str:
        """The URL of another database (0 to 63), for tests that want one of their own."""
        if self.socket is not None:
            return f"redis+socket://{self.socket}" + (f"?virtual_host={database}" if database else "")
        scheme = "rediss" if self.tls else "redis"
        return f"{scheme}://{quote(self.username, safe='')}:{self.password}@localhost:{self.port}/{database}"

    @property
    def admin_url(self) -> str:
        """redis-py's URL for an account that may do everything, for a test that looks behind the application's back."""
        if self.socket is not None:
            return f"unix://{self.socket}"
        return f"{'rediss' if self.tls else 'redis'}://admin:{self._admin_password}@localhost:{self.port}/0"

    @property
    def ca_file(self) -> Path:
        """The authority that a client must trust."""
        if self.ca is None:
            message = "this Redis has no certificate authority: it was started without TLS"
            raise ServerError(message)
        return self.ca.ca_file

    @property
    def broker_ssl(self) -> dict[str, Any] | None:
        """What ``broker_use_ssl`` (and ``redis_backend_use_ssl``) must be for a fully verified connection."""
        if not self.tls:
            return None
        options: dict[str, Any] = {
            "ssl_ca_certs": str(self.ca_file),
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
            "ssl_check_hostname": True,
        }
        if self.require_client_cert and self.ca is not None:
            options |= {"ssl_certfile": str(self.ca.client.certificate), "ssl_keyfile": str(self.ca.client.key)}
        return options

    @property
    def pids(self) -> tuple[int, ...]:
        """Every process this server consists of."""
        return () if self._process is None else (self._process.pid,)

    @property
    def log(self) -> str:
        """What the server wrote so far."""
        return "" if self._process is None else self._process.read_log()

    def start(self) -> Self:
        """Start and wait until connections are accepted.

        Raises:
            ServerError: no binary, a binary without TLS, or a server that did not come up.
        """
        binary = self._binary or redis_binary()
        if binary is None:
            raise ServerError(REDIS_MISSING)
        if self.tls and not binary.tls:
            message = f"{binary.path} was built without TLS; install Debian's redis-server or use unix_socket=True"
            raise ServerError(message)
        self.home.mkdir(mode=0o700, parents=True)
        if not self.socket:
            (self.port,) = free_ports(1)
        config = self.home / "redis.conf"
        config.touch(mode=0o600)
        config.write_text("\n".join(self._config()) + "\n", encoding="utf-8")
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
        process = ManagedProcess(
            "redis-server", [binary.path, config], log=self.home / "redis.log", cwd=self.home, env=environment
        )
        self._process = process
        try:
            process.start(ready=lambda: "eady to accept connections" in process.read_log(), deadline_s=START_DEADLINE_S)
        except ServerError:
            self.stop()
            raise
        return self

    def restart(self) -> None:
        """Stop, and start again on the same port with nothing in it.

        Raises:
            ServerError: it was not running, or did not come up.
        """
        process = self._process
        if process is None:
            message = "this Redis was not started"
            raise ServerError(message)
        process.stop()
        process.start(ready=lambda: "eady to accept connections" in process.read_log(), deadline_s=START_DEADLINE_S)

    def stop(self) -> None:
        """Stop the server by its pid and remove its directory."""
        if self._process is not None:
            self._process.stop()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.home)

    def _config(self) -> list[str]:
        lines = [
            f"dir {_quoted(self.home)}",
            'save ""',
            "appendonly no",
            f"databases {DATABASES}",
            "protected-mode yes",
        ]
        lines += ["daemonize no", "bind 127.0.0.1"]
        if self.socket is not None:
            # The directory is what guards the socket: kombu's URL for a socket carries no user.
            return [*lines, "port 0", f"unixsocket {_quoted(self.socket)}", "unixsocketperm 700"]
        lines += ["user default off"]
        lines += [f"user {self.username} on #{_digest(self.password)} {RULES}"]
        lines += [f"user admin on #{_digest(self._admin_password)} ~* &* +@all"]
        if not self.tls or self.ca is None:
            return [*lines, f"port {self.port}"]
        identity = self.ca.server(self.server_cert)
        lines += ["port 0", f"tls-port {self.port}", f"tls-cert-file {_quoted(identity.certificate)}"]
        lines += [f"tls-key-file {_quoted(identity.key)}", f"tls-ca-cert-file {_quoted(self.ca.ca_file)}"]
        lines += [f"tls-auth-clients {'yes' if self.require_client_cert else 'no'}", 'tls-protocols "TLSv1.2 TLSv1.3"']
        return lines


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
