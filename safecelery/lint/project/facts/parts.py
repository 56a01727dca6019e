"""Who plays which part: the app that no worker runs, the service that is no broker of these apps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from pathlib import PurePosixPath
from typing import Any

from safecelery.lint.model.reading import plain
from safecelery.lint.project.conf import Configuration
from safecelery.lint.project.objects import App
from safecelery.policy.facts import UNKNOWN, DeployFacts
from safecelery.policy.stock_tls import broker_family

__all__ = ["kinds_of_broker", "only_sends", "serves"]


def only_sends(app: App, apps: Sequence[App], processes: Sequence[DeployFacts]) -> bool:
    """No worker runs the app: each that is seen names, by the last part of its ``-A``, another app's module."""
    modules = [PurePosixPath(each.module.path).stem for each in apps]
    named = [process.app for process in processes if process.role == "worker"]
    told = {name.partition(":")[0].rpartition(".")[2] for name in named if isinstance(name, str)}
    if not named or not all(isinstance(name, str) for name in named) or len(set(modules)) < len(modules):
        return False
    return told <= set(modules) and PurePosixPath(app.module.path).stem not in told


def kinds_of_broker(app: App, conf: Configuration) -> Iterator[Any]:
    """What the app needs: ``"redis"``, ``"amqp"``...; UNKNOWN where an address cannot be read."""
    for name in ("broker_url", "result_backend"):
        value = plain(conf.value(name))
        if value is None and name == "broker_url":
            value = "amqp://"
        if app.safe or (value is not None and not isinstance(value, str)):
            yield UNKNOWN
        elif value:
            family = broker_family(value.partition(":")[0].partition("+")[0])
            # A default of the environment says something only where it is a broker that could be meant.
            yield family if family in ("amqp", "redis") or not conf.value(name).env else UNKNOWN


def serves(process: DeployFacts, kinds: Set[Any]) -> bool:
    """The broker's image is of a kind that some app needs, as far as that can be told; else it is a cache, say."""
    name = process.command.lower()
    if "rabbit" in name:
        kind = "amqp"
    elif any(word in name for word in ("redis", "valkey", "keydb", "dragonfly")):
        kind = "redis"
    else:
        return True
    return not kinds or UNKNOWN in kinds or kind in kinds
