"""What an attacker who can write to the broker does to a message: the vocabulary of ``[[wire]]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from safecelery.keys import base64url
from safecelery.message.codec import decode_json, encode_json
from tests.attacks.bodies import BODIES, compressed_zeros

__all__ = ["DELETED", "ENVELOPE", "OPERATIONS", "Operation", "Scene", "Sent"]

ENVELOPE = "safecelery"
#: Marks what is taken out of kombu's envelope.
DELETED = object()


@dataclass(slots=True)
class Sent:
    """A message on its way to the broker."""

    body: bytes
    headers: dict[str, Any]
    properties: dict[str, Any]
    queue: str
    """Where it is put, whatever it says."""
    content_type: Any = "application/json"
    content_encoding: Any = "utf-8"
    raw_item: bytes | None = None
    """Redis only: the list's element, instead of kombu's envelope around all of the above."""
    item_edits: list[tuple[list[Any], Any]] = field(default_factory=list)
    """Redis only: paths in kombu's envelope and what stands there instead; ``DELETED`` is nothing."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What operations may use besides the message."""

    other: Sent | None
    make_body: Callable[[str, Any], bytes]

    @property
    def second(self) -> Sent:
        """The message of ``[other]``."""
        assert self.other is not None, "the case has no [other]"
        return self.other


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, with the members that it takes besides ``op``: all of them, and no others."""

    do: Callable[[Sent, Scene, Mapping[str, Any]], None]
    takes: frozenset[str] = field(default=frozenset())


def _set_header(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.headers[given["name"]] = given["value"]


def _delete_header(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    del sent.headers[given["name"]]


def _clear_headers(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    """All but the envelope, if there is one."""
    sent.headers = {name: value for name, value in sent.headers.items() if name == ENVELOPE}


def _set_property(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.properties[given["name"]] = given["value"]


def _set_content(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.content_type, sent.content_encoding = given["type"], given["encoding"]


def _set_body(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.body = given["text"].encode()


def _make_body(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    assert given["kind"] in BODIES
    sent.body = scene.make_body(given["kind"], given["value"])


def _replace_in_body(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    old = given["old"].encode()
    assert old in sent.body, f"{given['old']!r} is not in the body"
    sent.body = sent.body.replace(old, given["new"].encode())


def _take_body(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.body = scene.second.body


def _take_envelope(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.headers[ENVELOPE] = scene.second.headers[ENVELOPE]


def _flip_byte(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    if given["of"] == "body":
        sent.body = _flipped(sent.body, given["at"])
        return
    claims, signature = map(base64url.decode, sent.headers[ENVELOPE].split("."))
    if given["of"] == "claims":
        claims = _flipped(claims, given["at"])
    else:
        assert given["of"] == "signature", f"no part {given['of']!r}"
        signature = _flipped(signature, given["at"])
    sent.headers[ENVELOPE] = f"{base64url.encode(claims)}.{base64url.encode(signature)}"


def _flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def _edit_claims(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    """Other claims, the old signature."""
    claims, _, signature = sent.headers[ENVELOPE].partition(".")
    changed = {**decode_json(base64url.decode(claims)), **given["claims"]}
    sent.headers[ENVELOPE] = f"{base64url.encode(encode_json(changed))}.{signature}"


def _raw_claims(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    """Any bytes as claims, the old signature."""
    signature = sent.headers[ENVELOPE].rpartition(".")[2]
    sent.headers[ENVELOPE] = f"{base64url.encode(given['text'].encode())}.{signature}"


def _bomb(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    """A small body that says of itself that it is a large one."""
    sent.body = compressed_zeros(given["kind"], given["mib"])
    sent.headers["compression"] = given["header"]


def _pad_body(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.body += b" " * given["bytes"]


def _to_queue(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.queue = given["queue"]


def _raw_item(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.raw_item = given["text"].encode()


def _edit_item(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.item_edits.append((given["path"], given["value"]))


def _drop_item(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    sent.item_edits.append((given["path"], DELETED))


OPERATIONS: Mapping[str, Operation] = {
    "set-header": Operation(_set_header, frozenset({"name", "value"})),
    "delete-header": Operation(_delete_header, frozenset({"name"})),
    "clear-headers": Operation(_clear_headers),
    "set-property": Operation(_set_property, frozenset({"name", "value"})),
    "set-content": Operation(_set_content, frozenset({"type", "encoding"})),
    "set-body": Operation(_set_body, frozenset({"text"})),
    "make-body": Operation(_make_body, frozenset({"kind", "value"})),
    "replace-in-body": Operation(_replace_in_body, frozenset({"old", "new"})),
    "take-body": Operation(_take_body),
    "take-envelope": Operation(_take_envelope),
    "flip-byte": Operation(_flip_byte, frozenset({"of", "at"})),
    "edit-claims": Operation(_edit_claims, frozenset({"claims"})),
    "raw-claims": Operation(_raw_claims, frozenset({"text"})),
    "bomb": Operation(_bomb, frozenset({"kind", "header", "mib"})),
    "pad-body": Operation(_pad_body, frozenset({"bytes"})),
    "to-queue": Operation(_to_queue, frozenset({"queue"})),
    "raw-item": Operation(_raw_item, frozenset({"text"})),
    "edit-item": Operation(_edit_item, frozenset({"path", "value"})),
    "drop-item": Operation(_drop_item, frozenset({"path"})),
}
