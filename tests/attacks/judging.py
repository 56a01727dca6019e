"""What became of a message: refused as expected, run exactly as signed, or without any effect."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any

from tests.attacks.case import Case
from tests.attacks.forge import Forger
from tests.attacks.operations import ENVELOPE, Sent
from tests.attacks.probes import PROBES
from tests.attacks.publishing import REPLIES
from tests.attacks.stage import DEADLINE_S, Stage, eventually

__all__ = ["MOST_MIB", "changes", "deviation", "judge_refusals", "judge_run"]

#: More than the worker's main process ever needs, less than any bomb or flood of the cases makes of it.
MOST_MIB = 250
#: Seconds that a worker gets to act on what is broadcast: nobody answers when there is nothing to do.
BROADCAST_S = 0.5


def judge_refusals(stage: Stage, case: Case, sent: Sent, kept: tuple[bytes, ...], count: int) -> None:
    """So many dead letters: the right reason, the original whole.

    Raises:
        AssertionError: anything else.
    """
    letters: list[dict[str, Any]] = []

    def arrived() -> bool:
        assert stage.worker.running, f"the worker died:\n{stage.worker.log[-4000:]}"
        letters.extend(stage.dead_letters())
        return len(letters) >= count

    eventually(
        arrived,
        lambda: f"{count} dead letters, but {len(letters)}; the log ends\n{stage.worker.log[-2000:]}",
    )
    assert len(letters) == count
    for letter in letters:
        assert letter["reason"] == case.reason, f"refused as {letter['reason']}: {letter['detail']}"
        assert letter["queue"] == sent.queue
    original = letters[0]["original"]
    apart = original["properties"].get("safecelery-kept")
    body = base64.b64decode(original["body"]) if apart is None else stage.wire.kept_apart(apart)
    assert body in kept, "the original's bytes are not kept"
    envelope = sent.headers.get(ENVELOPE)
    if sent.raw_item is None and isinstance(envelope, str):
        assert original["headers"][ENVELOPE] == envelope, "the original's envelope is not kept"


def judge_run(
    stage: Stage, expect: Mapping[str, Any], task_id: str, before: int, deadline_s: float = DEADLINE_S
) -> None:
    """The message ran as it was signed, and only that ran.

    Raises:
        AssertionError: anything else.
    """
    result = stage.result(task_id)
    if expect.get("state", "SUCCESS") != "any":
        eventually(result.ready, lambda: f"a result; the log ends\n{stage.worker.log[-2000:]}", deadline_s)
    expected = expect["ran"]
    eventually(
        lambda: len(stage.witnesses(before)) >= len(expected), lambda: f"{expected}, but {stage.witnesses(before)}"
    )
    assert (amiss := deviation(stage, expect, task_id, before)) is None, amiss


def deviation(
    stage: Stage, expect: Mapping[str, Any], task_id: str, before: int, canary: str | None = None
) -> str | None:
    """In what the message did something else than expected, as far as can be seen now."""
    result = stage.result(task_id)
    state, ran, expected = expect.get("state", "SUCCESS"), stage.witnesses(before, canary), expect["ran"]
    if state not in ("any", result.state):
        return f"it is {result.state}: {result.result!r}"
    unseen = list(ran)
    for wanted in expected:
        match = next((line for line in unseen if wanted.items() <= line.items()), None)
        if match is None:
            return f"{wanted} did not run, but {ran}"
        unseen.remove(match)
    if unseen:
        return f"ran as well: {unseen}"
    if "result" in expect and result.result != expect["result"]:
        return f"its result is {result.result!r}"
    for name, value in expect.get("request", {}).items():
        seen = result.result[name]
        some = isinstance(value, dict) and isinstance(seen, dict) and value  # of an empty one: nothing else
        if not (value.items() <= seen.items() if some else seen == value):
            return f"{name} is {seen!r}"
    return None


def changes(
    stage: Stage, case: Case, forger: Forger, children: int, before: int, settle_s: float = BROADCAST_S
) -> str | None:
    """What a message that should have no effect has changed, once the worker had the time to let it."""
    answers: list[bytes] = []
    deadline = time.monotonic() + settle_s
    while not (answers or stage.witnesses(before, forger.canary)) and time.monotonic() < deadline:
        time.sleep(0.05)
        answers += stage.wire.take(REPLIES)
    if ran := stage.witnesses(before, forger.canary):
        return f"{ran[0]['task']} ran"
    if children and (now := stage.children()) != children:
        return f"{now} children instead of {children}"
    for name in case.expect.get("probes", ()):
        if found := PROBES[name](stage, forger.id):
            return found
    return "the worker answered the attacker" if answers or stage.wire.take(REPLIES) else None
