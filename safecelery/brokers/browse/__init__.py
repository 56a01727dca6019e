"""Browsing queues: a table of what can. A new broker is a module beside this and a line in ``BROWSERS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from safecelery.brokers.browse.interface import Browser, Found
from safecelery.brokers.browse.rabbitmq import RabbitMQBrowser
from safecelery.brokers.browse.redis import RedisBrowser

__all__ = ["BROWSERS", "Browser", "Found"]

#: Name of the broker -> its browser, made of a kombu channel and a queue's name.
BROWSERS: Mapping[str, Callable[[Any, str], Browser]] = {"redis": RedisBrowser, "rabbitmq": RabbitMQBrowser}
