"""The attacks: a table of what is sent, what would show in the book if it worked, and what should happen instead."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from safecelery.cli.demo.wire import QUEUE, Item, new_task
from safecelery.errors import Reason
from safecelery.keys.private import PrivateKey

__all__ = ["ATTACKS", "BOMB_MIB", "Attack", "Harmless", "Loot"]

BOMB_MIB = 64
_PRICE = 99_999


@dataclass(frozen=True, slots=True)
class Loot:
    """What the attacker has: copies of three honest messages, and keys (none against plain Celery)."""

    validate: Item
    """``orders.validate`` of an order that is not paid."""
    refund: Item
    """``orders.refund`` of 5.00 to ann."""
    count: Item
    """``orders.count_stock`` of fifteen aisles: its soft limit of one second stops it after ten."""
    keys: Mapping[str, PrivateKey] | None = None

    def sign(self, item: Item, owner: str) -> Item:
        """Signed by a key in the attacker's hands, where messages are signed at all."""
        return item if self.keys is None else item.signed(self.keys[owner])

    def caught(self, item: Item) -> Item:
        """The same message sent by the shop once more, taken out of the queue before a worker had it."""
        return self.sign(item, "shop")

    def pose(self, item: Item, owner: str, *, as_: str) -> Item:
        """Signed by one key under the other one's id."""
        return item if self.keys is None else item.signed(replace(self.keys[owner], kid=self.keys[as_].kid))


@dataclass(frozen=True, slots=True)
class Harmless:
    """The message runs as its sender signed it; what was changed had no effect."""

    status: str
    """State of the task, or type of its exception, in the result backend."""
    means: str


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack."""

    name: str
    sent: str
    forge: Callable[[Loot], Item | bytes]
    trace: Mapping[str, Any] | None
    """Members of a line in the book that only this attack can have made."""
    expected: Reason | Harmless
    queue: str = QUEUE
    patience_s: float = 0.4
    """How long a worker may need to leave the trace, from the moment of the attack."""


def _refund(to: str, **headers: Any) -> Item:
    return new_task("orders.refund", "ORD-1", _PRICE, to, **headers)


def _stolen(to: str) -> dict[str, Any]:
    return {"what": "refunded", "to": to}


class _Exploit:
    """Unpickled, it runs code in whichever process does so, task or no task."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("from orders import book; book.enter('refunded', to='m-pickle')",)


def _pickled(loot: Loot) -> Item:
    item = new_task("orders.print_label")
    data = pickle.dumps(([_Exploit()], {}, {}))
    return loot.sign(replace(item, body=data, content_type="application/x-python-serialize"), "intern")


def _callback(loot: Loot) -> Item:
    link: dict[str, Any] = {
        "task": "orders.refund", "args": ["ORD-1", _PRICE, "m-callback"], "kwargs": {}, "options": {},
        "subtask_type": None, "immutable": True,
    }  # fmt: skip
    return loot.sign(new_task("orders.print_label", "ORD-1", embed={"callbacks": [link]}), "intern")


def _bomb(loot: Loot) -> Item:
    shell = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS)
    mebibyte = b"A" * (1 << 20)
    parts = [b'[["BOMB-1"], {}, {"padding": "', *[mebibyte] * BOMB_MIB, b'"}]']
    body = b"".join([*map(shell.compress, parts), shell.flush()])
    headers = new_task("orders.print_label").headers
    return loot.sign(Item(body, {**headers, "compression": "application/x-gzip"}), "intern")


_OUT_OF_TIME = Harmless("SoftTimeLimitExceeded", "stopped after 1 s")

ATTACKS: tuple[Attack, ...] = (
    Attack(
        "unsigned", "a refund to mallory, no signature",
        lambda loot: _refund("m-unsigned"), _stolen("m-unsigned"), Reason.ENVELOPE_MISSING,
    ),
    Attack(
        "unknown key", "a refund, signed with a key of mallory's own",
        lambda loot: loot.sign(_refund("m-own-key"), "mallory"), _stolen("m-own-key"), Reason.KEY_UNKNOWN,
    ),
    Attack(
        "forged key", "the same under the shop's key id",
        lambda loot: loot.pose(_refund("m-posing"), "mallory", as_="shop"),
        _stolen("m-posing"), Reason.SIGNATURE_INVALID,
    ),
    Attack(
        "replay", "the shop's refund, copied while it waited",
        lambda loot: loot.refund, _stolen("ann"), Reason.REPLAYED,
    ),
    Attack(
        "task swapped outside", "the shop's validate, header task = ship",
        lambda loot: loot.caught(loot.validate).with_headers(task="orders.ship"),
        {"what": "shipped", "order": "ORD-7"}, Harmless("SUCCESS", "ran as signed"),
    ),
    Attack(
        "task swapped inside", "the same in the signed claims",
        lambda loot: loot.validate.with_claims(task="orders.ship"),
        {"what": "shipped", "order": "ORD-7"}, Reason.SIGNATURE_INVALID,
    ),
    Attack(
        "arguments changed", "the shop's refund, now 999.99 to mallory",
        lambda loot: loot.refund.with_arguments("ORD-7", _PRICE, "m-arguments"),
        _stolen("m-arguments"), Reason.SIGNATURE_INVALID,
    ),
    Attack(
        "limit raised outside", "a task limited to 1 s, header timelimit = 600",
        lambda loot: loot.caught(loot.count).with_headers(timelimit=[600, 600]),
        {"what": "stock-counted"}, _OUT_OF_TIME, patience_s=2.5,
    ),
    Attack(
        "limit raised inside", "the same in the signed claims",
        lambda loot: loot.count.with_claims(timelimit=[600, 600]),
        {"what": "stock-counted"}, Reason.SIGNATURE_INVALID, patience_s=2.5,
    ),
    Attack(
        "limit raised, signed", "the same, signed by the shop itself",
        lambda loot: loot.sign(new_task("orders.count_stock", 15, timelimit=[600, 600]), "shop"),
        {"what": "stock-counted"}, _OUT_OF_TIME, patience_s=2.5,
    ),
    Attack(
        "other queue", "the shop's refund, copied to queue returns",
        lambda loot: loot.caught(_refund("bob")), _stolen("bob"), Reason.AUDIENCE_MISMATCH, queue="returns",
    ),
    Attack(
        "task not granted", "a refund, signed by the intern",
        lambda loot: loot.sign(_refund("m-intern"), "intern"), _stolen("m-intern"), Reason.TASK_NOT_GRANTED,
    ),
    Attack(
        "callback not granted", "the intern's label with a refund as callback",
        _callback, _stolen("m-callback"), Reason.CANVAS_NOT_GRANTED,
    ),
    Attack(
        "pickle", "code in a pickle, signed by the intern",
        _pickled, _stolen("m-pickle"), Reason.CONTENT_DISALLOWED,
    ),
    Attack(
        "compression bomb", f"{BOMB_MIB} MiB in 64 KiB, signed by the intern",
        _bomb, {"what": "label", "order": "BOMB-1"}, Reason.TOO_LARGE, patience_s=6.0,
    ),
    Attack(
        "poison header", "a refund whose id is a list",
        lambda loot: _refund("m-poison", id=["x"]), _stolen("m-poison"), Reason.ENVELOPE_MISSING,
    ),
    Attack(
        "garbage", "bytes that are no message at all",
        lambda loot: b"\x00\xff\xfe not a message \x80", None, Reason.ENVELOPE_MISSING,
    ),
)  # fmt: skip
