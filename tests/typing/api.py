"""User code that must type-check, with mypy --strict and with pyright: our annotations are what users see."""

from __future__ import annotations

from typing import Any, assert_type

from pydantic import BaseModel

from safecelery import PendingResult, SafeCelery, SafeCelerySettings, SafeTask, TransientError, create_app

app: SafeCelery = create_app("shop", SafeCelerySettings(profile="development"))


class Order(BaseModel):
    number: int


@app.task(time_limit=30, soft_time_limit=25)
def price(order: Order, discount: float = 0.0) -> float:
    return order.number * (1 - discount)


@app.task(bind=True, time_limit=30, soft_time_limit=25)
def fetch(self: SafeTask[..., Any], url: str) -> bytes:
    if self.request.retries > 2:
        raise TransientError(url)
    return url.encode()


class Charge(SafeTask[[int], str]):
    name = "shop.charge"
    time_limit, soft_time_limit = 30, 25

    def run(self, amount: int) -> str:
        return str(amount)


charge: Charge = app.register_task(Charge())

assert_type(price.delay(Order(number=1)), PendingResult[float])
assert_type(price.delay(Order(number=1), discount=0.1).get(timeout=3), float)
assert_type(fetch.delay("https://example.org"), PendingResult[bytes])
assert_type(fetch.apply_async(("https://example.org",), countdown=3), PendingResult[bytes])
assert_type(charge.delay(3).get(), str)
assert_type(price(Order(number=1)), float)
