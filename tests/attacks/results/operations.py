"""What an attacker who can write to the result backend, or to the broker behind rpc, does with such bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.attacks.operations import Sent
from tests.attacks.results.stores import DatabaseStore, RedisStore, RpcStore
from tests.attacks.results.values import VALUES, Scene, make

__all__ = ["OPERATIONS", "VALUES", "Operation"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, whether it takes a value, and the other members it may have besides ``do``."""

    run: Callable[[Scene, Mapping[str, Any]], None]
    value: bool = False
    takes: frozenset[str] = field(default=frozenset())


def _redis(scene: Scene) -> RedisStore:
    assert isinstance(scene.stage.store, RedisStore), "of Redis only"
    return scene.stage.store


def _write(scene: Scene, step: Mapping[str, Any]) -> None:
    scene.stage.store.write(scene.id, make(scene, step))


def _publish(scene: Scene, step: Mapping[str, Any]) -> None:
    scene.stage.store.publish(scene.id, make(scene, step))


def _answer(scene: Scene, step: Mapping[str, Any]) -> None:
    """As a worker does: stored, and told."""
    answer = make(scene, step)
    scene.stage.store.write(scene.id, answer)
    scene.stage.store.publish(scene.id, answer)


def _reply(scene: Scene, step: Mapping[str, Any]) -> None:
    """A message for the reply queue, with any properties; ``$NULL`` leaves one out."""
    store = scene.stage.store
    assert isinstance(store, RpcStore), "of rpc only"
    store.send(make(scene, step), **{"correlation_id": scene.id, **step.get("properties", {})})


def _delete(scene: Scene, step: Mapping[str, Any]) -> None:
    scene.stage.store.drop(scene.id)


def _swap(scene: Scene, step: Mapping[str, Any]) -> None:
    """This task has the other's result, and the other has this one's."""
    store = scene.stage.store
    if isinstance(store, DatabaseStore):
        store.swap(scene.id, scene.other_id)
        return
    mine, theirs = store.read(scene.id), store.read(scene.other_id)
    store.write(scene.id, theirs)
    store.write(scene.other_id, mine)


def _columns(scene: Scene, step: Mapping[str, Any]) -> None:
    """Columns of the row: text, or bytes that a value makes."""
    store = scene.stage.store
    assert isinstance(store, DatabaseStore), "of a database only"
    store.change(scene.id, step["set"])


def _column(scene: Scene, step: Mapping[str, Any]) -> None:
    store = scene.stage.store
    assert isinstance(store, DatabaseStore), "of a database only"
    store.change(scene.id, {step["column"]: make(scene, step).body})


def _drop_document(scene: Scene, step: Mapping[str, Any]) -> None:
    """safecelery's own row of the result, if it has one."""
    store = scene.stage.store
    assert isinstance(store, DatabaseStore), "of a database only"
    store.drop_document(scene.id)


def _group(scene: Scene, step: Mapping[str, Any]) -> None:
    """What is saved of a group."""
    scene.stage.store.write_group(scene.group, make(scene, step))


# Chords: a sorted set of parts, and counters beside it --------------------------------------------------------------


def _parts(scene: Scene, group: str = "") -> list[tuple[bytes, float]]:
    found: list[tuple[bytes, float]] = _redis(scene).client.zrange(
        RedisStore.group_key(group or scene.group, ".j"), 0, -1, withscores=True
    )
    return found


def _part_add(scene: Scene, step: Mapping[str, Any]) -> None:
    key = RedisStore.group_key(scene.group, ".j")
    packed = scene.stage.players.results.pack(make(scene, step))
    _redis(scene).client.zadd(key, {packed: step["score"]})


def _part_replace(scene: Scene, step: Mapping[str, Any]) -> None:
    """The first part is another one."""
    (old, score) = _parts(scene)[0]
    _part_add(scene, {**step, "score": score})
    _redis(scene).client.zrem(RedisStore.group_key(scene.group, ".j"), old)


def _part_edit(scene: Scene, step: Mapping[str, Any]) -> None:
    """Other text in the first part, under its old seal."""
    (old, score), sealer = _parts(scene)[0], scene.stage.players.results
    answer = sealer.unpack(old)
    text = sealer.text(answer)
    assert step["old"].encode() in text, f"{step['old']!r} is not in {text!r}"
    new = sealer.pack(sealer.with_text(answer, text.replace(step["old"].encode(), step["new"].encode())))
    key = RedisStore.group_key(scene.group, ".j")
    _redis(scene).client.zrem(key, old)
    _redis(scene).client.zadd(key, {new: score})


