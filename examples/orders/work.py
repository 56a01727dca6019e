"""What the service does, as plain functions: nothing here knows of Celery."""

import time

from orders import book
from orders.models import Line, Order


class SoldOutError(Exception):
    """An article is not in stock. Trying again does not help."""


def validate(order: Order) -> None:
    """Raises SoldOutError for an article that we do not have."""
    for line in order.lines:
        if line.article == "unicorn":
            raise SoldOutError(line.article)
    book.enter("validated", order=order.id)


def pay(order: Order) -> None:
    """Charge the customer."""
    book.enter("paid", order=order.id, customer=order.customer, cents=order.total)


def ship(order: Order) -> str:
    """Hand the parcel over and give its number."""
    book.enter("shipped", order=order.id, customer=order.customer)
    return f"parcel-{order.id}"


def refund(order_id: str, cents: int, to: str) -> None:
    """Give money back: what an attacker would like to reach."""
    book.enter("refunded", order=order_id, cents=cents, to=to)


def price_of(line: Line) -> int:
    """Of one order line, in cents."""
    return line.count * line.price


def print_label(order_id: str) -> str:
    """Of a parcel."""
    book.enter("label", order=order_id)
    return f"label-{order_id}"


def count_stock(aisles: int) -> int:
    """Walk along the shelves, a tenth of a second each; nothing is entered before the last one."""
    for _ in range(aisles):
        time.sleep(0.1)
    book.enter("stock-counted", aisles=aisles)
    return aisles
