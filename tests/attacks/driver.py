"""Plays one case: sends what it declares, waits for what becomes of it, and looks whether anything else happened."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.attacks.case import Case
from tests.attacks.forge import Forger
from tests.attacks.operations import ENVELOPE, Sent
from tests.attacks.stage import Stage, eventually

__all__ = ["play"]

#: What a worker logs when a message did more to it than being refused.
TROUBLE = ("Connection to broker lost", "Unrecoverable error", "exited with")
#: More than the worker's main process ever needs, less than any bomb of the cases makes of it.
MOST_MIB = 250


def play(stage: Stage, case: Case) -> None:
    """Send the case's message and judge what the worker does.

    Raises:
        AssertionError: the message's fate is not the expected one, or the worker suffered from it.
    """
    assert stage.worker.running, "the worker died of an earlier case"
    before, logged, started = stage.witness_count(), len(stage.worker.log), time.time()
    forger = Forger(stage.app, stage.keys, stage.witness_file, case)
    sent = forger.message()
    kept = stage.wire.put(sent)
    if case.outcome == "rejected":
        _judge_refusal(stage, case, sent, kept)
        stage.check_alive()
        ran = stage.witnesses(before)
        assert ran == [], f"something ran: {ran}"
    else:
        _judge_run(stage, forger.resolve(case.expect), forger.id, before)
        if "delayed_s" in case.expect:
            waited = min(line["at"] for line in stage.witnesses(before)) - started
            assert waited >= case.expect["delayed_s"], f"ran after {waited:.2f} s"
        stage.check_alive()
    assert (more := stage.dead_letters()) == [], f"another dead letter: {more}"
    log = stage.worker.log[logged:]
    assert forger.canary not in log, f"the body is in the worker's log:\n{log}"
    assert [line for line in log.splitlines() if any(word in line for word in TROUBLE)] == []
    assert _peak_mib(stage.pid) < MOST_MIB


def _peak_mib(pid: int) -> int:
    """The most memory that the process ever had (proc(5), ``VmHWM``); 0 where there is no /proc."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    match = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
    assert match is not None
    return int(match[1]) >> 10


def _judge_refusal(stage: Stage, case: Case, sent: Sent, kept: bytes) -> None:
    """The message is a dead letter: the right reason, the original whole."""
    letters: list[dict[str, Any]] = []

    def arrived() -> bool:
        assert stage.worker.running, f"the worker died:\n{stage.worker.log[-4000:]}"
        letters.extend(stage.dead_letters())
        return bool(letters)

    eventually(arrived, lambda: f"a dead letter; the log ends\n{stage.worker.log[-2000:]}")
    (letter,) = letters
    assert letter["reason"] == case.reason, f"refused as {letter['reason']}: {letter['detail']}"
    assert letter["queue"] == sent.queue
    assert base64.b64decode(letter["original"]["body"]) == kept, "the original's bytes are not kept"
    envelope = sent.headers.get(ENVELOPE)
    if sent.raw_item is None and isinstance(envelope, str):
        assert letter["original"]["headers"][ENVELOPE] == envelope, "the original's envelope is not kept"


def _judge_run(stage: Stage, expect: Mapping[str, Any], task_id: str, before: int) -> None:
    """The message ran as it was signed, and only that ran."""
    result = stage.app.AsyncResult(task_id)
    if (state := expect.get("state", "SUCCESS")) != "any":
        eventually(result.ready, lambda: f"a result; the log ends\n{stage.worker.log[-2000:]}")
        assert result.state == state, repr(result.result)
    expected = expect["ran"]
    eventually(
        lambda: len(stage.witnesses(before)) >= len(expected), lambda: f"{expected}, but {stage.witnesses(before)}"
    )
    ran = stage.witnesses(before)
    assert len(ran) == len(expected), f"ran: {ran}"
    unseen = list(ran)
    for wanted in expected:
        match = next((line for line in unseen if wanted.items() <= line.items()), None)
        assert match is not None, f"{wanted} did not run, but {unseen}"
        unseen.remove(match)
    if "result" in expect:
        assert result.result == expect["result"]
    for name, value in expect.get("request", {}).items():
        seen = result.result[name]
        assert (value.items() <= seen.items()) if isinstance(value, dict) else seen == value, f"{name}: {seen!r}"