def _part_drop(scene: Scene, step: Mapping[str, Any]) -> None:
    _redis(scene).client.zremrangebyrank(RedisStore.group_key(scene.group, ".j"), 0, 0)


def _part_again(scene: Scene, step: Mapping[str, Any]) -> None:
    """The first part once more, at another place: it counts twice. A space makes it another member of the set."""
    (old, _) = _parts(scene)[0]
    _redis(scene).client.zadd(RedisStore.group_key(scene.group, ".j"), {old + b" ": step["score"]})


def _part_of_other(scene: Scene, step: Mapping[str, Any]) -> None:
    """A true part of another chord of the same caller."""
    ((old, score), *_) = _parts(scene)
    ((theirs, _), *_) = _parts(scene, scene.other_group)
    key = RedisStore.group_key(scene.group, ".j")
    _redis(scene).client.zrem(key, old)
    _redis(scene).client.zadd(key, {theirs: score})


def _number(scene: Scene, step: Mapping[str, Any]) -> None:
    _redis(scene).client.set(RedisStore.group_key(scene.group, step["key"]), step["value"])


def _seal_of_size(scene: Scene, step: Mapping[str, Any]) -> None:
    """The sealed size beside Celery's number; who has no envelopes keeps only that."""
    answer = make(scene, step)
    if answer.envelope is not None:
        key = RedisStore.group_key(scene.group, ".safecelery-s")
        _redis(scene).client.set(key, answer.envelope)
    _number(scene, {"key": ".s", "value": step["number"]})


def _number_of_other(scene: Scene, step: Mapping[str, Any]) -> None:
    """The true number of another chord."""
    client = _redis(scene).client
    for key in step["keys"]:
        theirs = client.get(RedisStore.group_key(scene.other_group, key))
        if theirs is not None:
            client.set(RedisStore.group_key(scene.group, key), theirs)


def _drop_key(scene: Scene, step: Mapping[str, Any]) -> None:
    _redis(scene).client.delete(RedisStore.group_key(scene.group, step["key"]))


# Out of the backend, into the broker ----------------------------------------------------------------------------


def _as_task(scene: Scene, step: Mapping[str, Any]) -> None:
    """The true result, as it was signed, for a worker to run."""
    answer = scene.stage.store.read(scene.id)
    headers: dict[str, Any] = {
        "lang": "py", "task": step["runs"], "id": scene.canary, "root_id": scene.canary,
        "argsrepr": "", "kwargsrepr": "",
    }  # fmt: skip
    if answer.envelope is not None:
        headers["safecelery"] = answer.envelope
    sent = Sent(answer.body, headers, {"correlation_id": scene.canary}, "orders")
    if scene.stage.subject == "auth":
        sent.content_type = "application/data"
    scene.stage.wire.put(sent)


_VALUE = True
OPERATIONS: Mapping[str, Operation] = {
    "write": Operation(_write, _VALUE),
    "publish": Operation(_publish, _VALUE),
    "answer": Operation(_answer, _VALUE),
    "reply": Operation(_reply, _VALUE, frozenset({"properties"})),
    "delete": Operation(_delete),
    "swap": Operation(_swap),
    "columns": Operation(_columns, takes=frozenset({"set"})),
    "column": Operation(_column, _VALUE, frozenset({"column"})),
    "drop-document": Operation(_drop_document),
    "group": Operation(_group, _VALUE),
    "part-add": Operation(_part_add, _VALUE, frozenset({"score"})),
    "part-replace": Operation(_part_replace, _VALUE),
    "part-edit": Operation(_part_edit, takes=frozenset({"old", "new"})),
    "part-drop": Operation(_part_drop),
    "part-again": Operation(_part_again, takes=frozenset({"score"})),
    "part-of-other": Operation(_part_of_other),
    "number": Operation(_number, takes=frozenset({"key", "value"})),
    "number-of-other": Operation(_number_of_other, takes=frozenset({"keys"})),
    "size": Operation(_seal_of_size, _VALUE, frozenset({"number"})),
    "drop-key": Operation(_drop_key, takes=frozenset({"key"})),
    "as-task": Operation(_as_task, takes=frozenset({"runs"})),
}
