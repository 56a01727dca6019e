"""A PostgreSQL of one's own: TLS only, one role whose password is made for the run, nothing left behind."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from safecelery.testing.servers.ca import CertificateAuthority, ServerCertificate
from safecelery.testing.servers.ports import free_ports
from safecelery.testing.servers.process import ManagedProcess, ServerError, Startable

__all__ = ["POSTGRESQL_MISSING", "PostgresServer", "postgresql_programs"]

POSTGRESQL_MISSING = "PostgreSQL is not installed: 'apt-get install postgresql'"
#: Where Debian keeps the programs of each version.
DEBIAN = Path("/usr/lib/postgresql")
ACCOUNT = "postgres"
START_DEADLINE_S = 60.0


def postgresql_programs() -> Path | None:
    """The directory of ``initdb`` and ``postgres``: of the newest version that Debian installed, or of ``PATH``."""
    found = sorted(DEBIAN.glob("*/bin/postgres"), key=lambda path: path.parent.parent.name)
    if found:
        return found[-1].parent
    program = shutil.which("postgres")
    return Path(program).parent if program else None


class PostgresServer(Startable):
    """As a context manager. PostgreSQL refuses to run as root; then it runs as the account ``postgres``."""

    def __init__(self, ca: CertificateAuthority, *, server_cert: ServerCertificate = "good") -> None:
        self.home = Path()
        """Its directory while it runs; none of the caller's, since another account has to reach it."""
        self.ca = ca
        self.server_cert: ServerCertificate = server_cert
        self.password = secrets.token_urlsafe(24)
        self.port = 0
        self._process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """SQLAlchemy's URL; chain and host name are verified."""
        return (
            f"postgresql+psycopg://orders:{self.password}@localhost:{self.port}/postgres"
            f"?sslmode=verify-full&sslrootcert={self.ca.ca_file}"
        )

    @property
    def pids(self) -> tuple[int, ...]:
        """Every process this server consists of, but for those that it starts itself."""
        return () if self._process is None else (self._process.pid,)

    def start(self) -> Self:
        """Make a cluster, start it and wait until connections are accepted.

        Raises:
            ServerError: it is not installed, or did not come up.
        """
        programs = postgresql_programs()
        if programs is None:
            raise ServerError(POSTGRESQL_MISSING)
        (self.port,) = free_ports(1)
        self.home = Path(tempfile.mkdtemp(prefix="sc-pg-"))
        try:
            return self._start(programs)
        except BaseException:
            self.stop()
            raise

    def _start(self, programs: Path) -> Self:
        data, identity = self.home / "data", self.ca.server(self.server_cert)
        for name, source in (("server.crt", identity.certificate), ("server.key", identity.key)):
            shutil.copy(source, self.home / name)
        (self.home / "password").write_text(self.password, encoding="utf-8")
        self._belongs_to_account()
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
        made = subprocess.run(  # noqa: S603  # a fixed program, no shell
            [*_as_account(), programs / "initdb", "--pgdata", data, "--username", "orders", "--auth", "scram-sha-256",
             "--pwfile", self.home / "password", "--no-sync"],
            cwd=self.home, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise ServerError(f"initdb failed: {made.stderr}")
        (data / "pg_hba.conf").write_text("hostssl all orders 127.0.0.1/32 scram-sha-256\n", encoding="utf-8")
        options = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
            "ssl": "on", "ssl_cert_file": self.home / "server.crt", "ssl_key_file": self.home / "server.key",
        }  # fmt: skip
        arguments = [f"--{name}={value}" for name, value in options.items()]
        argv = [*_as_account(), str(programs / "postgres"), "-D", str(data), *arguments]
        process = ManagedProcess("postgres", argv, log=self.home / "log", cwd=self.home, env=environment)
        self._process = process
        accepts = "ready to accept connections"
        process.start(ready=lambda: accepts in process.read_log(), deadline_s=START_DEADLINE_S)
        return self

    def _belongs_to_account(self) -> None:
        if os.geteuid() == 0:
            account = pwd.getpwnam(ACCOUNT)
            for path in (self.home, *self.home.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)

    def stop(self) -> None:
        """Stop the server by its pid and remove its directory."""
        if self._process is not None:
            self._process.stop()
        if self.home.is_absolute():
            shutil.rmtree(self.home, ignore_errors=True)


def _as_account() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", "--"]
