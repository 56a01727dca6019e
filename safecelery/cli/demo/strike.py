"""One attack on one side: push the bytes, see what became of them, ask whether the worker still works."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from safecelery.cli.demo.attacks import Attack, Harmless
from safecelery.cli.demo.sides import Side, result_of
from safecelery.cli.demo.wire import Item

__all__ = ["DEAD_LETTERS", "Outcome", "audit", "strike"]

DEAD_LETTERS = "safecelery.dead-letters"
#: Seconds until a message that has left no sign of itself counts as vanished.
SIGN_S = 20.0

T = TypeVar("T")
Verdict = Literal["ran", "refused", "harmless", "vanished"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message."""

    verdict: Verdict
    """``ran``: the book shows it. ``refused``: a dead letter (safecelery) or nothing (plain Celery) shows for it.
    ``harmless``: it did what its sender signed. ``vanished``: no trace of any kind, which must not be."""
    reason: str | None
    """Reason code in the dead letter, or state of the task."""
    worker: Literal["alive", "died", "stuck"]
    grown_mib: int | None
    """By how much the worker's peak memory has grown; ``None`` where that cannot be seen."""


def strike(attack: Attack, side: Side, *, dead_letters: bool) -> Outcome:
    """Attack, and look at the book, not at what any Celery says.

    Args:
        dead_letters: this side keeps what it refuses.
    """
    forged = attack.forge(side.loot)
    task_id = forged.headers["id"] if isinstance(forged, Item) else None
    if isinstance(task_id, str):
        side.client.delete(f"celery-task-meta-{task_id}")
    struck = time.monotonic()
    before = side.book.count(attack.trace) if attack.trace else 0
    memory = _peak_mib(side.worker.pid)
    side.client.lpush(attack.queue, forged.write(attack.queue) if isinstance(forged, Item) else forged)

    sign = _await(lambda: _sign(attack, side, task_id), SIGN_S) if dead_letters else None
    works = side.canary()
    # A dead letter says where the message is; whoever keeps none, or runs it, gets the time to leave its trace.
    patience = 0.2 if sign and sign[0] == "refused" else struck + attack.patience_s - time.monotonic()
    ran = _await(lambda: attack.trace is not None and side.book.count(attack.trace) > before, patience)
    worker: Literal["alive", "died", "stuck"] = (
        "alive" if works and side.worker.running else "stuck" if side.worker.running else "died"
    )
    after = _peak_mib(side.worker.pid)
    verdict: Verdict = "ran" if ran else sign[0] if sign else "vanished" if dead_letters else "refused"
    return Outcome(
        verdict, sign[1] if sign else None, worker, after - memory if after is not None and memory is not None else None
    )


def _sign(attack: Attack, side: Side, task_id: Any) -> tuple[Verdict, str] | None:
    """A dead letter, or the result of a message that was to do no harm."""
    letter = side.client.rpop(DEAD_LETTERS)
    if letter is not None:
        record = json.loads(base64.b64decode(json.loads(letter)["body"]))
        return "refused", record["reason"]
    if isinstance(attack.expected, Harmless) and (found := result_of(side.client, task_id)):
        state, result = found
        return "harmless", result.get("exc_type", state) if isinstance(result, dict) else state
    return None


def audit(attack: Attack, side: Side, before: int, outcome: Outcome) -> Outcome:
    """Look once more, after everything: what left its trace late has run, too."""
    late = attack.trace is not None and side.book.count(attack.trace) > before
    return replace(outcome, verdict="ran") if late else outcome


def _await(probe: Callable[[], T], seconds: float) -> T:
    """What ``probe`` returns, as soon as it is true-ish or the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := probe()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _peak_mib(pid: int) -> int | None:
    """Peak memory of a process: proc(5), VmHWM. Linux only."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) >> 10
    except OSError:
        pass
    return None
