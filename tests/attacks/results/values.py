"""What an attacker writes instead of a result: the members of an attack that say which bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safecelery.keys import base64url
from tests.attacks.bodies import BODIES, compressed, compressed_zeros
from tests.attacks.results.answer import Answer, as_json, honest_meta
from tests.attacks.results.stores import RedisStore
from tests.attacks.spoilt import SPOILT

if TYPE_CHECKING:
    from tests.attacks.results.stage import Stage

__all__ = ["SEALS", "VALUES", "Scene", "make", "warm"]

#: Before compressed results (celery/backends/base.py, ``COMPRESSED_PAYLOAD_MAGIC``), with kombu's own names.
MAGIC = b"\x00celery-compressed\x00"
KOMBU = {"gzip": "application/x-gzip", "bzip2": "application/x-bz2", "lzma": "application/x-lzma"}


@dataclass(slots=True)
class Scene:
    """What an attack may use."""

    stage: Stage
    canary: str
    task: str
    id: str
    other_id: str = ""
    earlier: Answer | None = None
    tapped: Answer | None = None
    """Of the other task, where there is no store to read it from."""
    group: str = ""
    members: list[str] = field(default_factory=list)
    other_group: str = ""


def _meta(scene: Scene, given: Any) -> bytes:
    return as_json({**honest_meta(scene.id, scene.task), **given})


def _text(scene: Scene, given: Any) -> bytes:
    return bytes(given.encode())


def _hex(scene: Scene, given: Any) -> bytes:
    return bytes.fromhex(given)


def _made(scene: Scene, given: Any) -> bytes:
    ((kind, value),) = given.items()
    if kind == "zeros":
        return compressed_zeros("gzip", value)
    return BODIES[kind](value, scene.stage.place.witness_file, scene.canary)


def _nested(scene: Scene, given: Any) -> bytes:
    """A well-formed meta around very many brackets."""
    meta = as_json({**honest_meta(scene.id, scene.task), "result": "@"})
    return meta.replace(b'"@"', b"[" * given + b"]" * given)


def _bomb(scene: Scene, given: Any) -> bytes:
    """As Celery would compress a result."""
    return MAGIC + KOMBU[given["kind"]].encode() + b"\0" + compressed_zeros(given["kind"], given["mib"])


def warm(step: Mapping[str, Any]) -> None:
    """Make a bomb before anybody waits: that takes seconds, and then it is kept."""
    if "bomb" in step:
        compressed_zeros(step["bomb"]["kind"], step["bomb"]["mib"])
    elif "zeros" in step.get("made", {}):
        compressed_zeros("gzip", step["made"]["zeros"])


def _squeezed(scene: Scene, given: Any) -> bytes:
    """A meta, compressed as Celery does."""
    return MAGIC + KOMBU[given["kind"]].encode() + b"\0" + compressed(given["kind"], _meta(scene, given["meta"]))


def _members(scene: Scene, given: Any) -> bytes:
    """The saved members of a group (celery/result.py, ``GroupResult.as_tuple``)."""
    return as_json({"result": [[scene.group, None], [[[one, None], None] for one in given]]})


def _part(scene: Scene, given: Any) -> bytes:
    """A part of a chord (celery/backends/redis.py, ``on_chord_part_return``)."""
    return as_json([1, *given])


def _size(scene: Scene, given: Any) -> bytes:
    """The sealed size of a chord has no body."""
    return b""


def _true(scene: Scene, given: Any) -> Answer:
    return scene.stage.store.read(scene.id)


def _other(scene: Scene, given: Any) -> Answer:
    return scene.tapped if scene.tapped is not None else scene.stage.store.read(scene.other_id)


def _earlier(scene: Scene, given: Any) -> Answer:
    assert scene.earlier is not None, "the case has no earlier result"
    return scene.earlier


def _stored_part(scene: Scene, given: Any) -> Answer:
    """The first part of the chord, as it is."""
    store = scene.stage.store
    assert isinstance(store, RedisStore), "of Redis only"
    (part,) = store.client.zrange(store.group_key(scene.group, ".j"), 0, 0)
    return scene.stage.players.results.unpack(part)


def _task(scene: Scene, given: Any) -> Answer:
    """A whole task, signed by whoever may send it, where a result should be."""
    sent = scene.stage.task_message(given, [scene.canary])
    return Answer(sent.body, sent.headers.get("safecelery"))


def _control(scene: Scene, given: Any) -> Answer:
    """A remote command."""
    sent = scene.stage.players.tasks.control(json.dumps({"method": given, "arguments": {}}).encode(), "full")
    return Answer(sent.body, sent.headers.get("safecelery"))


#: Member of an attack -> the bytes, still to be signed, or an answer that is as it is.
VALUES: Mapping[str, Callable[[Scene, Any], bytes | Answer]] = {
    "meta": _meta, "text": _text, "hex": _hex, "made": _made, "nested": _nested, "bomb": _bomb, "squeezed": _squeezed,
    "members": _members, "part": _part, "size": _size, "true": _true, "other": _other, "earlier": _earlier,
    "stored-part": _stored_part, "task": _task, "control": _control,
}  # fmt: skip


def _flipped(envelope: str) -> str:
    claims, signature = map(base64url.decode, envelope.split("."))
    return f"{base64url.encode(claims)}.{base64url.encode(signature[:-1] + bytes([signature[-1] ^ 1]))}"


#: What is done to the envelope alone.
CHANGED: Mapping[str, Callable[[str], str]] = {
    "cut": lambda envelope: envelope[: len(envelope) // 2],
    "unsigned": lambda envelope: envelope.partition(".")[0] + ".",
    "flipped": _flipped,
    "empty": lambda envelope: "",
    "twice": lambda envelope: f'{envelope}", "safecelery": "{envelope}',
    "huge": lambda envelope: envelope + "A" * 100_000,
}
#: Whose envelope stands in place of it: the other result's, or that of the true one.
BORROWED: Mapping[str, Callable[[Scene, Any], Answer]] = {"other": _other, "own": _true}
SEALS = (*CHANGED, *BORROWED)


def make(scene: Scene, step: Mapping[str, Any]) -> Answer:
    """The bytes that the step's members say, signed as they say."""
    sealer = scene.stage.players.results
    (kind,) = (member for member in step if member in VALUES)
    made = VALUES[kind](scene, step[kind])
    if (how := step.get("encrypt")) is not None:
        assert isinstance(made, bytes), "what is there already is not encrypted again"
        made = sealer.encrypt(made, scene.task, scene.id, how)
    signer = step.get("signer", "none" if isinstance(made, bytes) else "")
    if signer:
        text = made if isinstance(made, bytes) else sealer.text(made)
        made = sealer.seal(text, signer, scene.id, _claims(scene, kind, step))
    assert isinstance(made, Answer)
    for change in step.get("changes", ()):
        made = _changed(scene, made, change)
    if (seal := step.get("seal")) in BORROWED:
        return Answer(made.body, BORROWED[seal](scene, True).envelope)
    if seal is not None:
        assert made.envelope is not None, "there is no seal to change"
        return Answer(made.body, CHANGED[seal](made.envelope))
    return made


