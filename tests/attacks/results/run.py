"""Playing cases against one subject on one backend."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from safecelery.testing.servers import CertificateAuthority, RabbitServer, RedisServer
from tests.attacks.results.case import Case
from tests.attacks.results.driver import Outcome, attack
from tests.attacks.results.stage import on_stage

__all__ = ["Key", "load_outcomes", "run", "save_outcomes"]

LONGEST_NOTE = 80
#: Subject, backend, name of the case.
Key = tuple[str, str, str]
Say = Callable[[str], None]


def run(subject: str, backend: str, cases: Sequence[Case], say: Say) -> dict[Key, Outcome]:
    """Servers of their own, one worker, one caller, all the cases that concern the backend."""
    found: dict[Key, Outcome] = {}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sc-")))
        ca = CertificateAuthority.create(home)
        redis = stack.enter_context(RedisServer(home, ca))
        rabbitmq = stack.enter_context(RabbitServer(home, ca)) if backend == "rpc" else None
        (home / "stage").mkdir()
        stage = stack.enter_context(on_stage(subject, backend, redis, rabbitmq, home / "stage"))
        for number, case in enumerate(cases, start=1):
            if backend not in case.backends:
                continue
            began = time.monotonic()
            found[subject, backend, case.name] = outcome = attack(stage, case)
            took = time.monotonic() - began
            say(f"{subject:10} {backend:8} {number:3}/{len(cases)} {took:5.1f} s  {case.name}: "
                f"{outcome.verdict} {outcome.note[:300]}")  # fmt: skip
    return found


def save_outcomes(path: Path, outcomes: dict[Key, Outcome]) -> None:
    """Add to the outcomes of earlier runs in the file, one line each."""
    rows = {**load_outcomes(path), **outcomes}.items()
    lines = [
        json.dumps([*key, outcome.verdict, outcome.note[:LONGEST_NOTE]])
        for key, outcome in sorted(rows, key=lambda row: row[0])
    ]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")


def load_outcomes(path: Path) -> dict[Key, Outcome]:
    """What :func:`save_outcomes` wrote; nothing, if it did not."""
    if not path.exists():
        return {}
    return {(row[0], row[1], row[2]): Outcome(row[3], row[4]) for row in json.loads(path.read_text())}
