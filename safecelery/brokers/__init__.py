"""What differs between brokers. A new one is a module beside this and a line in ``BROKERS``."""

from __future__ import annotations

from safecelery.brokers.interface import Broker, Tls, Wire, mask
from safecelery.brokers.memory import MemoryBroker
from safecelery.brokers.rabbitmq import RabbitMQBroker
from safecelery.brokers.redis import RedisBroker
from safecelery.errors import SettingsError

__all__ = ["BROKERS", "Broker", "Tls", "Wire", "broker_for", "mask"]

BROKERS: tuple[Broker, ...] = (RedisBroker(), RabbitMQBroker(), MemoryBroker())


def broker_for(url: str) -> Broker:
    """The kind of broker that this URL speaks to.

    Raises:
        SettingsError: the scheme is none of ``BROKERS``: nothing is known of how it verifies its peer.
    """
    scheme = url.partition("://")[0].partition("+")[0]
    for broker in BROKERS:
        if scheme in broker.transports:
            return broker
    known = sorted(scheme for broker in BROKERS for scheme in broker.transports)
    raise SettingsError(f"broker URL {mask(url)!r}: scheme {scheme!r} is not supported; use one of {', '.join(known)}")
