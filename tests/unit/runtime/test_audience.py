"""The audience that a producer signs is the one that a consumer of that queue accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kombu import Exchange, Queue
from kombu.common import Broadcast
from kombu.entity import binding
from kombu.transport.native_delayed_delivery import calculate_routing_key

from safecelery.firewall import Binding
from safecelery.firewall.checks.audience import DELAYED_DELIVERY
from safecelery.message.claims import Audience
from safecelery.runtime.bindings import bindings_of
from safecelery.runtime.publish import _audience
from tests.unit.apps import an_app

EXCHANGE_A, EXCHANGE_B = Exchange("a", type="direct"), Exchange("b", type="topic")
ORDERS = Queue("orders", Exchange("shop", type="topic"), routing_key="orders.#")


@pytest.mark.parametrize(
    ("exchange", "key", "declare", "audience"),
    [
        ("", "orders", None, Audience(queue="orders")),
        (None, "orders", [], Audience(queue="orders")),
        (Exchange(""), "orders", None, Audience(queue="orders")),
        (ORDERS.exchange, "orders.new", [ORDERS], Audience(queue="orders")),
        (ORDERS.exchange, "orders.new", [ORDERS.exchange], Audience(exchange="shop", routing_key="orders.new")),
        ("shop", "orders.new", [ORDERS, Queue("copy")], Audience(exchange="shop", routing_key="orders.new")),
        ("shop", None, None, Audience(exchange="shop", routing_key="")),
        (
            Exchange(DELAYED_DELIVERY, type="topic"),
            calculate_routing_key(75, "orders.new"),
            None,
            Audience(exchange=DELAYED_DELIVERY, routing_key="orders.new"),
        ),
    ],
)
def test_the_place_as_published(exchange: Any, key: str | None, declare: Any, audience: Audience) -> None:
    assert _audience(exchange, key, declare) == audience


def test_bindings_come_from_the_apps_own_declarations(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    app.conf.task_queues = (
        ORDERS,
        Queue("plain"),
        Queue("many", bindings=[binding(EXCHANGE_A, "x"), binding(EXCHANGE_B, "y.*")]),
        Broadcast(queue="news-1", exchange=Exchange("news", type="fanout")),
    )
    assert list(bindings_of(app, "orders")) == [Binding("shop", "topic", "orders.#")]
    assert Binding("a", "direct", "x") in bindings_of(app, "many")
    assert Binding("b", "topic", "y.*") in bindings_of(app, "many")
    assert list(bindings_of(app, "news-1")) == [Binding("news", "fanout", "")]
    assert bindings_of(app, "unheard-of") == ()
