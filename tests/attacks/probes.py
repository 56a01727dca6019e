"""What else an attack could have changed: each probe looks, and says what it found, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

__all__ = ["PROBES", "Looks"]

STRAY_QUEUE = "attackers-queue"
#: Seconds that a worker has to do what it should not.
PATIENCE_S = 1.5


class Looks(Protocol):
    """What probes use of a stage."""

    wire: Any

    def send_honest(self, queue: str, x: int, y: int) -> str: ...

    def send_task(self, task: str, args: list[Any], task_id: str | None = None) -> str: ...

    def result(self, task_id: str) -> Any: ...


def _state(stage: Looks, task_id: str, within_s: float) -> str:
    result, deadline = stage.result(task_id), time.monotonic() + within_s
    while not result.ready() and time.monotonic() < deadline:
        time.sleep(0.01)
    return str(result.state)


def _consumes(stage: Looks, case_id: str) -> str | None:
    """The worker reads a queue of the attacker's."""
    stage.wire.bait(STRAY_QUEUE)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if stage.wire.taken(STRAY_QUEUE):
            return "the worker consumes the attacker's queue"
        time.sleep(0.05)
    stage.wire.clear(STRAY_QUEUE)
    return None


def _revoked(stage: Looks, case_id: str) -> str | None:
    """A message with the id of the case is thrown away."""
    state = _state(stage, stage.send_task("service.note", ["revoked?"], case_id), 30)
    return None if state == "SUCCESS" else f"a message whose id was named is {state}"


def _limits(stage: Looks, case_id: str) -> str | None:
    """A task sleeps through its time limit."""
    state = _state(stage, stage.send_task("service.nap", [5]), 30)
    return None if state == "FAILURE" else f"a task beyond its time limit is {state}"


#: Name -> what looks, given the stage and the id that the case could name.
PROBES: Mapping[str, Callable[[Looks, str], str | None]] = {
    "consumes": _consumes,
    "revoked": _revoked,
    "limits": _limits,
}
