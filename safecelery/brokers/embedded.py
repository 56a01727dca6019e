"""The development profile's broker: a Redis of this user's own, on a unix socket in a directory nobody else enters."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from safecelery.brokers.redis_binary import REDIS_MISSING, redis_binary
from safecelery.errors import SettingsError

__all__ = ["EmbeddedRedis", "make_private"]

_START_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """One server per directory; whoever comes first starts it, and it stays until it is stopped."""

    directory: Path

    @property
    def socket(self) -> Path:
        """Path of the unix socket."""
        return self.directory / "redis.sock"

    @property
    def url(self) -> str:
        """As kombu and Celery's Redis backend spell a unix socket."""
        return f"redis+socket://{self.socket}"

    @property
    def pid(self) -> int | None:
        """Process id of the running server, if there is one."""
        try:
            return int((self.directory / "redis.pid").read_text())
        except (OSError, ValueError):
            return None

    def running(self) -> bool:
        """Somebody answers on the socket."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def ensure(self) -> bool:
        """Start the server unless it runs. Returns whether this call started it.

        Raises:
            SettingsError: no server binary, a directory that others may enter, or a server that does not start.
        """
        make_private(self.directory)
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two processes of one project may come at once
            return False if self.running() else self._start()

    def _start(self) -> bool:
        binary = redis_binary()
        if binary is None:
            raise SettingsError(REDIS_MISSING)
        log = self.directory / "redis.log"
        subprocess.run(  # noqa: S603  # our own binary, fixed arguments
            [
                binary.path, "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
                "--dir", str(self.directory), "--save", "", "--appendonly", "no",
                "--pidfile", str(self.directory / "redis.pid"), "--logfile", str(log), "--daemonize", "yes",
            ],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while not self.running():
            if time.monotonic() > deadline:
                raise SettingsError(f"the embedded Redis ({binary.path}) does not answer; its log is {log}")
            time.sleep(0.05)
        return True

    def stop(self) -> bool:
        """Stop the server by its own pid. Returns whether there was one."""
        pid = self.pid
        if pid is None or not self.running():
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _START_SECONDS
        while self.running() and time.monotonic() < deadline:
            time.sleep(0.05)
        return True


def make_private(directory: Path) -> None:
    """Create the directory with mode 0700, or make sure that it has it and is ours.

    Raises:
        SettingsError: it belongs to somebody else, or others may enter it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.stat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise SettingsError(f"{directory} must belong to this user and have mode 0700 (chmod 700 {directory})")
