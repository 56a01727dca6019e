"""Messages that are due far ahead wait on the broker, not in the memory of a worker.

Celery would take every one of them, keep it until it is due, and raise its prefetch limit for each: a flood of them
fills the memory and, once ``worker_eta_task_limit`` stops that, lets nothing else through.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from celery import Celery

from safecelery.brokers.rabbitmq_park import RabbitMQParking
from safecelery.brokers.undecoded import Undecoded
from safecelery.errors import Rejected
from safecelery.firewall.checks.schedule import moment
from safecelery.message.seal import HEADER
from safecelery.message.stages import AdmittedMessage, RawMessage

__all__ = ["Parking", "due_at"]


class Parking:
    """Parks a worker's messages. Those that return pass the whole firewall again."""

    def __init__(self, app: Celery, ahead_s: float, clock: Callable[[], float] = time.time) -> None:
        """Args:
        ahead_s: what is due further ahead is parked; more than ``UNPARK_AHEAD_S`` of the Redis transport.
        """
        self._ahead_s = ahead_s
        self._rabbitmq = RabbitMQParking(app)
        self._clock = clock

    def park(self, message: Undecoded, raw: RawMessage, admitted: AdmittedMessage) -> bool:
        """Whether the message is parked and settled. What cannot be parked is held by Celery, as ever.

        Raises:
            the transport's connection errors: the message is not settled, and comes again.
        """
        due = due_at(admitted)
        if due is None or due - self._clock() <= self._ahead_s:
            return False
        channel = message.channel
        if (park := getattr(channel, "park", None)) is not None:
            return bool(park(message, due))
        verified = admitted.verified
        if getattr(channel, "parks_by_publishing", False) and verified is not None:
            return self._rabbitmq.park(message, verified, raw.headers[HEADER], due - self._clock())
        return False


def due_at(admitted: AdmittedMessage) -> float | None:
    """When it is due by its signed ETA, in seconds since the epoch; ``None`` if it has none."""
    eta = admitted.claims.hdr.get("eta")
    if eta is None:
        return None
    try:
        return moment(eta, "eta").timestamp()
    except Rejected:
        return None
