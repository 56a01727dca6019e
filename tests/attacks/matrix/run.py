"""Playing all cases against one subject on one broker."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from safecelery.testing.servers import CertificateAuthority, RabbitServer, RedisServer
from tests.attacks.case import Case
from tests.attacks.driver import Outcome, attack
from tests.attacks.stage import on_stage
from tests.attacks.subjects import SUBJECTS

__all__ = ["load_results", "run", "save_results"]

LONGEST_NOTE = 80
Say = Callable[[str], None]


def run(subject: str, broker: str, cases: Sequence[Case], say: Say) -> dict[tuple[str, str, str], Outcome]:
    """Servers of their own, one worker, all the cases that concern the broker."""
    found: dict[tuple[str, str, str], Outcome] = {}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sc-")))
        ca = CertificateAuthority.create(home)
        redis = stack.enter_context(RedisServer(home, ca))
        server = stack.enter_context(RabbitServer(home, ca)) if broker == "rabbitmq" else redis
        (home / "stage").mkdir()
        stage = stack.enter_context(on_stage(SUBJECTS[subject], server, redis, home / "stage"))
        for number, case in enumerate(cases, start=1):
            if broker not in case.brokers:
                continue
            began = time.monotonic()
            found[subject, broker, case.name] = outcome = attack(stage, case)
            took = time.monotonic() - began
            say(f"{subject:10} {broker:8} {number:3}/{len(cases)} {took:5.1f} s  {case.name}: "
                f"{outcome.verdict} {outcome.note[:300]}")  # fmt: skip
    return found


def save_results(path: Path, results: dict[tuple[str, str, str], Outcome]) -> None:
    """Add to the results of earlier runs in the file, one line each."""
    rows = {**load_results(path), **results}.items()
    lines = [
        json.dumps([*key, outcome.verdict, outcome.note[:LONGEST_NOTE]])
        for key, outcome in sorted(rows, key=lambda row: row[0])
    ]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")


def load_results(path: Path) -> dict[tuple[str, str, str], Outcome]:
    """What :func:`save_results` wrote; nothing, if it did not."""
    if not path.exists():
        return {}
    return {(row[0], row[1], row[2]): Outcome(row[3], row[4]) for row in json.loads(path.read_text())}
