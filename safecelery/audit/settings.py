"""The configuration of a live app, as facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from importlib.metadata import distributions
from typing import Any, Final

import celery
from celery import Celery

from safecelery.audit.places import setting_place
from safecelery.audit.secrets import without_secrets
from safecelery.policy.facts import (
    ABSENT,
    UNKNOWN,
    AppFacts,
    PackageFacts,
    Place,
    SettingsFacts,
    TaskFacts,
    TransportFacts,
    Unknown,
)
from safecelery.policy.setting_names import is_stray, read_as
from safecelery.policy.stock_tls import stock_transport
from safecelery.policy.vocabulary import SETTINGS
from safecelery.runtime.conf import broker_urls
from safecelery.runtime.facts import app_facts as hardened_app_facts
from safecelery.runtime.facts import setting_names, unknown_settings

__all__ = ["app_facts", "app_name", "package_facts", "settings_facts", "stated_settings", "version_of"]

_SPOKEN_FOR: Final = ("broker_url", "broker_read_url", "broker_write_url", "result_backend")
"""Settings that an environment variable of the same name in upper case with CELERY_ overrides (celery/app/utils.py)."""


def app_name(app: Celery) -> str:
    """The name it was made with."""
    return str(app.main or "__main__")


def app_facts(app: Celery, where: Place) -> AppFacts:
    """Of a hardened app what its own gate sees; of a plain one the same, with nothing signed."""
    guard = getattr(app, "guard", None)
    if guard is not None:
        return hardened_app_facts(app, guard)
    conf = app.conf
    accepted = conf.result_accept_content
    return AppFacts(
        where=where,
        production=True,  # an audit judges a configuration as one that is going to be used
        task_serializer=conf.task_serializer,
        result_serializer=conf.result_serializer,
        event_serializer=conf.event_serializer,
        accept_content=_contents(conf.accept_content),
        result_accept_content=_contents(accepted) if accepted else None,
        signing=False,
        trusted_keys=None,
        brokers=tuple(stock_transport("broker", url, conf.broker_use_ssl, where, True) for url in broker_urls(conf)),
        results=_results(app, where),
        worker_pool=conf.worker_pool if isinstance(conf.worker_pool, str) else UNKNOWN,
        task_protocol=conf.task_protocol,
        unknown_settings=unknown_settings(conf),
        report_mode=(),  # there is no firewall; signing-off speaks of that
    )


def settings_facts(app: Celery, where: Place, tasks: Sequence[TaskFacts]) -> SettingsFacts:
    """Every setting that somebody stated, with the line that seems to state it."""
    stated = stated_settings(app)
    guard = getattr(app, "guard", None)
    namespace = (app.conf.__dict__["prefix"] or "").rstrip("_") or None
    names = dict.fromkeys(name for mapping in app.conf.maps[:-1] for name in setting_names(mapping))
    late = [task for task in tasks if task.acks_late is True]
    return SettingsFacts(
        app=app_name(app),
        where=where,
        production=guard is None or guard.settings.profile == "production",
        stated=stated,
        places={name: setting_place(app, name, where) for name in stated},
        celery=version_of(celery.__version__),
        tasks=len(tasks),
        signing=guard is not None and guard.ring.active is not None,
        names=tuple(name for name in names if read_as(name, namespace)),
        beside=tuple(setting_names(app.conf.maps[0])),
        namespace=namespace,
        strays=tuple(name for name in names if is_stray(name, namespace)),
        longest_limit_s=_longest(late),
    )


def _longest(late: Sequence[TaskFacts]) -> object:
    limits = [task.time_limit for task in late]
    if not limits:
        return ABSENT
    numbers = [value for value in limits if isinstance(value, int | float)]
    return max(numbers) if len(numbers) == len(limits) else None


def stated_settings(app: Celery) -> Mapping[str, object]:
    """By lower-case name, whatever name and map it came from; durations in seconds, secrets masked."""
    conf = app.conf
    found = {}
    for name in sorted(SETTINGS):
        if conf.value_set_for(name):
            value = getattr(conf, name) if name in _SPOKEN_FOR else conf[name]
            found[name] = value.total_seconds() if isinstance(value, timedelta) else without_secrets(name, value)
    return found


def package_facts(where: Place) -> Iterator[PackageFacts]:
    """What is installed beside the app."""
    seen = set()
    for distribution in distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-").replace(".", "-")
        if name and name not in seen:
            seen.add(name)
            version = distribution.version
            yield PackageFacts(name=name, where=where, version=version_of(version), specifier=f"=={version}")


def version_of(text: str) -> tuple[int, ...] | Unknown:
    """``(5, 7, 0)`` of ``5.7.0`` and of ``5.7.0rc1``; UNKNOWN if it begins with no number."""
    parts: list[int] = []
    for part in text.partition("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        parts.append(int(digits))
        if digits != part:
            break
    return tuple(parts) or UNKNOWN


def _results(app: Celery, where: Place) -> TransportFacts | None:
    """None if nothing is stored, or results ride on the broker's connection."""
    url = app.conf.result_backend
    if not isinstance(url, str) or url.startswith(("disabled", "rpc", "cache+memory")):
        return None
    return stock_transport("results", url, app.conf.redis_backend_use_ssl, where, True)


def _contents(value: Any) -> frozenset[str]:
    return frozenset(map(str, (value,) if isinstance(value, str) else value or ()))
