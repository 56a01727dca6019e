"""The live side of the facts: what an app, a call and a task really are, for the policy's rules."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.app.utils import Settings
from kombu.serialization import registry

from safecelery.brokers import broker_for, mask
from safecelery.errors import SettingsError
from safecelery.message.result import SALT
from safecelery.policy.broker import visibility_timeout
from safecelery.policy.facts import ABSENT, UNKNOWN, AppFacts, CallFacts, Place, SettingsFacts, TransportFacts
from safecelery.policy.setting_names import read_as
from safecelery.policy.vocabulary import CALL_OPTIONS, RETRY_OPTIONS, SETTINGS, unknown_call_options
from safecelery.runtime.conf import broker_urls
from safecelery.runtime.database_facts import is_postgresql, postgresql_facts

if TYPE_CHECKING:
    from safecelery.keys.trust import TrustStore
    from safecelery.runtime.guard import Guard

__all__ = [
    "EVERYBODY",
    "app_facts",
    "call_facts",
    "reported",
    "result_facts",
    "setting_names",
    "transport_facts",
    "unknown_settings",
]

#: Result backends that keep nothing on any server.
_NO_RESULTS = ("disabled", "cache+memory")


def app_facts(app: Celery, guard: Guard, *, pool: str | None = None, consumes: bool = False) -> AppFacts:
    """The configuration as it is now, whoever set it."""
    conf = app.conf
    where = Place(f"app {app.main or '__main__'!s}")
    production = guard.settings.profile == "production"
    brokers = tuple(
        transport_facts("broker", url, conf.broker_use_ssl, where, production=production) for url in broker_urls(conf)
    )
    return AppFacts(
        where=where,
        production=production,
        task_serializer=conf.task_serializer,
        result_serializer=conf.result_serializer,
        event_serializer=conf.event_serializer,
        accept_content=frozenset(map(str, conf.accept_content or ())),
        result_accept_content=frozenset(map(str, conf.result_accept_content)) if conf.result_accept_content else None,
        signing=guard.ring.active is not None,
        trusted_keys=None if not consumes and guard.settings.signing.trust_file is None else len(guard.ring.trust.keys),
        brokers=brokers,
        results=result_facts(conf, where, production=production),
        worker_pool=pool or _pool_name(conf.worker_pool),
        task_protocol=conf.task_protocol,
        unknown_settings=unknown_settings(conf),
        report_mode=reported(guard),
    )


#: In report mode by the setting, whoever sends.
EVERYBODY = "every sender"


def reported(guard: Guard, trust: TrustStore | None = None) -> tuple[str, ...]:
    """Whom the firewall of this app's workers does not keep out: everybody, or the owners of some keys.

    Args:
        trust: a store that is to be judged; ``None`` is the one that holds.
    """
    if guard.settings.firewall.mode == "report":
        return (EVERYBODY,)
    keys = (guard.ring.trust if trust is None else trust).keys.values()
    return tuple(sorted({key.owner for key in keys if key.mode == "report"}))


def _pool_name(value: object) -> str:
    return value if isinstance(value, str) else f"{getattr(value, '__module__', '?')}:{value!r}"


def transport_facts(role: Any, url: str, ssl: object, where: Place, *, production: bool) -> TransportFacts:
    """What a connection to this URL with these TLS options really is."""
    scheme = url.partition("://")[0]
    try:
        wire = broker_for(url).wire(url, ssl)
    except SettingsError:
        return TransportFacts(
            role=role, where=where, production=production, url=mask(url), scheme=scheme, tls=UNKNOWN,
            verified=UNKNOWN, host_checked=UNKNOWN, tls_floor=UNKNOWN, local=UNKNOWN, password=UNKNOWN,
        )  # fmt: skip
    return TransportFacts(
        role=role, where=where, production=production, url=mask(url), scheme=scheme, tls=wire.tls,
        verified=wire.verified, host_checked=wire.host_checked, tls_floor=wire.tls_floor, local=wire.local,
        password=wire.password,
    )  # fmt: skip


def result_facts(conf: Settings, where: Place, *, production: bool) -> TransportFacts | None:
    """The connection to the result backend; None if nothing is stored, or it goes by the broker's connection."""
    url = conf.result_backend
    if not url or url.startswith(_NO_RESULTS) or url.startswith("rpc"):  # rpc rides on the broker's connection
        return None
    if url.startswith(("db+sqlite", "sqla+sqlite", "file:", "cache+memory")):
        return TransportFacts(
            role="results", where=where, production=production, url=mask(url), scheme=url.partition(":")[0],
            tls=False, verified=False, host_checked=False, tls_floor=None, local=True, password="none",  # noqa: S106
        )  # fmt: skip
    if is_postgresql(url):
        arguments = (conf.database_engine_options or {}).get("connect_args")
        return postgresql_facts("results", url, where, production=production, arguments=arguments)
    return transport_facts("results", url, conf.redis_backend_use_ssl or None, where, production=production)


