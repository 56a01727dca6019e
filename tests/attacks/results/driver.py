"""Plays one case against one subject: what its caller believed in the end, and what else came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from tests.attacks.results.case import Case
from tests.attacks.results.judging import Belief, judge
from tests.attacks.results.process import CallerDied, CallerHangs
from tests.attacks.results.scenes import OTHER_PARTS, PARTS, SCENES, Played
from tests.attacks.results.stage import Stage

__all__ = ["Outcome", "attack", "play"]

#: Growth of any process, in MiB, that counts as an effect.
GROWN_MIB = 100
#: What no honest task of a case leaves in the witness file.
UNCALLED = ("note", "secret", "PWNED")

UNREADY = ("PENDING", "RECEIVED", "STARTED", "RETRY")

Verdict = Literal["true", "refused", "withheld", "believed", "disturbed", "hung", "died", "effect", "n/a"]
#: Verdicts that do no harm beyond what nobody can prevent: the caller is told, has the truth, or waits for it.
GOOD = ("true", "refused", "withheld")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attack; ``true``: the caller has the true result, or what it should make of a sealed one."""

    verdict: Verdict
    note: str = ""


def attack(stage: Stage, case: Case) -> Outcome:
    """Play the case; processes that suffered are replaced."""
    if case.about_envelopes and not stage.players.results.has_envelope:
        return Outcome("n/a", "only the seal is changed")
    if case.about_encryption and not stage.players.results.has_envelope:
        return Outcome("n/a", "only what is encrypted is changed")
    if (stage.subject, stage.backend) == ("auth", "database") and any("signer" in step for step in case.attack):
        return Outcome("n/a", "auth signs each column of a row on its own")
    played, since, logged = Played(f"canary{uuid4().hex}"), stage.witness_count(), stage.logs()
    memory = stage.reset_peaks()
    try:
        SCENES[case.kind](stage, case, played)
    except (CallerDied, CallerHangs) as end:
        found = _effect(stage, played, since)
        stage.restart()
        return found or Outcome("died" if isinstance(end, CallerDied) else "hung", str(end))
    except AssertionError as error:
        stage.restart()
        return Outcome("hung", f"the worker: {str(error)[:200]}")
    outcome = _effect(stage, played, since) or _outcome(stage, case, played, since)
    if (grown := stage.grown_mib(memory)) > GROWN_MIB:
        outcome = Outcome("effect", f"+{grown} MiB, {outcome.verdict}")
    amiss = stage.check_alive()
    if amiss is not None:
        stage.restart()
        outcome = Outcome("died" if "died" in amiss or "exited" in amiss else "hung", amiss)
    elif outcome.verdict == "effect":
        stage.restart()
    if stage.players.results.has_envelope and outcome.verdict in GOOD and case.outcome != "admitted":
        for name, now, before in zip(("caller", "worker"), stage.logs(), logged, strict=True):
            if played.lies[0] in now[len(before) :]:
                return Outcome("effect", f"the lie is in the log of the {name}")
    return outcome


def _outcome(stage: Stage, case: Case, played: Played, since: int) -> Outcome:
    if case.expect.keys() & {"value", "raised"}:
        wanted = {name: str(value).replace("$CANARY", played.lies[0]) for name, value in case.expect.items()}
        belief = judge(played.said["get"], wanted, played.lies)
        return Outcome(belief.kind, belief.note)
    beliefs = [judge(played.said["get"], played.truth, played.lies)]
    if "peek" in played.said:
        beliefs.append(_judge_peek(played, beliefs[0]))
    if "leaf" in played.said:
        beliefs.append(judge(played.said["leaf"], played.truth, played.lies))
    if case.kind == "chord" and (numbers := _summed(stage, since)) not in ([], [list(PARTS)]):
        return Outcome("believed", f"the body ran with {numbers[-1]}")
    order = ("died", "hung", "believed", "disturbed", "refused", "true")
    worst = min(beliefs, key=lambda belief: order.index(belief.kind))
    if worst.kind == "hung" and case.expect.get("withheld"):
        return Outcome("withheld", worst.note)
    if worst.kind == "disturbed" and case.outcome == "rejected" and not stage.players.results.has_envelope:
        return Outcome("refused", worst.note)  # who has no word for it says it by whatever is raised
    return Outcome(worst.kind, worst.note)


def _judge_peek(played: Played, read: Belief) -> Belief:
    """State, value, traceback and children, read without waiting."""
    said: dict[str, Any] = played.said["peek"]
    if "raised" in said or "timeout" in said:
        return judge(said, played.truth, played.lies)
    told = json.dumps(said["value"])
    if any(lie in told for lie in played.lies):
        return Belief("believed", told[:80])
    if said["value"]["state"] in UNREADY:
        return Belief("hung", "nothing is there") if read.kind == "true" else read
    if read.kind == "true" and (said["value"]["children"] or said["value"]["state"] not in ("SUCCESS", "FAILURE")):
        return Belief("believed", told[:80])
    return read


def _summed(stage: Stage, since: int) -> list[list[int]]:
    """The numbers that bodies of chords ran with, those of the other chord aside."""
    return [
        line["numbers"]
        for line in stage.witnesses(since)
        if line["task"] == "total" and line["numbers"] != list(OTHER_PARTS)
    ]


def _effect(stage: Stage, played: Played, since: int) -> Outcome | None:
    for line in stage.witnesses(since):
        if line["task"] in UNCALLED:
            return Outcome("effect", "code of the attacker" if line["task"] == "PWNED" else f"{line['task']} ran")
    return None


def play(stage: Stage, case: Case) -> None:
    """As :func:`attack`, strictly: what comes of it must be what the case says.

    Raises:
        AssertionError: it is not.
    """
    outcome = attack(stage, case)
    if case.expect.get("known"):
        assert outcome.verdict == "believed", f"{outcome}: if that is mended, the case need not say that it is known"
    elif case.outcome != "rejected":
        assert outcome.verdict == "true", outcome
    elif outcome.verdict != "withheld":
        assert outcome.verdict == "refused", outcome
        assert case.kind == "chord" or outcome.note in case.expect["reasons"], f"refused as {outcome.note}"
