"""The dead letter, version 1: one JSON record of a refused message (docs/spec/dead-letter-v1.md)."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from safecelery.message.codec import MAX_DEPTH, Malformed, decode_json, encode_json
from safecelery.message.stages import RawMessage

__all__ = ["VERSION", "DeadLetter", "Original", "plain", "read_letter"]

VERSION = 1
_ID = re.compile(r"[0-9a-f]{32}")
_REASON = re.compile(r"[a-z][a-z-]{0,63}")
#: Characters that are kept of a text which somebody else wrote and which stands beside our own words (L2.4).
_LONGEST = 1024
#: Headers nested deeper are cut off (L3.3): whoever nests them aims at the stack of those who walk them. The record,
#: the original and what stands for the rest are levels of their own.
_MAX_DEPTH = MAX_DEPTH - 4
#: Whole numbers that every JSON reader takes: RFC 8259, section 6.
_MAX_INTEGER = 2**53 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The refused message. Nothing in it was believed, and nothing is to be (L3)."""

    body: bytes
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    content_type: Any
    content_encoding: Any

    @classmethod
    def of(cls, raw: RawMessage) -> Original:
        """As JSON can hold it; the body byte for byte."""
        return cls(
            body=raw.body,
            headers=plain(dict(raw.headers)),
            properties=plain(dict(raw.properties)),
            content_type=plain(raw.content_type),
            content_encoding=plain(raw.content_encoding),
        )

    def as_raw(self, queue: str) -> RawMessage:
        """The message as if it had just been read from ``queue``."""
        return RawMessage(
            body=self.body,
            headers=self.headers,
            properties=self.properties,
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            queue=queue,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """What a worker says of a message that it refused, and the message."""

    id: str
    """32 hexadecimal digits, random (L2.2)."""
    reason: str
    """Value of an ``errors.Reason``, perhaps of a later version."""
    detail: str
    queue: str
    """Where the worker read the message."""
    worker: str
    at: datetime
    """When it was refused."""
    key: str | None
    """Id of the key that verifiably signed the message."""
    task: str | None
    """The task's name as signed (L2.3)."""
    task_id: str | None
    """The task's id as signed."""
    claimed_task: str | None
    """What an unsigned header says the task is; ``None`` where ``task`` is known. Anybody may have written it."""
    deliveries: int | None
    """How often the message had been delivered, where the worker counts."""
    original: Original

    def to_bytes(self) -> bytes:
        """The record as it is published. Whatever the original holds, this does not fail (L3.2)."""
        original = self.original
        return encode_json(
            {
                "v": VERSION,
                "id": self.id,
                "reason": self.reason,
                "detail": _bounded(self.detail),
                "queue": _text(self.queue),
                "worker": _text(self.worker),
                "at": self.at.astimezone(UTC).isoformat(),
                "key": self.key,
                "task": _bounded(self.task),
                "task_id": _bounded(self.task_id),
                "claimed_task": _bounded(self.claimed_task),
                "deliveries": self.deliveries,
                "original": {
                    "body": base64.b64encode(original.body).decode(),
                    "headers": original.headers,
                    "properties": original.properties,
                    "content_type": original.content_type,
                    "content_encoding": original.content_encoding,
                },
            }
        )


def _bounded(text: str | None) -> str | None:
    return None if text is None else _text(text)[:_LONGEST]


def _text(text: str) -> str:
    """With lone surrogates, which UTF-8 cannot hold, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def plain(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """As JSON can hold it (L3.3): headers of AMQP may be bytes, dates and decimals, and numbers of any size."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return value if _is_json_number(value) else _number_as_text(value)
    if isinstance(value, dict | list | tuple) and depth == 0:
        return {"omitted": "nested too deeply"}
    if isinstance(value, dict):
        return {_text(str(name)): plain(inner, depth - 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, depth - 1) for inner in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    return _text(str(value))


def _is_json_number(value: float) -> bool:
    return math.isfinite(value) if isinstance(value, float) else abs(value) <= 2**64


def _number_as_text(value: float) -> str:
    return str(value) if isinstance(value, float) else hex(value)  # str() of a long one takes its square in time


_TEXT, _TEXT_OR_NONE = (str,), (str, type(None))
_ANY = (str, int, float, bool, list, dict, type(None))
_MEMBERS: dict[str, tuple[type, ...]] = {
    "v": (int,),
    "id": _TEXT,
    "reason": _TEXT,
    "detail": _TEXT,
    "queue": _TEXT,
    "worker": _TEXT,
    "at": _TEXT,
    "key": _TEXT_OR_NONE,
    "task": _TEXT_OR_NONE,
    "task_id": _TEXT_OR_NONE,
    "claimed_task": _TEXT_OR_NONE,
    "deliveries": (int, type(None)),
    "original": (dict,),
}
_ORIGINAL: dict[str, tuple[type, ...]] = {
    "body": _TEXT,
    "headers": (dict,),
    "properties": (dict,),
    "content_type": _ANY,
    "content_encoding": _ANY,
}


def read_letter(data: bytes) -> DeadLetter:
    """Read a record, strictly (L2.1). Says nothing about its truth: anybody who reaches the queue may have written it.

    Raises:
        Malformed: it is not a dead letter of version 1; says why without quoting it.
    """
    value = decode_json(data)
    if not isinstance(value, dict):
        raise Malformed("not an object")
    if type(value.get("v")) is int and value["v"] != VERSION:
        raise Malformed("another version")
    _check(value, _MEMBERS)
    original = value["original"]
    _check(original, _ORIGINAL)
    if not _ID.fullmatch(value["id"]) or not _REASON.fullmatch(value["reason"]):
        raise Malformed("id or reason has a value it cannot have")
    if value["deliveries"] is not None and not 0 <= value["deliveries"] <= _MAX_INTEGER:
        raise Malformed("deliveries is not a count")
    try:
        body = base64.b64decode(original["body"], validate=True)
    except ValueError:
        raise Malformed("the body is not base64") from None
    members = {name: value[name] for name in _MEMBERS if name not in ("v", "at", "original")}
    return DeadLetter(**members, at=_moment(value["at"]), original=Original(**{**original, "body": body}))


def _check(value: dict[str, Any], members: dict[str, tuple[type, ...]]) -> None:
    if value.keys() != members.keys():
        raise Malformed("missing or unknown members")
    for name, kinds in members.items():
        if type(value[name]) not in kinds:  # exact: a bool is no number
            raise Malformed(f"member {name} has the wrong type")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Malformed("at is not a time with a zone")
