"""How rules read the settings of an app: one by name, one key of a mapping, the URLs. Any value gives an answer."""

from __future__ import annotations

from collections.abc import Mapping

from safecelery.policy.facts import ABSENT, UNKNOWN, SettingsFacts, Stated, Unknown
from safecelery.policy.stock_tls import broker_family, url_parts

__all__ = ["broker_urls", "families", "key_of", "result_store", "setting", "stated"]

_BROKER_SETTINGS = ("broker_url", "broker_read_url", "broker_write_url")


def setting(facts: SettingsFacts, name: str) -> Stated:
    """The setting as it will be used; UNKNOWN also for a name that Celery does not know."""
    try:
        value = facts.value(name)
    except KeyError:
        return UNKNOWN
    return UNKNOWN if value is ABSENT else value


def stated(facts: SettingsFacts, name: str) -> Stated:
    """What somebody wrote; ABSENT if nobody did, UNKNOWN if that cannot be told either."""
    if name in facts.stated:
        return facts.stated[name]
    return ABSENT if facts.complete else UNKNOWN


def key_of(value: Stated, key: str) -> Stated:
    """One key of a mapping; ABSENT where the mapping has none or nobody stated one."""
    if value is UNKNOWN:
        return UNKNOWN
    return value.get(key, ABSENT) if isinstance(value, Mapping) else ABSENT


def broker_urls(facts: SettingsFacts) -> tuple[str, ...] | Unknown:
    """Every broker the app may talk to, failover members one by one; UNKNOWN if one of them cannot be read."""
    found: list[str] = []
    for name in _BROKER_SETTINGS:
        value = setting(facts, name)
        if value is UNKNOWN:
            return UNKNOWN
        members = value.split(";") if isinstance(value, str) else value if isinstance(value, list | tuple) else ()
        for member in members:
            if not isinstance(member, str):
                return UNKNOWN
            if member and member not in found:
                found.append(member)
    return tuple(found)


def families(facts: SettingsFacts) -> frozenset[str] | Unknown:
    """The kinds of broker in use (:func:`safecelery.policy.stock_tls.broker_family`); without a URL, AMQP.

    Without a broker Celery takes ``broker_transport``, and without that ``amqp://guest@localhost``.
    """
    urls = broker_urls(facts)
    if urls is UNKNOWN:
        return UNKNOWN
    if not urls:
        transport = setting(facts, "broker_transport")
        if transport is UNKNOWN:
            return UNKNOWN
        return frozenset({broker_family(transport) if isinstance(transport, str) else "amqp"})
    return frozenset(broker_family(url_parts(url)[0] or url) for url in urls)


def result_store(facts: SettingsFacts) -> str | Unknown | None:
    """The scheme of the result backend in lower case (``redis``, ``db+postgresql``, ``django-db``); None if there is
    none (celery/app/backends.py, ``by_name``: unset means ``disabled``)."""
    value = setting(facts, "result_backend")
    if value is UNKNOWN:
        return UNKNOWN
    if not isinstance(value, str) or not value:
        return None if not value else UNKNOWN
    scheme = url_parts(value)[0] if "://" in value else value.lower()
    scheme = scheme.rstrip(":/")
    return None if scheme == "disabled" else scheme
