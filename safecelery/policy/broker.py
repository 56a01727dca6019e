"""What an app's settings say about its broker: which kind it is, and when it delivers a message again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from safecelery.policy.facts import ABSENT, UNKNOWN, Absent, SettingsFacts, Stated, Unknown

__all__ = ["RABBITMQ", "REDIS", "broker_scheme", "transport_option", "visibility_timeout"]

RABBITMQ: Final = frozenset({"amqp", "amqps", "pyamqp", "librabbitmq", "qpid"})
REDIS: Final = frozenset({"redis", "rediss", "redis+socket", "sentinel", "valkey", "valkeys"})

_VISIBILITY_DEFAULT: Final[Mapping[str, int]] = {**dict.fromkeys(REDIS, 3600), "sqs": 1800, "pgmq": 1800}
"""Seconds; kombu/transport/redis.py, ``Channel.visibility_timeout``; kombu/transport/SQS and pgmq.py,
``default_visibility_timeout``."""


def broker_scheme(settings: SettingsFacts) -> str | Unknown:
    """``"amqps"``: of ``broker_url`` (the first, if it lists several), else ``broker_transport``, else Celery's
    default, which is ``amqp`` (kombu/connection.py)."""
    for name in ("broker_url", "broker_read_url", "broker_write_url", "broker_transport"):
        value = settings.value(name)
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, list | tuple) and value:
            value = value[0]
        if isinstance(value, str) and value:
            return value.partition("://")[0].lower() if "://" in value or name == "broker_transport" else UNKNOWN
        if value not in (None, ""):
            return UNKNOWN
    return "amqp"


def transport_option(settings: SettingsFacts, name: str) -> Stated:
    """One of ``broker_transport_options``; ABSENT where it is not given, UNKNOWN where that cannot be read."""
    options = settings.value("broker_transport_options")
    if options is None:
        return ABSENT
    return options.get(name, ABSENT) if isinstance(options, Mapping) else UNKNOWN


def visibility_timeout(settings: SettingsFacts) -> Stated | Absent:
    """After how many seconds the broker takes an unacknowledged message for lost and delivers it again.

    ABSENT for a broker that waits as long as the connection lives (RabbitMQ). As written, where it is stated.
    """
    scheme = broker_scheme(settings)
    if scheme is UNKNOWN:
        return UNKNOWN
    if scheme not in _VISIBILITY_DEFAULT:
        return ABSENT
    stated = transport_option(settings, "visibility_timeout")
    return _VISIBILITY_DEFAULT[scheme] if stated is ABSENT else stated
