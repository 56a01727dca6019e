"""Workers of their own for tests of the ledger: a queue, a short lease, and tasks that die."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.factory import witness

from safecelery import SafeCelery, SafeTask
from safecelery.settings import LEDGER_OFF
from safecelery.testing.processes import CeleryProcess
from tests.integration.stage import Stage

__all__ = ["LEASE_S", "MAX_DELIVERIES", "Declined", "policy_in", "register", "worker_of"]

#: Renewed three times in it: a machine that stands still for two thirds of it looks like a dead one.
LEASE_S = 6
MAX_DELIVERIES = 3


class Declined(Exception):
    """The bank said no, and will say so again."""


#: Tasks that the shipped policies refuse, for the ledger to stop.
POLICY = f"""
name = "ledger-tests"
extends = "baseline"
[rules]
lost-worker-loops = "off"
early-acknowledgement = "off"
limit-beyond-visibility-timeout = "off"
visibility-timeout-too-short = "off"
[limits]
max_deliveries = {MAX_DELIVERIES}
"""


def register(app: SafeCelery) -> None:
    """Only in apps of these tests: others keep to the shipped policy."""

    @app.task(name="service.slow", time_limit=60, soft_time_limit=55)
    def slow(name: str, seconds: float) -> str:
        """Leaves a witness before and after."""
        witness("slow", name=name, when="begins")
        time.sleep(seconds)
        witness("slow", name=name, when="ends")
        return name

    @app.task(name="service.gated", time_limit=60, soft_time_limit=55)
    def gated(name: str, gate: str) -> str:
        """As the former, and goes on once there is that file."""
        witness("gated", name=name, when="begins")
        _until_there(gate)
        witness("gated", name=name, when="ends")
        return name

    @app.task(name="service.suicide", time_limit=20, soft_time_limit=15, retry_on_worker_lost=False)
    def suicide(name: str) -> None:
        """Kills its pool process, and says that it shall be delivered again."""
        witness("suicide", name=name)
        os.kill(os.getpid(), signal.SIGKILL)

    @app.task(name="service.early", acks_late=False, time_limit=20, soft_time_limit=15)
    def early(name: str) -> str:
        """Acknowledged before it runs."""
        witness("early", name=name)
        return name

    @app.task(name="service.again", bind=True, time_limit=20, soft_time_limit=15)
    def again(self: SafeTask[..., Any], name: str) -> int:
        """Retries once."""
        witness("again", name=name, retries=self.request.retries)
        if not self.request.retries:
            raise self.retry(countdown=0)
        return int(self.request.retries)

    if os.environ.get("SAFECELERY_LEDGER__URL") != LEDGER_OFF:  # without a ledger such a task is refused

        @app.task(
            name="service.pay", time_limit=60, soft_time_limit=55, max_retries=0,
            idempotency_key="pay:{order}", idempotency_errors=(Declined,),
        )  # fmt: skip
        def pay(order: str, seconds: float = 0, gate: str = "", fail: str = "", die: bool = False) -> str:
            """Once for each order."""
            witness("pay", order=order)
            time.sleep(seconds)
            if gate:
                _until_there(gate)
            if die:
                os.kill(os.getpid(), signal.SIGKILL)
            if fail:
                raise Declined(fail) if fail == "no money" else ValueError(fail)
            return f"receipt {secrets.token_hex(4)}"


def _until_there(file: str) -> None:
    while not Path(file).exists():
        time.sleep(0.01)


def policy_in(stage: Stage) -> dict[str, str]:
    """The variable that names the policy of these tests."""
    file = stage.directory / "ledger-policy.toml"
    file.write_text(POLICY)
    return {"SAFECELERY_POLICY": str(file)}


@contextlib.contextmanager
def worker_of(stage: Stage, queue: str, *args: str, **env: str) -> Iterator[CeleryProcess]:
    """A worker that reads this queue alone."""
    process = CeleryProcess(
        "tests.integration.ledger_app",
        "worker",
        ["-c", "2", "-Q", queue, *args],
        directory=stage.directory,
        env={**stage.environment("worker"), **policy_in(stage), "SAFECELERY_LEDGER__LEASE": str(LEASE_S), **env},
        name=f"{queue}-{secrets.token_hex(2)}",
    )
    try:
        with process:
            yield process
    finally:
        process.stop()