def _claims(scene: Scene, kind: str, step: Mapping[str, Any]) -> dict[str, Any]:
    """As those of a true one, but for the changes."""
    changes = step.get("claims", {})
    state = step["meta"].get("status", "SUCCESS") if kind == "meta" else "SUCCESS"
    hdr: dict[str, Any] = {"kind": "result", "task": scene.task, "id": scene.id, "state": state}
    if kind == "part":
        hdr = {**hdr, "kind": "chord-part", "group": scene.group, "index": 0, "state": step["part"][1]}
        hdr |= _chord(scene)
    elif kind == "members":
        hdr = {"kind": "group", "group": scene.group}
    elif kind == "size":
        hdr = {"kind": "chord-size", "group": scene.group, "size": 0, **_chord(scene)}
    claims: dict[str, Any] = {"hdr": {**hdr, **changes.get("hdr", {})}}
    if kind != "meta":
        claims["aud"] = {"exchange": "safecelery.results", "routing_key": hdr.get("group", scene.id)}
    return {**claims, **{name: value for name, value in changes.items() if name != "hdr"}}


def _chord(scene: Scene) -> dict[str, str]:
    """The digest of the chord's callback: whoever can write to the place can read it there (E12.14)."""
    store = scene.stage.store
    parts = store.client.zrange(store.group_key(scene.group, ".j"), 0, 0) if isinstance(store, RedisStore) else ()
    for part in parts:
        envelope = scene.stage.players.results.unpack(part).envelope
        if envelope is not None:
            return {"chord": json.loads(base64url.decode(envelope.partition(".")[0]))["hdr"]["chord"]}
    return {}


def _changed(scene: Scene, answer: Answer, change: list[str]) -> Answer:
    sealer = scene.stage.players.results
    if change[0] == "replace":
        text, old = sealer.text(answer), change[1].encode()
        assert old in text, f"{change[1]!r} is not in {text[:300]!r}"
        return sealer.with_text(answer, text.replace(old, change[2].encode()))
    packed = sealer.pack(answer)
    if change[0] == "spoil":
        return sealer.with_text(answer, SPOILT[change[1]](sealer.text(answer)))
    if change[0] == "append":  # behind the seal, if that is a member
        return Answer(packed[:-1] + change[1].encode() + packed[-1:])
    assert change[0] == "prepend", f"no change {change[0]!r}"
    return Answer(packed[:1] + change[1].encode() + packed[1:])
