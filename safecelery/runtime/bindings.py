"""Why a queue gets messages, from the app's own declarations (never from a message)."""

from __future__ import annotations

from collections.abc import Sequence

from celery import Celery
from kombu.common import Broadcast
from kombu.entity import Queue

from safecelery.firewall import Binding

__all__ = ["bindings_of"]


def bindings_of(app: Celery, queue_name: str) -> Sequence[Binding]:
    """The bindings of one of the app's queues; none for a queue it does not declare."""
    queue: Queue | None = next((q for q in app.amqp.queues.values() if q.name == queue_name), None)
    if queue is None:
        return ()
    bound = [] if queue.exchange is None else [(queue.exchange, queue.routing_key or "")]
    bound += [(entry.exchange, entry.routing_key or "") for entry in queue.bindings or ()]
    if isinstance(queue, Broadcast):
        return tuple(Binding(exchange.name, "fanout", "") for exchange, _ in bound)
    return tuple(Binding(exchange.name or "", exchange.type or "direct", key) for exchange, key in bound)