def unknown_settings(conf: Settings) -> tuple[str, ...]:
    """Lower-case names that Celery has no setting for; in a namespace, those that carry its prefix.

    The last map is Celery's own defaults; modules given to ``config_from_object`` hold other names too, of
    which only those in the namespace, or (without one) in lower case without an underscore first, are settings.
    """
    prefix = (conf.__dict__["prefix"] or "").rstrip("_")
    found: list[str] = []
    for mapping in conf.maps[:-1]:
        for name in setting_names(mapping):
            if prefix and name.upper().startswith(prefix.upper() + "_"):
                bare = name[len(prefix) + 1 :].lower()
                if read_as(name, prefix) is None and not bare.startswith("safecelery"):
                    found.append(name)
            elif not prefix and name.islower() and not name.startswith("_") and name not in _KNOWN_SETTINGS:
                found.append(name)
    return tuple(dict.fromkeys(found))


#: Names that reach the configuration without being Celery's settings.
_KNOWN_SETTINGS = SETTINGS | {"deprecated_settings", "main"}


def setting_names(mapping: Any) -> Iterable[str]:
    """Of a dict its keys; of a module or object its public attributes that are data."""
    if isinstance(mapping, Mapping):
        return [name for name in mapping if isinstance(name, str)]
    target = getattr(mapping, "obj", mapping)
    return [
        name
        for name in dir(target)
        if not name.startswith("_") and _is_data(getattr(target, name, None)) and not hasattr(type(target), name)
    ]


def _is_data(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float | str | list | tuple | dict | set | frozenset)


_KNOWN_OPTIONS = CALL_OPTIONS | RETRY_OPTIONS | {SALT}


def call_facts(name: str, options: Mapping[str, Any], *, task: Any = None, where: Place) -> CallFacts:
    """What a caller asks for. ``task`` is the registered task, where its code is at hand."""
    granted = getattr(task, "granted_limits", (UNKNOWN, UNKNOWN))
    return CallFacts(
        task=name,
        where=where,
        time_limit=options.get("time_limit", ABSENT),
        soft_time_limit=options.get("soft_time_limit", ABSENT),
        task_time_limit=granted[0],
        task_soft_time_limit=granted[1],
        serializer=_serializer(options),
        retries=options.get("retries", ABSENT),
        unknown_options=unknown_call_options(options, _KNOWN_OPTIONS),
        delay_s=_delay(options),
        expires_s=_expires(options),
        visibility_timeout_s=redelivered_after(task.app.conf) if task is not None else UNKNOWN,
    )


def redelivered_after(conf: Settings) -> object:
    """After how many seconds the broker delivers an unacknowledged message again; ABSENT if it never does."""
    names = ("broker_url", "broker_read_url", "broker_write_url", "broker_transport", "broker_transport_options")
    stated = {name: conf.get(name) for name in names}
    return visibility_timeout(SettingsFacts(app="", where=Place("settings"), production=UNKNOWN, stated=stated))


def _expires(options: Mapping[str, Any]) -> object:
    """Relative to the call only: a retry carries the absolute time of the first call, and may well be too late."""
    expires = options.get("expires")
    return expires if isinstance(expires, int | float) else ABSENT


def _serializer(options: Mapping[str, Any]) -> object:
    given = options.get("serializer")
    return ABSENT if given is None else registry.type_to_name.get(given, given)


def _delay(options: Mapping[str, Any]) -> object:
    countdown, eta = options.get("countdown"), options.get("eta")
    if countdown is not None:
        return countdown
    if isinstance(eta, str):
        eta = datetime.fromisoformat(eta)
    if isinstance(eta, datetime):
        return (eta if eta.tzinfo else eta.replace(tzinfo=UTC)).timestamp() - time.time()
    return ABSENT
