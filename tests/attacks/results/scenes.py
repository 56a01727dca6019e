"""What happens around an attack: tasks are sent, run up to a point, attacked, finished, and looked at."""

from __future__ import annotations

import contextlib
from typing import Any
from uuid import uuid4

from tests.attacks.placeholders import Resolver
from tests.attacks.results.case import Case
from tests.attacks.results.keys import HIDDEN
from tests.attacks.results.operations import OPERATIONS
from tests.attacks.results.stage import NotDone, Stage
from tests.attacks.results.stores import TAP, RedisStore, RpcStore
from tests.attacks.results.values import Scene, warm

__all__ = ["SCENES", "Played"]

#: Seconds for which a caller waits, for a result that is not true or for the true one that comes after it; and where
#: nothing may come.
WAIT_S, VAIN_S = 30.0, 1.5
#: Seconds for a worker that was attacked to be done with a task.
PATIENCE_S = 10.0
#: Seconds until a caller that waits must have said something.
SAY_S = WAIT_S + 20.0


class Played:
    """What is known after a case: what the caller said, what would have been true, and what would be a lie."""

    def __init__(self, canary: str) -> None:
        self.said: dict[str, Any] = {}
        self.truth: dict[str, Any] = {}
        self.lies = [canary]


def _wait(case: Case) -> float:
    return VAIN_S if case.expect.get("withheld") else WAIT_S


def _attack(scene: Scene, case: Case) -> None:
    stage = scene.stage
    names = {"CANARY": scene.canary, "ID": scene.id, "OTHER_ID": scene.other_id, "GROUP": scene.group}
    names["MEMBER"] = (scene.members or [""])[-1]
    resolve = Resolver(names, stage.players.tasks.kid)
    for step in case.attack:
        OPERATIONS[step["do"]].run(scene, resolve(dict(step)))


def _held(case: Case) -> str:
    """The task that waits for its gate."""
    return HIDDEN if "encrypted" in case.flags else "service.held"


def _before(scene: Scene, case: Case, played: Played) -> None:
    """Other tasks of the caller, and an earlier run under the same id."""
    for step in case.attack:
        warm(step)
    stage, store = scene.stage, scene.stage.store
    if "other" in case.flags:
        gate, scene.other_id = _open_gate(stage), str(uuid4())
        lie = f"other-{uuid4().hex}"
        played.lies.append(lie)
        if isinstance(store, RpcStore):
            stage.wire.put(stage.task_message("service.held", [gate, lie], scene.other_id, TAP))
            scene.tapped = stage.eventually(store.tapped, "the other's reply")
        else:
            stage.caller.ask("send", task=scene.task, args=[gate, lie], id=scene.other_id)
            stage.await_end(scene.other_id)
    if "earlier" in case.flags:
        gate, lie = _open_gate(stage), f"earlier-{uuid4().hex}"
        played.lies.append(lie)
        if isinstance(store, RpcStore):
            stage.wire.put(stage.task_message("service.held", [gate, lie, True], scene.id, TAP))
            scene.earlier = stage.eventually(store.tapped, "the earlier reply")
        else:
            stage.caller.ask("send", task=scene.task, args=[gate, lie, True], id=scene.id)
            stage.await_end(scene.id)
            scene.earlier = store.read(scene.id)
            store.drop(scene.id)


def _open_gate(stage: Stage) -> str:
    gate = uuid4().hex
    stage.open_gate(gate)
    return gate


