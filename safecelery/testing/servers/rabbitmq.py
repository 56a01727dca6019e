"""A RabbitMQ node of one's own: TLS only, one virtual host, one user with a password made for the run.

The node runs from the scripts in RabbitMQ's own ``bin`` directory. Debian's ``/usr/sbin/rabbitmq-server`` is a wrapper
that changes to the user rabbitmq and to the system's directories, so it is not used. Every path and port a node would
take from the system (rabbitmq-env(8): configuration, data, logs, plugins, cookie, epmd, distribution) is set here, and
the distribution listens on loopback only. The account comes from a definitions file that the node imports while it
starts; a node that does so creates no guest user (RabbitMQ's guide "Schema Definition Export and Import").
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from safecelery.testing.servers.ca import CertificateAuthority, ServerCertificate
from safecelery.testing.servers.epmd import PortMapper
from safecelery.testing.servers.ports import free_ports
from safecelery.testing.servers.process import ManagedProcess, ServerError, Startable

__all__ = ["RABBITMQ_MISSING", "RabbitServer", "rabbitmq_scripts"]

RABBITMQ_MISSING = "no rabbitmq-server was found. Install it: 'apt-get install rabbitmq-server'"
DEBIAN_SCRIPTS = Path("/usr/lib/rabbitmq/bin")
START_DEADLINE_S = 120.0
CTL_DEADLINE_S = 120.0


def rabbitmq_scripts() -> Path | None:
    """The directory of rabbitmq-server and rabbitmqctl, else None (see :data:`RABBITMQ_MISSING`)."""
    if (DEBIAN_SCRIPTS / "rabbitmq-server").exists():
        return DEBIAN_SCRIPTS
    on_path = shutil.which("rabbitmq-server")
    return Path(on_path).resolve().parent if on_path is not None else None


class RabbitServer(Startable):
    """A RabbitMQ node, as a context manager. ``username`` may do everything in ``vhost`` and nothing elsewhere."""

    def __init__(
        self,
        directory: Path,
        ca: CertificateAuthority,
        *,
        username: str = "orders",
        password: str | None = None,
        vhost: str = "orders",
        server_cert: ServerCertificate = "good",
        require_client_cert: bool = False,
    ) -> None:
        self.home = directory / f"rabbitmq-{secrets.token_hex(4)}"
        self.ca = ca
        self.username = username
        self.password = password or secrets.token_urlsafe(24)
        self.vhost = vhost
        self.server_cert: ServerCertificate = server_cert
        self.require_client_cert = require_client_cert
        self.node = f"safecelery-{secrets.token_hex(4)}@localhost"
        self.port = 0
        self._env: dict[str, str] = {}
        self._epmd: PortMapper | None = None
        self._process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """The broker's URL with user, password and virtual host."""
        user, vhost = quote(self.username, safe=""), quote(self.vhost, safe="")
        return f"amqps://{user}:{self.password}@localhost:{self.port}/{vhost}"

    @property
    def ca_file(self) -> Path:
        """The authority that a client must trust."""
        return self.ca.ca_file

    @property
    def broker_ssl(self) -> dict[str, Any]:
        """What ``broker_use_ssl`` must be for full verification: py-amqp checks the host name only if given one."""
        options: dict[str, Any] = {
            "ca_certs": str(self.ca_file),
            "cert_reqs": ssl.CERT_REQUIRED,
            "server_hostname": "localhost",
        }
        if self.require_client_cert:
            options |= {"certfile": str(self.ca.client.certificate), "keyfile": str(self.ca.client.key)}
        return options

    @property
    def pids(self) -> tuple[int, ...]:
        """Every process this server consists of: the node and its port mapper."""
        node = () if self._process is None else (self._process.pid,)
        return node if self._epmd is None else (*node, self._epmd.pid)

    @property
    def log(self) -> str:
        """What the node wrote so far."""
        return "" if self._process is None else self._process.read_log()

    def start(self) -> Self:
        """Start and wait until connections are accepted.

        Raises:
            ServerError: no RabbitMQ is installed, or the node did not come up.
        """
        scripts = rabbitmq_scripts()
        if scripts is None:
            raise ServerError(RABBITMQ_MISSING)
        self.home.mkdir(mode=0o700, parents=True)
        try:
            self.port, distribution, mapper = free_ports(3)
            self._write_files()
            self._epmd = PortMapper(self.home, mapper)
            self._epmd.start()
            self._env = self._environment(distribution, mapper)
            process = ManagedProcess(
                "rabbitmq-server",
                [scripts / "rabbitmq-server"],
                log=self.home / "rabbitmq.log",
                cwd=self.home,
                env=self._env,
            )
            self._process = process
            process.start(ready=lambda: "Server startup complete" in process.read_log(), deadline_s=START_DEADLINE_S)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the node, then its port mapper, each by its pid, and remove the directory."""
        if self._process is not None:
            self._process.stop()
        if self._epmd is not None:
            self._epmd.stop()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.home)

    def ctl(self, *words: str) -> str:
        """``rabbitmqctl`` against this node, in its virtual host unless ``-p`` is given. Returns standard output.

        Raises:
            ServerError: the command failed; the text has its output.
        """
        scripts = rabbitmq_scripts()
        if scripts is None or self._process is None or not self._process.running:
            message = f"{self.node} is not running"
            raise ServerError(message)
        done = subprocess.run(  # noqa: S603 - RabbitMQ's own program, no shell
            [scripts / "rabbitmqctl", "--quiet", "--node", self.node, *words],
            env=self._env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CTL_DEADLINE_S,
            check=False,
        )
        if done.returncode != 0:
            message = f"rabbitmqctl {words[0]} failed with status {done.returncode}: {done.stdout}{done.stderr}"
            raise ServerError(message)
        return done.stdout

    def _environment(self, distribution: int, mapper: int) -> dict[str, str]:
        """All that rabbitmq-env would otherwise take from the system; nothing of the caller's environment but PATH."""
        home = self.home
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C.UTF-8",
            "HOME": str(home),  # where Erlang keeps its cookie
            "RUNNING_UNDER_SYSTEMD": "true",  # rabbitmq-server then execs Erlang: the pid is the node's own
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(home / "rabbitmq.pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
            "ERL_EPMD_PORT": str(mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def _write_files(self) -> None:
        files = {
            "rabbitmq-env.conf": "",
            "enabled_plugins": "[].\n",
            "rabbitmq.conf": "\n".join(self._config()) + "\n",
            "definitions.json": json.dumps(self._definitions()),
        }
        for name, text in files.items():
            path = self.home / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")

    def _config(self) -> list[str]:
        identity = self.ca.server(self.server_cert)
        return [
            "listeners.tcp = none",
            f"listeners.ssl.default = 127.0.0.1:{self.port}",
            f"ssl_options.cacertfile = {self.ca_file}",
            f"ssl_options.certfile = {identity.certificate}",
            f"ssl_options.keyfile = {identity.key}",
            f"ssl_options.verify = {'verify_peer' if self.require_client_cert else 'verify_none'}",
            f"ssl_options.fail_if_no_peer_cert = {'true' if self.require_client_cert else 'false'}",
            "ssl_options.versions.1 = tlsv1.3",
            "ssl_options.versions.2 = tlsv1.2",
            f"load_definitions = {self.home / 'definitions.json'}",
            "disk_free_limit.absolute = 50MB",
            "log.console = true",
            "log.console.level = info",
            "log.file = false",
        ]

    def _definitions(self) -> dict[str, object]:
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        user = {
            "name": self.username,
            "password_hash": _password_hash(self.password),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": [],
        }
        return {
            "users": [user],
            "vhosts": [{"name": self.vhost}],
            "permissions": [{"user": self.username, "vhost": self.vhost, **everything}],
        }


def _password_hash(password: str) -> str:
    """RabbitMQ's salted hash: base64 of a 4 byte salt and SHA-256 of salt and password (its guide "Passwords")."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
