"""9xx, names in the configuration: those that Celery refuses, will refuse, or never reads."""

from __future__ import annotations

from collections.abc import Mapping

from safecelery.errors import did_you_mean, nearest
from safecelery.policy.broker import REDIS, broker_scheme
from safecelery.policy.facts import UNKNOWN, SettingsFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import first_unknown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.rules.annotations import annotated
from safecelery.policy.setting_names import OLD_NAMES, advice, mixed
from safecelery.policy.vocabulary import TASK_OPTIONS

__all__ = ["RULES"]


def _not_mixed(settings: SettingsFacts, _: Limits) -> Verdict:
    if settings.names is UNKNOWN or settings.namespace is UNKNOWN:
        return unreadable("the names of the settings")
    found = mixed(tuple(name for name in settings.names if name not in settings.beside), settings.namespace)
    return Fail(", ".join(f"{name} (write {other})" for name, other in found)) if found else PASS


def _not_old(settings: SettingsFacts, _: Limits) -> Verdict:
    names, namespace = settings.names, settings.namespace
    if names is UNKNOWN or namespace is UNKNOWN:
        return unreadable("the names of the settings")
    # CELERY_RESULT_BACKEND is an old name and, in the namespace CELERY, today's.
    old = [n for n in names if n in OLD_NAMES and advice(n, namespace) != f"write {n}" and not _today(n, namespace)]
    return Fail(", ".join(f"{name} ({advice(name, namespace)})" for name in old)) if old else PASS


def _today(name: str, namespace: str | None) -> bool:
    if not namespace:
        return False
    prefix = namespace.rstrip("_") + "_"
    return name.startswith(prefix) and name[len(prefix) :].lower() == OLD_NAMES.get(name)


def _none_stray(settings: SettingsFacts, _: Limits) -> Verdict:
    if settings.strays is UNKNOWN:
        return unreadable("the names beside the settings")
    if not settings.strays:
        return PASS
    namespace = settings.namespace if isinstance(settings.namespace, str) else None
    told = ((name, advice(name, namespace)) for name in settings.strays)
    return Fail(", ".join(f"{name} ({hint})" if hint else name for name, hint in told))


def _annotations_known(settings: SettingsFacts, _: Limits) -> Verdict:
    if settings.value("task_annotations") is UNKNOWN:
        return unreadable("task_annotations")
    # "@for_each" wraps a method; a name in capitals or with an underscore first is the task class's own business.
    strange = [
        f"{option!r}{did_you_mean(option, TASK_OPTIONS)} for {pattern!r}"
        for pattern, option, _value in annotated(settings)
        if option not in TASK_OPTIONS and not option.startswith(("@", "_"))
    ]
    return Fail(", ".join(strange)) if strange else PASS


_REDIS_OPTIONS = frozenset(
    [
        "ack_emulation",
        "body_encoding",
        "client_name",
        "credential_provider",
        "deadletter_queue",
        "fanout_patterns",
        "fanout_prefix",
        "global_keyprefix",
        "health_check_interval",
        "master_name",
        "max_connections",
        "polling_interval",
        "priority_steps",
        "queue_order_strategy",
        "retry_on_timeout",
        "sentinel_kwargs",
        "sep",
        "socket_connect_timeout",
        "socket_keepalive",
        "socket_keepalive_options",
        "socket_timeout",
        "unacked_index_key",
        "unacked_key",
        "unacked_mutex_expire",
        "unacked_mutex_key",
        "unacked_restore_interval",
        "unacked_restore_limit",
        "unacked_restore_throttle",
        "visibility_timeout",
    ]
)
"""kombu/transport/redis.py: ``from_transport_options`` of both channels, and what its transport asks for by name."""


def _transport_options(settings: SettingsFacts, _: Limits) -> Verdict:
    scheme, options = broker_scheme(settings), settings.value("broker_transport_options")
    if (scheme is not UNKNOWN and scheme not in REDIS) or (options is not UNKNOWN and not isinstance(options, Mapping)):
        return PASS
    names = [name for name in options if isinstance(name, str)] if isinstance(options, Mapping) else []
    near = {name: nearest(name, _REDIS_OPTIONS, 0.85) for name in names if name not in _REDIS_OPTIONS}
    misspelt = [f"{name!r} (did you mean {hit!r}?)" for name, hit in near.items() if hit is not None]
    if isinstance(options, Mapping) and not misspelt:
        return PASS
    return first_unknown(the_broker=scheme, broker_transport_options=options) or Fail(", ".join(misspelt))


RULES = (
    Rule(
        code="SFC904",
        name="settings-of-two-ages",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_not_mixed,
        message="mixes today's setting names with those of Celery 3, and Celery does not start with both",
        fix="use today's names only",
    ),
    Rule(
        code="SFC905",
        name="setting-of-celery-3",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_not_old,
        message="uses setting names that Celery 6 will no longer read",
        fix="rename them; 'celery upgrade settings FILE' rewrites a file",
    ),
    Rule(
        code="SFC906",
        name="setting-out-of-reach",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_none_stray,
        message="has settings beside it that look like Celery's and that Celery does not read",
        fix="write the name as Celery reads it: behind the namespace where there is one, in lower case where not",
    ),
    Rule(
        code="SFC920",
        name="unknown-annotation-option",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_annotations_known,
        message="annotates tasks with an option nobody reads",
        fix="correct the name, or remove it",
    ),
    Rule(
        code="SFC926",
        name="unknown-transport-option",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_transport_options,
        message="has a broker option that the transport does not read",
        fix="correct the name in broker_transport_options",
    ),
)