def play_task(stage: Stage, case: Case, played: Played) -> None:
    """One task, attacked while it runs or after."""
    gate, secret = uuid4().hex, f"true-{uuid4().hex}"
    played.truth = {"value": secret} if not case.fails else {"raised": "ValueError", "text": secret}
    scene = Scene(stage, played.lies[0], _held(case), str(uuid4()))
    _before(scene, case, played)
    logged = len(stage.worker.log)
    sent = stage.caller.ask("send", task=scene.task, args=[gate, secret, case.fails], id=scene.id)
    if isinstance(stage.store, RpcStore):
        stage.store.queue = sent["reply_to"]
    stage.await_start(gate)
    how = {"id": scene.id, "timeout": _wait(case), "peek": stage.backend != "rpc", "leaf": "leaf" in case.flags}
    if case.when == "waiting":
        stage.caller.tell("read", fresh=False, settled="settled" in case.flags, **how)
        assert stage.caller.hear(SAY_S)["event"] == "waiting"
        _attack(scene, case)
        stage.open_gate(gate)
        played.said = stage.caller.hear(SAY_S)
        return
    if case.when == "pending":
        _attack(scene, case)
        stage.open_gate(gate)
        with contextlib.suppress(NotDone):  # it cannot store what it has; the caller will see
            stage.await_end(scene.id, PATIENCE_S, logged)
    else:
        stage.open_gate(gate)
        stage.await_end(scene.id, since=logged)
        _attack(scene, case)
    if "stranger" in case.flags:
        stranger = stage.players.make_caller().start()
        try:
            played.said = stranger.ask("read", fresh=True, within_s=SAY_S, **how)
        finally:
            stranger.stop()
        return
    played.said = stage.caller.ask("read", fresh=case.when == "stored", within_s=SAY_S, **how)


def play_group(stage: Stage, case: Case, played: Played) -> None:
    """A saved group of two, attacked when both are done."""
    gate, values = _open_gate(stage), [f"true-{uuid4().hex}", f"true-{uuid4().hex}"]
    played.truth = {"value": values}
    scene = Scene(stage, played.lies[0], _held(case), "")
    _before(scene, case, played)
    sent = stage.caller.ask("send-group", header=[[scene.task, [gate, value]] for value in values])
    scene.group, scene.members = sent["id"], sent["members"]
    scene.id = scene.members[0]
    for member in scene.members:
        stage.await_end(member)
    _attack(scene, case)
    played.said = stage.caller.ask("read-group", id=scene.group, timeout=_wait(case), within_s=SAY_S)


#: What the tasks of a chord return: one at once, the others when their gates open.
PARTS = (1, 2, 4)
OTHER_PARTS = (32, 64)


def play_chord(stage: Stage, case: Case, played: Played) -> None:
    """A chord of three, attacked when the first has returned."""
    store = stage.store
    assert isinstance(store, RedisStore), "chords are counted in Redis only"
    scene = Scene(stage, played.lies[0], HIDDEN if "encrypted" in case.flags else "service.add", "")
    gates = [uuid4().hex for _ in range(3)]
    for step in case.attack:
        warm(step)
    if "other" in case.flags:
        scene.other_group = _start_chord(stage, store, case, OTHER_PARTS, gates[2:])["group"]
    sent = _start_chord(stage, store, case, PARTS, gates[:2])
    scene.group, scene.members, scene.id = sent["group"], sent["members"], sent["members"][0]
    played.truth = {"value": sum(PARTS)}
    _attack(scene, case)
    for gate, member in zip(gates, scene.members[1:], strict=False):
        stage.open_gate(gate)
        with contextlib.suppress(NotDone):
            stage.await_end(member, PATIENCE_S)
    stage.open_gate(gates[2])
    played.said = stage.caller.ask("read", fresh=False, id=sent["id"], timeout=_wait(case), peek=False, within_s=SAY_S)


def _start_chord(
    stage: Stage, store: RedisStore, case: Case, parts: tuple[int, ...], gates: list[str]
) -> dict[str, Any]:
    """Sent, its first part in, its others running."""
    task = _held(case)
    first = [task, [_open_gate(stage), parts[0]]] if task == HIDDEN else ["service.add", [parts[0], 0]]
    header = [first, *([task, [gate, part]] for gate, part in zip(gates, parts[1:], strict=True))]
    sent = stage.caller.ask("send-chord", header=header, body="service.total")
    key = store.group_key(sent["group"], ".j")
    stage.eventually(lambda: store.client.zcard(key) == 1, "the first part")
    for gate in gates:
        stage.await_start(gate)
    return sent


SCENES = {"task": play_task, "group": play_group, "chord": play_chord}
