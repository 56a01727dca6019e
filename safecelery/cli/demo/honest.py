"""Honest work: what a shop sends, and what must come of it. A table; each step says what it saw, or raises."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from safecelery.cli.demo.sides import LINE, Side

__all__ = ["STEPS", "HonestStep"]

_WAIT_S = 45.0
ORDER = {"id": "ORD-1", "customer": "ben", "lines": [LINE, {"article": "cup", "count": 1, "price": 900}]}


class NotAsExpected(Exception):
    """Honest work did not do what it should."""


@dataclass(frozen=True, slots=True)
class HonestStep:
    """One kind of work."""

    name: str
    what: str
    do: Callable[[Side], str]


def _expect(found: object, wanted: object) -> None:
    if found != wanted:
        raise NotAsExpected(f"{found!r} instead of {wanted!r}")


def _call(side: Side, task: str, *args: Any) -> Any:
    return side.app.signature(task, args=args)


def _chain(side: Side) -> str:
    from celery import chain

    steps = chain(_call(side, "orders.validate", ORDER), _call(side, "orders.pay"), _call(side, "orders.ship"))
    parcel = steps.apply_async().get(timeout=_WAIT_S)
    _expect(parcel, "parcel-ORD-1")
    for done in ("validated", "paid", "shipped"):
        _expect(side.book.count({"what": done, "order": "ORD-1"}), 1)
    return str(parcel)


def _group(side: Side) -> str:
    from celery import group

    labels = group(_call(side, "orders.print_label", f"ORD-{number}") for number in (1, 2, 3))
    printed = labels.apply_async().get(timeout=_WAIT_S)
    _expect(printed, ["label-ORD-1", "label-ORD-2", "label-ORD-3"])
    return f"{len(printed)} labels"


def _chord(side: Side) -> str:
    from celery import chord

    prices = [_call(side, "orders.price_line", line) for line in ORDER["lines"]]
    total = chord(prices, app=side.app)(_call(side, "orders.total")).get(timeout=_WAIT_S)
    _expect(total, 1900)
    return f"total {total / 100:.2f}"


def _retry(side: Side) -> str:
    answer = _call(side, "orders.ask_carrier", "ORD-1").apply_async().get(timeout=_WAIT_S)
    _expect(answer, "tomorrow")
    _expect(side.book.count({"what": "carrier-asked", "attempts": 3}), 1)
    return f"{answer!r}, at the third attempt"


def _limit(side: Side) -> str:
    result = _call(side, "orders.count_stock", 15).apply_async()
    error = result.get(timeout=_WAIT_S, propagate=False)
    _expect(type(error).__name__, "SoftTimeLimitExceeded")
    _expect(side.book.count({"what": "stock-counted"}), 0)
    return "stopped after 1 s, the task's soft limit"


def _arguments(side: Side) -> str:
    result = _call(side, "orders.print_label", "'; drop table orders").apply_async()
    error = result.get(timeout=_WAIT_S, propagate=False)
    _expect(type(error).__name__, "ArgumentsRejected")
    return "refused by the task's annotations, not retried"


def _beat(side: Side) -> str:
    deadline = time.monotonic() + _WAIT_S
    while not (ticks := side.book.count({"what": "tick"})):
        if time.monotonic() > deadline:
            raise NotAsExpected("no tick arrived")
        time.sleep(0.05)
    return f"{ticks} tick{'s' if ticks > 1 else ''} from a beat process"


STEPS: tuple[HonestStep, ...] = (
    HonestStep("chain", "validate, pay, ship an order", _chain),
    HonestStep("group", "print three labels at once", _group),
    HonestStep("chord", "price each line, add them up", _chord),
    HonestStep("retry", "a carrier that is busy twice", _retry),
    HonestStep("time limit", "a task that takes too long", _limit),
    HonestStep("arguments", "an order id that is none", _arguments),
    HonestStep("beat", "a task every second", _beat),
)
