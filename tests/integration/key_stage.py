"""Workers and a sender whose keys change while they run."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safecelery import SafeCelery, create_app
from safecelery.keys.trust import TrustedKey, TrustStore
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from safecelery.testing.servers.process import ManagedProcess
from tests.integration.stage import Identities, Stage, eventually, let_go

__all__ = ["KeyStage", "key_stage"]


class KeyStage:
    """One broker, a trust file of its own, and queues that nobody else uses."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.directory = stage, stage.directory
        self.trust, self.queue = stage.keys.trust_file, f"keys-{secrets.token_hex(4)}"
        self.dead = f"{self.queue}.dead"
        self._log_seen = 0

    def cli(self, *words: object) -> str:
        """What ``safecelery keys WORDS`` prints, as a person types it."""
        done = subprocess.run(
            [sys.executable, "-m", "safecelery", "keys", *map(str, words), "--trust", str(self.trust)],
            cwd=self.directory, env=self._process_environment(), capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def owned(self, owner: str) -> list[TrustedKey]:
        """The owner's trusted keys, oldest entry first."""
        return [key for key in TrustStore.load(self.trust).keys.values() if key.owner == owner]

    def _process_environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join([str(self.directory), *sys.path]),
        }

    def worker(self, name: str) -> CeleryProcess:
        """A worker of that name on the stage's queue, not started."""
        env = self.stage.environment("worker") | {"SAFECELERY_DEAD_LETTER_QUEUE": self.dead}
        return CeleryProcess(
            "service.app", "worker", ["-c", "1", "-n", f"{name}@keys", "-Q", self.queue], directory=self.directory,
            env=env, name=f"{self.queue}-{name}",
        )  # fmt: skip

    @contextmanager
    def sending(self, key: str) -> Iterator[Path]:
        """A sender at work until the end of the block; the record of what it sent."""
        record, stop = self.directory / "record", self.directory / "stop"
        record.touch()
        environment = self.stage.environment("worker") | {"SAFECELERY_SIGNING__KEY": key}
        del environment["SAFECELERY_SIGNING__TRUST_FILE"]
        process = ManagedProcess(
            "sending",
            [sys.executable, "-m", "tests.integration.sending", self.queue, record, self.stage.witness_file, stop],
            log=self.directory / "sending.log", cwd=Path.cwd(), env=self._process_environment() | environment,
        )  # fmt: skip
        process.start(ready=lambda: bool(record.read_text()), deadline_s=60)
        try:
            yield record
            stop.touch()
            eventually(lambda: not process.running, what="the end of the sender")
        finally:
            process.stop()
        assert "Traceback" not in process.read_log(), process.read_log()

    @contextmanager
    def sender(self, owner: str) -> Iterator[SafeCelery]:
        """A service in this process that only sends."""
        app = create_app(owner, self.stage.settings(owner, trust=False), set_as_current=False)
        try:
            yield app
        finally:
            let_go(app)

    def ran(self) -> list[int]:
        """Numbers of the tasks that ran, in order."""
        return [line["x"] for line in self.stage.witnesses("add")]

    def new_text(self, text: str) -> None:
        """Another trust file, in the place of the old one at once."""
        self.stage.keys.publish(text)


def key_stage(
    broker: RedisServer | RabbitServer, results: RedisServer, results_url: str, directory: Path, *owners: str
) -> KeyStage:
    """A stage where the worker and these owners have a key each."""
    witness = directory / "witness.jsonl"
    witness.touch()
    stage = KeyStage(Stage(broker, results, results_url, Identities(directory), directory, witness))
    for owner in ("worker", *owners):
        stage.stage.keys.add(owner, send=["service.*"], queues=[stage.queue])
    return stage
