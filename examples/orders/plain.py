"""The same service on plain Celery, as its documentation shows it: what `safecelery demo --compare` attacks as well.

Do not copy this one.
"""

import os
from typing import Any

from celery import Celery

from orders import work
from orders.models import Line, Order

app = Celery("plain", broker=os.environ["PLAIN_BROKER"], backend=os.environ["PLAIN_BROKER"])
if ca_file := os.environ.get("PLAIN_CA_FILE"):
    tls = {"ssl_ca_certs": ca_file, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
    app.conf.update(broker_use_ssl=tls, redis_backend_use_ssl=tls)
app.conf.update(task_default_queue="orders", broker_connection_retry_on_startup=True)


@app.task(name="orders.validate", pydantic=True)
def validate(order: Order) -> dict[str, Any]:
    """As in `tasks.py`."""
    work.validate(order)
    return order.model_dump(mode="json")


@app.task(name="orders.ship", pydantic=True)
def ship(order: Order) -> str:
    """As in `tasks.py`."""
    return work.ship(order)


@app.task(name="orders.refund")
def refund(order_id: str, cents: int, to: str) -> None:
    """As in `tasks.py`."""
    work.refund(order_id, cents, to)


@app.task(name="orders.price_line", pydantic=True)
def price_line(line: Line) -> int:
    """As in `tasks.py`."""
    return work.price_of(line)


@app.task(name="orders.print_label")
def print_label(order_id: str) -> str:
    """As in `tasks.py`."""
    return work.print_label(order_id)


@app.task(name="orders.count_stock", time_limit=2, soft_time_limit=1)
def count_stock(aisles: int) -> int:
    """As in `tasks.py`."""
    return work.count_stock(aisles)
