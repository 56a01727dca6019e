"""What some commands do instead of celery/worker/control.py's: answer without secrets, and fail at once if at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from celery.worker import control
from kombu.entity import Exchange, Queue

from safecelery.runtime.guard import guard_of
from safecelery.runtime.secrets import Secrets

__all__ = ["HANDLERS", "REFUSED"]

logger = logging.getLogger("safecelery")

#: Celery's commands that no grant allows. ``election``: the worker that wins publishes a task nobody signed.
REFUSED: Final = frozenset({"election"})


def report(state: Any) -> Any:
    """``celery inspect report``: the text that people paste into bug reports."""
    secrets = Secrets.of(state.app.conf, guard_of(state.app).settings)
    return secrets.masked(control.report(state))


def conf(state: Any, with_defaults: bool = False) -> Any:
    """``celery inspect conf``: Celery masks some of it (celery/app/utils.py), and the rest is masked here."""
    secrets = Secrets.of(state.app.conf, guard_of(state.app).settings)
    return secrets.masked(control.conf(state, with_defaults=with_defaults))


def add_consumer(
    state: Any,
    queue: str,
    exchange: str | None = None,
    exchange_type: str | None = None,
    routing_key: str | None = None,
    **options: Any,
) -> Any:
    """Read one more queue. It is declared first, on a connection of its own: where the broker knows it otherwise, the
    worker's would break, and again after every reconnect.
    """
    app, consumer = state.app, state.consumer
    if queue == guard_of(app).settings.dead_letter_queue:
        return control.nok("dead letters are not consumed: each would be refused, and kept there again")
    known = app.amqp.queues.get(queue) if queue in app.amqp.queues else None
    wanted = known or Queue(
        queue, Exchange(exchange or queue, type=exchange_type or "direct"), routing_key=routing_key or queue, **options
    )
    with app.connection_for_write() as connection:
        wanted(connection.default_channel).declare()
    _soon(
        consumer,
        "add_consumer",
        consumer.add_task_queue,
        queue,
        exchange,
        exchange_type or "direct",
        routing_key,
        **options,
    )
    return control.ok(f"add consumer {queue}")


def cancel_consumer(state: Any, queue: str) -> Any:
    """Read one queue less."""
    _soon(state.consumer, "cancel_consumer", state.consumer.cancel_task_queue, queue)
    return control.ok(f"no longer consuming from {queue}")


def pool_shrink(state: Any, n: int = 1) -> Any:
    """Take processes away, but never the last one."""
    if state.consumer.pool.num_processes - n < 1:
        return control.nok("the pool keeps at least one process")
    return control.pool_shrink(state, n)


def revoke(state: Any, task_id: Any, terminate: bool = False, signal: str | None = None) -> Any:
    """Skip tasks. With ``--statedb`` they are in its file before this is answered; in a burst, within a second."""
    try:
        return control.revoke(state, task_id, terminate=terminate, signal=signal)
    finally:
        if (kept := getattr(state.consumer.controller, "_persistence", None)) is not None:
            kept.save_soon()


def terminate(state: Any, signal: Any, task_id: Any) -> Any:
    """As :func:`revoke`, and end what runs already."""
    return revoke(state, task_id, terminate=True, signal=signal)


def _soon(consumer: Any, what: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Later, in the worker's loop, where an exception would end it (kombu/asynchronous/hub.py)."""
    lost = (*consumer.connection_errors, *consumer.channel_errors)

    def run() -> None:
        try:
            function(*args, **kwargs)
        except lost:
            raise
        except Exception as error:  # noqa: BLE001
            logger.error("command %s failed with %s", what, type(error).__name__)

    consumer.call_soon(run)


HANDLERS: Final[Mapping[str, Callable[..., Any]]] = {
    "report": report,
    "conf": conf,
    "add_consumer": add_consumer,
    "cancel_consumer": cancel_consumer,
    "pool_shrink": pool_shrink,
    "revoke": revoke,
    "terminate": terminate,
}
