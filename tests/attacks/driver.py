"""Plays one case against one subject: sends what it declares, and looks what became of it, and of anything else.

``attack`` gives an outcome, for any subject. ``play`` is the strict form for safecelery: also the reason, the dead
letter and the log must be right.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

from tests.attacks.case import Case
from tests.attacks.forge import Forger
from tests.attacks.judging import MOST_MIB, changes, deviation, judge_refusals, judge_run
from tests.attacks.operations import Sent
from tests.attacks.publishing import ACTIONS
from tests.attacks.stage import DEADLINE_S, Stage, eventually

__all__ = ["Outcome", "attack", "play"]

#: What a worker logs when a message did more to it than being refused.
TROUBLE = ("Connection to broker lost", "Unrecoverable error", "exited with")
#: Seconds for honest work to be done by a worker that attacks may have got stuck.
CANARY_S = 10.0
#: Seconds after honest work was done until what an attack started must have shown: another child may still be at it.
SETTLE_S = 4.0
#: The task that kills its process.
POISON = "service.die"
#: Seconds for a message that should run as it was sent; a task that sleeps, or runs again, needs longer than others.
RUN_S = {"service.nap": 15.0, "celery.map": 15.0, "service.flaky": 15.0, POISON: 60.0}
#: Growth of the worker's memory, in MiB, that counts as an effect.
GROWN_MIB = 100

Verdict = Literal["blocked", "ran", "crashed", "n/a", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attack; of an honest message, ``ran`` if it did what it should."""

    verdict: Verdict
    note: str = ""


def _publish(stage: Stage, case: Case, forger: Forger) -> None:
    for step in case.publish:
        ACTIONS[step["do"]].run(stage, forger.resolve(step))


def _send(stage: Stage, case: Case, forger: Forger, deadline_s: float) -> tuple[Sent, tuple[bytes, ...]]:
    """All messages of the case; one of them, and what a dead letter may keep of it."""
    before = stage.witness_count()
    sent = forger.message()
    kept = stage.wire.put(sent)
    for _ in range(case.copies - 1):
        stage.wire.put(stage.forger(case).message())
    if case.times:
        eventually(lambda: stage.witnesses(before, forger.canary), lambda: "the first of them did not run", deadline_s)
        if stage.subject.keeps_refused:  # others may run it under another id
            eventually(stage.result(forger.id).ready, lambda: "the first of them came to nothing", deadline_s)
        stage.check_alive(deadline_s)  # by then it is done, too
        for _ in range(case.times):
            stage.wire.put(sent)
    return sent, kept


# safecelery, strictly ---------------------------------------------------------------------------------------------


def play(stage: Stage, case: Case) -> None:
    """Send the case's messages and judge what the worker does.

    Raises:
        AssertionError: the message's fate is not the expected one, or the worker suffered from it.
    """
    assert stage.worker.running, "the worker died of an earlier case"
    before, logged, started, children = stage.witness_count(), len(stage.worker.log), time.time(), stage.children()
    forger = stage.forger(case)
    if case.outcome == "harmless":
        if case.message:
            _send(stage, case, forger, DEADLINE_S)
        _publish(stage, case, forger)
        stage.check_alive()
        # An honest command behind the others: by the time it is answered, they were looked at.
        assert stage.ready.app.control.ping(timeout=DEADLINE_S, limit=1), "an honest command is not answered"
        assert (found := changes(stage, case, forger, children, before)) is None, found
    elif case.outcome == "rejected":
        sent, kept = _send(stage, case, forger, DEADLINE_S)
        judge_refusals(stage, case, sent, kept, case.times or case.copies)
        stage.check_alive()
        ran = stage.witnesses(before)
        assert len(ran) <= case.expect.get("at_most", 0), f"something ran: {ran}"
    else:
        _send(stage, case, forger, DEADLINE_S)
        deadline = RUN_S[POISON] if case.message["task"] == POISON else DEADLINE_S
        judge_run(stage, forger.resolve(case.expect), forger.id, before, deadline)
        if "delayed_s" in case.expect:
            waited = min(line["at"] for line in stage.witnesses(before)) - started
            assert waited >= case.expect["delayed_s"], f"ran after {waited:.2f} s"
    stage.check_alive()
    assert (more := stage.dead_letters()) == [], f"another dead letter: {more}"
    log = stage.worker.log[logged:]
    assert forger.canary not in log, f"the body is in the worker's log:\n{log}"
    trouble = TROUBLE if case.message.get("task") != POISON else ()
    assert [line for line in log.splitlines() if any(word in line for word in trouble)] == []
    assert stage.peak_mib() < MOST_MIB


