"""The service's tasks. What is not written here is on by itself: late acknowledgement, retries with backoff, JSON."""

from typing import Any

from orders import book, work
from orders.app import app
from orders.models import Cents, Line, Order, OrderId
from safecelery import SafeTask, TransientError


@app.task(name="orders.validate", time_limit=10, soft_time_limit=8)
def validate(order: Order) -> dict[str, Any]:
    """First of the chain; each step hands the order on."""
    work.validate(order)
    return order.model_dump(mode="json")


@app.task(name="orders.pay", time_limit=20, soft_time_limit=15)
def pay(order: Order) -> dict[str, Any]:
    """Second of the chain."""
    work.pay(order)
    return order.model_dump(mode="json")


@app.task(name="orders.ship", time_limit=20, soft_time_limit=15)
def ship(order: Order) -> str:
    """Last of the chain: the parcel's number."""
    return work.ship(order)


@app.task(name="orders.refund", time_limit=20, soft_time_limit=15)
def refund(order_id: OrderId, cents: Cents, to: str) -> None:
    """Give money back."""
    work.refund(order_id, cents, to)


@app.task(name="orders.price_line", time_limit=5, soft_time_limit=4)
def price_line(line: Line) -> int:
    """One member of a chord."""
    return work.price_of(line)


@app.task(name="orders.total", time_limit=5, soft_time_limit=4)
def total(prices: list[int]) -> int:
    """The chord's end: the sum of all lines, in cents."""
    return sum(prices)


@app.task(name="orders.print_label", time_limit=5, soft_time_limit=4)
def print_label(order_id: OrderId) -> str:
    """One member of a group."""
    return work.print_label(order_id)


@app.task(name="orders.count_stock", time_limit=2, soft_time_limit=1)
def count_stock(aisles: int) -> int:
    """Ten aisles are too many: the soft limit ends it after one second, whatever a caller asks for."""
    return work.count_stock(aisles)


@app.task(name="orders.ask_carrier", bind=True, time_limit=10, soft_time_limit=8, retry_backoff_max=1)
def ask_carrier(self: SafeTask[..., Any], order_id: OrderId) -> str:
    """The carrier answers at the third attempt; TransientError is retried with backoff and jitter by itself."""
    if self.request.retries < 2:
        raise TransientError("the carrier's line is busy")
    book.enter("carrier-asked", order=order_id, attempts=self.request.retries + 1)
    return "tomorrow"


@app.task(name="orders.tick", time_limit=5, soft_time_limit=4)
def tick() -> None:
    """Sent by beat."""
    book.enter("tick")
