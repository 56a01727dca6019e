"""``app.amqp`` of a hardened app: our connection, producer and consumer, all bound to the app's guard."""

from __future__ import annotations

import inspect
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP

from safecelery.brokers.bounds import Bounds
from safecelery.brokers.connection import SafeConnection
from safecelery.errors import SealError
from safecelery.runtime.consume import QueueAwareConsumer
from safecelery.runtime.encrypting import must_encrypt
from safecelery.runtime.guard import guard_of
from safecelery.runtime.hidden import HIDDEN
from safecelery.runtime.publish import SafeProducer, SafeProducerPool

__all__ = ["SafeAMQP"]


#: Of ``AMQP.as_task_v2``, behind task id, name and arguments: Celery gives them by position.
_PARAMETERS = tuple(inspect.signature(AMQP.as_task_v2).parameters)[5:]


class SafeAMQP(AMQP):
    """Set as ``Celery.amqp_cls``."""

    Consumer = QueueAwareConsumer

    _producer_pool: SafeProducerPool | None = None

    def __init__(self, app: Celery) -> None:
        super().__init__(app)
        guard = guard_of(app)
        bounds = Bounds.of(guard.policy.limits, guard.settings.dead_letter_queue)
        self.Connection = self.BrokerConnection = type("SafeConnection", (SafeConnection,), {"bounds": bounds})
        self.Producer = type("SafeProducer", (SafeProducer,), {"guard": guard})

    @property
    def producer_pool(self) -> SafeProducerPool:
        """Producers over the app's connection pool."""
        if self._producer_pool is None:
            self._producer_pool = SafeProducerPool(self.app.pool, limit=self.app.pool.limit, Producer=self.Producer)
        return self._producer_pool

    publisher_pool = producer_pool

    def as_task_v2(
        self, task_id: str, name: str, args: Any = None, kwargs: Any = None, *more: Any, **options: Any
    ) -> Any:
        """As Celery's; of an encrypted message neither headers nor the event ``task-sent`` show the arguments."""
        given = {**dict(zip(_PARAMETERS, more, strict=False)), **options}
        embed = {part: given.get(part) for part in ("callbacks", "errbacks", "chain", "chord")}
        if must_encrypt(guard_of(self.app).cipher, name, task_id, args, kwargs, embed):
            given |= {"argsrepr": HIDDEN, "kwargsrepr": HIDDEN}
        return super().as_task_v2(task_id, name, args, kwargs, **given)

    def _create_task_sender(self) -> Any:
        send = super()._create_task_sender()

        def send_task_message(producer: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            if not isinstance(producer, SafeProducer):
                raise SealError(
                    f"task {name!r}: {type(producer).__name__} would send it unsigned; nothing was sent. "
                    "Leave `producer=` out, or make one with app.amqp.Producer(connection)"
                )
            return send(producer, name, *args, **kwargs)

        return send_task_message
