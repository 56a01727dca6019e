"""kombu's envelope around a message in a Redis list, parsed with a limit and made well-formed."""

from __future__ import annotations

import base64
import json
from typing import Any, NoReturn

from kombu.utils.uuid import uuid

from safecelery.errors import Reason, Rejected

__all__ = ["addressed", "envelope", "oversized_message", "wire_message"]

_TEXT = ("content-type", "content-encoding")


def wire_message(
    item: bytes, queue: str, *, tag: str | None = None, redelivered: bool | None = None, max_bytes: int = 4 * 1_048_576
) -> dict[str, Any]:
    """The transport's own envelope, parsed and made well-formed.

    Everything the transport acts on is replaced by what this process knows: the delivery tag, and the
    queue the message was really popped from (``delivery_info`` in the message is only data). An item that
    is no envelope at all becomes an unsigned message with the item as its body: it takes the way of every
    other unsigned message, to the dead letters, byte for byte.

    Args:
        tag: the delivery tag; ``None`` makes a new one.
        redelivered: whether this process knows it to be; ``None`` believes the message.
        max_bytes: larger items are not parsed.
    """
    payload = envelope(item, max_bytes=max_bytes)
    if payload is None:
        payload = {"body": base64.b64encode(item).decode(), "properties": {"body_encoding": "base64"}}
    return addressed(payload, queue, tag=tag, redelivered=redelivered)


def addressed(
    payload: dict[str, Any], queue: str, *, tag: str | None = None, redelivered: bool | None = None
) -> dict[str, Any]:
    """What :func:`envelope` returned, with tag and queue as this process knows them; see :func:`wire_message`."""
    properties = payload["properties"]
    if not redelivered:
        given = properties.get("delivery_info")
        redelivered = isinstance(given, dict) and given.get("redelivered") is True
    return {
        "body": payload["body"],
        "headers": payload.get("headers") or {},
        "content-type": payload.get("content-type"),
        "content-encoding": payload.get("content-encoding"),
        "properties": {**properties, **_delivery(queue, tag, redelivered=redelivered)},
    }


def oversized_message(queue: str, size: int, limit: int, tag: str, key: str) -> dict[str, Any]:
    """What is delivered in place of an item that is too large to be read: it says where the item is kept.

    Args:
        size, limit: bytes.
        key: the Redis hash that keeps the item under ``tag``.
    """
    kept = {"redis_hash": key, "field": tag, "bytes": size}
    return {
        "body": "",
        "headers": {},
        "content-type": None,
        "content-encoding": None,
        "properties": {"safecelery-kept": kept, **_delivery(queue, tag, redelivered=False)},
        "amiss": Rejected(Reason.TOO_LARGE, f"the message has {size} bytes in the queue, allowed are {limit}"),
    }


def _delivery(queue: str, tag: str | None, *, redelivered: bool) -> dict[str, Any]:
    info = {"exchange": "", "routing_key": queue, "redelivered": redelivered}
    return {"delivery_tag": tag or uuid(), "delivery_info": info}


class _Ambiguous(ValueError):
    """JSON that two readers may take for different things."""


def _no_constants(name: str) -> NoReturn:
    raise _Ambiguous(name)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Ambiguous("a member occurs twice")
    return result


#: No NaN and no member twice: what the dead letter shows of such an item would not be all of it.
_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constants)


def envelope(item: bytes, *, max_bytes: int) -> dict[str, Any] | None:
    """The envelope, if it has the shape that kombu gives it (kombu/transport/virtual/base.py, ``prepare_message``).

    Never raises: whatever is amiss, the answer is ``None``.
    """
    if len(item) > max_bytes:
        return None
    try:
        payload = _DECODER.decode(item.decode("utf-8"))
        body, properties, headers = payload["body"], payload["properties"], payload.get("headers")
        encoding = properties.get("body_encoding")
        if encoding == "base64":
            base64.b64decode(body, validate=True)
        else:
            body.encode("utf-8")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    well_formed = (
        isinstance(body, str)
        and isinstance(properties, dict)
        and isinstance(headers, dict | None)
        and encoding in ("base64", None)
        and all(isinstance(payload.get(name), str | None) for name in _TEXT)
    )
    return payload if well_formed else None
