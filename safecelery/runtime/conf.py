"""Celery's configuration as a hardened app fills it in, and a way to notice later changes."""

from __future__ import annotations

from typing import Any

from celery.app.utils import Settings

from safecelery.brokers import Tls, broker_for
from safecelery.errors import SettingsError
from safecelery.policy.defaults import SAFE_SETTINGS
from safecelery.policy.limits import Limits
from safecelery.settings import SafeCelerySettings

__all__ = ["VersionedDict", "broker_urls", "configure"]

DEFAULTS: dict[str, Any] = dict(SAFE_SETTINGS)


class VersionedDict(dict[str, Any]):
    """A dict whose ``version`` grows with every change, so that nobody needs to compare its values."""

    version = 0

    def _changing(name: str) -> Any:  # type: ignore[misc]  # noqa: N805  # a maker of methods, gone after the class body
        original = getattr(dict, name)

        def method(self: VersionedDict, *args: Any, **kwargs: Any) -> Any:
            self.version += 1
            return original(self, *args, **kwargs)

        method.__name__ = name
        return method

    __setitem__ = _changing("__setitem__")
    __delitem__ = _changing("__delitem__")
    __ior__ = _changing("__ior__")
    update = _changing("update")
    pop = _changing("pop")
    popitem = _changing("popitem")
    clear = _changing("clear")
    setdefault = _changing("setdefault")

    del _changing


def broker_urls(conf: Settings) -> tuple[str, ...]:
    """Every broker this configuration can talk to: the failover list, and separate read and write URLs."""
    found: list[str] = []
    for value in (conf.broker_url, conf.broker_read_url, conf.broker_write_url):
        for url in value.split(";") if isinstance(value, str) else value or ():
            if url not in found:
                found.append(url)
    return tuple(found)


def configure(conf: Settings, settings: SafeCelerySettings, limits: Limits) -> VersionedDict:
    """Fill in defaults below the project's own settings, and settings of safecelery above them.

    Returns the dictionary that takes every later change.
    """
    changes = VersionedDict(conf.changes)
    _replace_changes(conf, changes)
    tls = Tls(settings.broker.ca_file, settings.broker.cert_file, settings.broker.key_file, settings.broker.tls_floor)
    if settings.broker.url:
        changes["broker_url"] = ";".join(settings.broker_urls)
    if settings.results.url is not None:
        changes["result_backend"] = settings.results.url.get_secret_value()
    elif not conf.result_backend:
        changes["result_backend"] = "disabled://"
    defaults = {
        **DEFAULTS,
        "task_default_queue": settings.default_queue,
        "result_expires": settings.results.expires,
    }
    _fill_in(conf, defaults)
    _configure_broker(conf, changes, tls, limits)
    result_tls = Tls(settings.results.ca_file, settings.results.cert_file, settings.results.key_file, tls.floor)
    if str(conf.result_backend).startswith("rediss:") and not conf.redis_backend_use_ssl:
        changes["redis_backend_use_ssl"] = broker_for("rediss://").ssl_options(result_tls.or_else(tls))
    return changes


def _configure_broker(conf: Settings, changes: VersionedDict, tls: Tls, limits: Limits) -> None:
    kinds = {broker_for(url).name: broker_for(url) for url in broker_urls(conf)}
    if not kinds:
        raise SettingsError(
            "no broker: set SAFECELERY_BROKER__URL to a rediss:// or amqps:// URL (or the project's broker_url); "
            "SAFECELERY_PROFILE=development starts one by itself"
        )
    if len(kinds) > 1:
        raise SettingsError(
            f"brokers of {len(kinds)} kinds in one app ({', '.join(sorted(kinds))}); "
            "a failover list names members of one kind, since their TLS options are shared"
        )
    (broker,) = kinds.values()
    _fill_in(conf, broker.settings(limits))
    encrypted = all(url.startswith(("rediss:", "amqps:")) for url in broker_urls(conf))
    if encrypted and not conf.broker_use_ssl:
        changes["broker_use_ssl"] = broker.ssl_options(tls)


def _fill_in(conf: Settings, values: dict[str, Any]) -> None:
    """Just above Celery's own defaults: below ``changes``, the project's objects and Django's settings."""
    conf.__dict__["maps"].insert(-1, values)
    conf.__dict__["defaults"].insert(-1, values)


def _replace_changes(conf: Settings, changes: VersionedDict) -> None:
    conf.__dict__["changes"] = changes
    conf.__dict__["maps"][0] = changes
