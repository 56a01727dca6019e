"""Values that parsers, comparisons and memories dislike, and changes of trees and bytes that put them there."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

__all__ = ["canvas_signature", "change_bytes", "change_tree", "odd_value"]

_NUMBERS = (
    0, -1, 1, 2**31, -(2**31), 2**53, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 0.1, -0.0, 1e308, 5e-324,
    float("nan"), float("inf"), float("-inf"), True, False,
)  # fmt: skip
_TEXTS = (
    "", " ", "\x00", "null", "true", "0", "\ud800", "\udfff\ud800", "\u202eorders", "orders\u200b", "\uff53ervice.note",
    "service.note\n", "service.\u0000secret", "service.secret", "celery.map", "celery.chord_unlock", "../../etc/passwd",
    "__class__", "__type__", "%s%s%n", "é", "e\u0301", "\U0001f600" * 50, "x" * 5000, "9" * 5000, "*", "service.*",
    "orders", "other", "application/x-python-serialize", "application/x-gzip", "2026-01-01T00:00:00+00:00",
    "9999-12-31T23:59:59-14:00", "base64", "rot13",
)  # fmt: skip


def _nested(random: Random) -> Any:
    value: Any = random.choice([None, 1, "x"])
    for _ in range(random.choice([2, 31, 32, 33, 99, 101, 400])):
        value = [value] if random.random() < 0.5 else {"a": value}
    return value


_CANVAS = ("celery.map", "celery.group", "celery.chain", "celery.chord", "celery.chunks", "celery.starmap")
_OPTIONS = (
    {"queue": "orders"}, {"queue": "other"}, {"time_limit": 5}, {"time_limit": 10**9}, {"retries": -50},
    {"countdown": 1},
    {"headers": {"task": "service.secret"}}, {"serializer": "pickle"}, {"exchange": "x"}, {"routing_key": "other"},
    {"connection": "redis://x"}, {"stamped_headers": ["a"], "a": 1},
)  # fmt: skip


def canvas_signature(random: Random) -> Any:
    """A signature of Celery's canvas, with any task and of any kind."""
    task = random.choice(["service.note", "service.note", "service.add", "service.secret", *_CANVAS, 5])
    kind = task.removeprefix("celery.") if task in _CANVAS and random.random() < 0.8 else None
    if kind is None and random.random() < 0.2:
        kind = random.choice(["chain", "group", "chord", "xmap", "chunks", []])
    return {
        "task": task, "args": [], "kwargs": {}, "options": random.choice([{}, {}, *_OPTIONS]), "immutable": False,
        "subtask_type": kind,
    }  # fmt: skip


_MAKERS: tuple[Callable[[Random], Any], ...] = (
    lambda random: None,
    lambda random: random.choice(_NUMBERS),
    lambda random: random.choice(_TEXTS),
    lambda random: random.choice(_TEXTS),
    lambda random: [],
    lambda random: {},
    lambda random: [random.choice(_TEXTS), random.choice(_NUMBERS)],
    lambda random: {random.choice(_TEXTS): random.choice(_NUMBERS)},
    lambda random: {
        "__type__": random.choice(["datetime", "bytes", "uuid", "nope"]),
        "__value__": random.choice(_TEXTS),
    },
    _nested,
    canvas_signature,
    lambda random: "A" * random.choice([100, 70_000, 1_100_000]) if random.random() < 0.1 else "A",
)


def odd_value(random: Random) -> Any:
    """One of them."""
    return random.choice(_MAKERS)(random)


# Trees ------------------------------------------------------------------------------------------------------------


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container and key in the tree."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        inner = (
            list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
        )
        for key, value in inner:
            found.append((node, key))
            waiting.append(value)
    return found


def _replace(node: Any, key: Any, other: Any, random: Random) -> None:
    node[key] = odd_value(random)


def _delete(node: Any, key: Any, other: Any, random: Random) -> None:
    del node[key]


def _double(node: Any, key: Any, other: Any, random: Random) -> None:
    if isinstance(node, list):
        node[key : key + 1] = [node[key]] * random.choice([2, 3, 50])
    else:
        node[random.choice([f"{key} ", f"{key}".upper(), f"{key}\u200b", f"_{key}", random.choice(_TEXTS)])] = node[key]


def _wrap(node: Any, key: Any, other: Any, random: Random) -> None:
    node[key] = [node[key]] if random.random() < 0.5 else {random.choice(["a", "__value__", "task"]): node[key]}


def _splice(node: Any, key: Any, other: Any, random: Random) -> None:
    """A part of another message's tree."""
    if places := _places(other):
        there, name = random.choice(places)
        node[key] = copy.deepcopy(there[name])


def _add(node: Any, key: Any, other: Any, random: Random) -> None:
    if isinstance(node, dict):
        node[random.choice(_TEXTS)] = odd_value(random)
    else:
        node.insert(key, odd_value(random))


def _rename(node: Any, key: Any, other: Any, random: Random) -> None:
    if isinstance(node, dict):
        node[random.choice([*_TEXTS, *map(str, node)])] = node.pop(key)


def _nudge(node: Any, key: Any, other: Any, random: Random) -> None:
    """A small change of the value there: the kind that slips through comparisons."""
    value = node[key]
    if isinstance(value, bool) or value is None:
        node[key] = random.choice([0, 1, "", "None", not value])
    elif isinstance(value, int | float):
        near = value if abs(value) < 1e300 else 1  # what no float can hold is odd enough
        node[key] = random.choice([value + 1, value - 1, float(near), str(value), -value, near * 10**6])
    elif isinstance(value, str):
        at = random.randrange(len(value) + 1)
        node[key] = value[:at] + random.choice(["", "x", "\u0000", "\u0301", " "]) + value[at + 1 :]
    else:
        _wrap(node, key, other, random)


_CHANGES = (_replace, _replace, _delete, _double, _wrap, _splice, _add, _rename, _nudge, _nudge)


def change_tree(tree: Any, other: Any, random: Random) -> Any:
    """The tree with one thing changed; ``other`` lends parts. The tree itself stays as it was."""
    changed = copy.deepcopy(tree)
    places = _places(changed)
    if not places or random.random() < 0.03:
        return random.choice([odd_value(random), copy.deepcopy(other)])
    node, key = random.choice(places)
    random.choice(_CHANGES)(node, key, other, random)
    return changed


# Bytes ------------------------------------------------------------------------------------------------------------

_BYTES = (b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b".", b"=", b"-",
          b"\n", b"\\ud800", b"NaN", b"1e999", b"null", b"[" * 5000, b"9" * 5000)  # fmt: skip


def change_bytes(data: bytes, other: bytes, random: Random) -> bytes:
    """The bytes with one thing changed; ``other`` lends parts."""
    at = random.randrange(len(data) + 1)
    end = min(len(data), at + random.choice([1, 1, 2, 8, 64, 1000]))
    what = random.randrange(8)
    if what == 0 and at < len(data):
        return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
    if what == 1:
        return data[:at] + data[end:]
    if what == 2:
        return data[:end] + data[at:]
    if what == 3:
        return data[:at] + random.choice(_BYTES) + data[at:]
    if what == 4:
        return data[:at] + random.choice(_BYTES) + data[end:]
    if what == 5:
        start = random.randrange(len(other) + 1)
        return data[:at] + other[start:]
    if what == 6:
        return data[:at]
    return data[:at] + bytes(random.randrange(256) for _ in range(random.choice([1, 4, 16]))) + data[end:]