# Any subject ------------------------------------------------------------------------------------------------------


def attack(stage: Stage, case: Case) -> Outcome:
    """Play the case, or its nearest equivalent for the subject; a worker that crashed of it is replaced."""
    if stage.subject.keeps_refused:
        return _attack_strictly(stage, case)
    reduced = stage.ready.sealer.reduce(case)
    if reduced is None:
        return Outcome("n/a", "only the envelope is changed")
    if case.outcome == "admitted" and not case.honest and (case.signed or case.wire) and not _comparable(stage, case):
        return Outcome("n/a", "the honest message is another one here")
    outcome = _attack_stock(stage, reduced)
    if outcome.verdict == "crashed" or "MiB" in outcome.note or _lasting(case, outcome):
        stage.restart()
    return outcome


def _lasting(case: Case, outcome: Outcome) -> bool:
    """Whether what it does outlives the case: commands change the worker, floods and poison keep it busy."""
    busy = case.copies > 1 or case.message.get("task") == POISON
    return busy or (bool(case.publish) and outcome.verdict == "ran")


def _attack_strictly(stage: Stage, case: Case) -> Outcome:
    if case.lacks:
        return Outcome("skipped", ", ".join(case.lacks))
    try:
        play(stage, case)
    except AssertionError as error:
        crashed = not stage.worker.running or stage.worker.pid != stage.pid or "honest work" in str(error)
        stage.restart()
        return Outcome("crashed" if crashed else "ran", str(error).partition("\n")[0])
    return Outcome("ran" if case.honest else "blocked", case.reason or "")


def _comparable(stage: Stage, case: Case) -> bool:
    """Whether the message does here what is expected as long as nobody changes it on the wire."""
    for honest in (replace(case, wire=()), replace(case, wire=(), signed={})):
        reduced = stage.ready.sealer.reduce(honest)
        if reduced is None or (not case.wire and reduced.signed):
            continue
        before, forger = stage.witness_count(), stage.forger(reduced)
        _send(stage, reduced, forger, CANARY_S)
        if _deviates(stage, reduced, forger, before) is None:
            return True
    return False


def _deviates(stage: Stage, case: Case, forger: Forger, before: int) -> str | None:
    expect = forger.resolve(case.expect)
    deadline = time.monotonic() + RUN_S.get(case.message["task"], 10.0)
    while (
        found := deviation(stage, expect, forger.id, before, forger.canary)
    ) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _attack_stock(stage: Stage, case: Case) -> Outcome:
    before, children, memory = stage.witness_count(), stage.children(), stage.peak_mib()
    forger = stage.forger(case)
    try:
        if case.message:
            _send(stage, case, forger, CANARY_S)
        _publish(stage, case, forger)
        stage.check_alive(CANARY_S)
        found = _effect(stage, case, forger, children, before)
        stage.check_alive(CANARY_S)
    except AssertionError as error:
        hung = stage.worker.running
        note = "hung" if hung else "exited"
        if any(line["task"] == "PWNED" for line in stage.witnesses(before, forger.canary)):
            return Outcome("ran", "code of the attacker")
        return Outcome("crashed", note if "honest" in str(error) or not hung else str(error).partition("\n")[0])
    if (grown := stage.peak_mib() - memory) > GROWN_MIB:
        return Outcome("ran", f"+{grown} MiB")
    if case.honest:
        return Outcome("blocked" if found else "ran", found or "")
    return Outcome("ran", found) if found else Outcome("blocked")


def _effect(stage: Stage, case: Case, forger: Forger, children: int, before: int) -> str | None:
    """In words, what the attack did."""
    if case.outcome == "admitted":
        return _deviates(stage, case, forger, before)
    if case.outcome == "harmless":
        return changes(stage, case, forger, children, before, SETTLE_S)
    allowed = case.expect.get("at_most", int(case.times > 0))
    deadline = time.monotonic() + SETTLE_S
    worst = "secret" if "service.secret" in str((case.message, case.signed, case.wire)) else ""
    while time.monotonic() < deadline:
        ran = stage.witnesses(before, forger.canary)
        if len(ran) > allowed and worst in ("", *(line["task"] for line in ran)):
            break
        time.sleep(0.02)
    tasks = [line["task"] for line in stage.witnesses(before, forger.canary)]
    if "PWNED" in tasks:
        return "code of the attacker"
    if len(tasks) > allowed:
        return "secret ran" if "secret" in tasks else f"{tasks[-1]} ran" + (f", {len(tasks)} times" if allowed else "")
    return "ran" if not case.times and stage.result(forger.id).state == "SUCCESS" else None
