"""What Celery makes of a setting's name, and what to say about a name it does not read.

Celery reads three spellings (celery/app/defaults.py, celery/utils/collections.py ``ConfigurationView._to_keys``): the
lower-case name (``task_time_limit``); that name behind a namespace (``CELERY_TASK_TIME_LIMIT`` for
``namespace="CELERY"``); and the names of Celery 3 (``CELERYD_TASK_TIME_LIMIT``), which it also reads beside a
namespace. Anything else is kept and never looked at: ``TASK_TIME_LIMIT``, or ``CELERY_TASK_TIME_LIMIT`` without a
namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from safecelery.errors import nearest
from safecelery.policy.vocabulary import SETTINGS

__all__ = ["OLD_NAMES", "advice", "is_stray", "mixed", "read_as"]

_WHOLE: Final = ("arangodb", "cache", "couchbase", "elasticsearch", "event", "mongodb", "redis", "result", "security")
_OLD_FORM: Final = (
    ("beat_", "CELERYBEAT_", True),
    ("worker_", "CELERYD_", True),
    ("task_", "CELERY_", True),
    *((name, "CELERY_", False) for name in ("accept_content", "imports", "include", "timezone")),
    *((f"{name}_", "CELERY_", False) for name in _WHOLE),
)
"""How Celery 3 began the names that begin so today, and whether today's beginning is dropped."""

_ODD: Final = {
    "database_url": "CELERY_RESULT_DBURI",
    "database_engine_options": "CELERY_RESULT_ENGINE_OPTIONS",
    "database_short_lived_sessions": "CELERY_RESULT_DB_SHORT_LIVED_SESSIONS",
    "database_table_names": "CELERY_RESULT_DB_TABLENAMES",
    "result_accept_content": "RESULT_ACCEPT_CONTENT",
    "result_cache_max": "CELERY_MAX_CACHED_RESULTS",
    "result_expires": "CELERY_TASK_RESULT_EXPIRES",
    "task_compression": "CELERY_MESSAGE_COMPRESSION",
    "task_eager_propagates": "CELERY_EAGER_PROPAGATES_EXCEPTIONS",
    "task_protocol": "CELERY_TASK_PROTOCOL",
    "task_publish_retry": "CELERY_TASK_PUBLISH_RETRY",
    "task_publish_retry_policy": "CELERY_TASK_PUBLISH_RETRY_POLICY",
    "task_send_sent_event": "CELERY_SEND_TASK_SENT_EVENT",
    "task_serializer": "CELERY_TASK_SERIALIZER",
    "task_soft_time_limit": "CELERYD_TASK_SOFT_TIME_LIMIT",
    "task_time_limit": "CELERYD_TASK_TIME_LIMIT",
    "worker_direct": "CELERY_WORKER_DIRECT",
    "worker_disable_rate_limits": "CELERY_DISABLE_RATE_LIMITS",
    "worker_enable_remote_control": "CELERY_ENABLE_REMOTE_CONTROL",
    "worker_lost_wait": "CELERYD_WORKER_LOST_WAIT",
    "worker_redirect_stdouts": "CELERY_REDIRECT_STDOUTS",
    "worker_redirect_stdouts_level": "CELERY_REDIRECT_STDOUTS_LEVEL",
    "worker_send_task_events": "CELERY_SEND_EVENTS",
}


def _old(name: str) -> str:
    if name in _ODD:
        return _ODD[name]
    for begins, old, dropped in _OLD_FORM:
        if name.startswith(begins):
            return old + (name[len(begins) :] if dropped else name).upper()
    return name.upper()


OLD_NAMES: Final[Mapping[str, str]] = MappingProxyType({_old(name): name for name in sorted(SETTINGS)})
"""The names of Celery 3, each with today's."""

_MEANT_FOR_CELERY: Final = ("celery_", "celeryd_", "celerybeat_")
#: Beginnings that only Celery's settings have. "result_", "redis_" and "database_" are other people's words too.
_TELLING: Final = ("task_", "worker_", "beat_", "broker_")


def read_as(name: str, namespace: str | None) -> str | None:
    """The lower-case setting that Celery reads under this name, or None if it reads none."""
    if name in SETTINGS:
        return name
    if namespace:
        bare = name[len(namespace.rstrip("_")) + 1 :].lower()
        if bare in SETTINGS and name == _spelt(bare, namespace):
            return bare
    return OLD_NAMES.get(name)


def is_stray(name: str, namespace: str | None) -> bool:
    """Was this name, in the object that the settings come from, meant for Celery and is not read by it?

    True for ``TASK_TIME_LIMIT``, for ``CELERY_TASK_TIME_LIMIT`` without a namespace, for ``CELERY_TASK_TIME_LIMT``.
    A name that merely begins with ``CELERY_`` and resembles no setting is somebody's own.
    """
    if read_as(name, namespace) is not None or name.startswith("_"):
        return False
    low = name.lower()
    bare = _bare(low, namespace)
    if bare in SETTINGS:
        return low != bare or bare.startswith(_TELLING)
    return low.startswith(_MEANT_FOR_CELERY) and _nearest(bare, cutoff=_TYPO) is not None


def advice(name: str, namespace: str | None) -> str:
    """What to write instead: ``write CELERY_TASK_TIME_LIMIT``; the empty string if nothing comes near."""
    bare = _bare(name.lower(), namespace)
    meant = bare if bare in SETTINGS else OLD_NAMES.get(name.upper()) or OLD_NAMES.get(bare.upper())
    sure = meant is not None
    meant = meant or _nearest(bare)
    if meant is None:
        return ""
    spelt = _spelt(meant, namespace)
    return f"write {spelt}" if sure else f"did you mean {spelt}?"


def mixed(names: tuple[str, ...], namespace: str | None) -> tuple[tuple[str, str], ...]:
    """The names that make Celery refuse to start, each with what to write instead.

    Without a namespace today's names and those of Celery 3 may not stand side by side, except for a pair that says
    the same twice (celery/app/utils.py, ``detect_settings``). With one Celery does not look.
    """
    if namespace:
        return ()
    have = set(names)
    new = have & SETTINGS
    old = {name for name in have if name in OLD_NAMES}
    if not new or not old:
        return ()
    if len(old) > len(new):  # the majority decides which of them Celery asks to rename
        back = {today: former for former, today in OLD_NAMES.items()}
        left = [(name, back[name]) for name in sorted(new)]
    else:
        left = [(name, OLD_NAMES[name]) for name in sorted(old)]
    return tuple((name, other) for name, other in left if other not in have)


def _spelt(setting: str, namespace: str | None) -> str:
    """The setting with the namespace before it, in the namespace's case (celery/utils/text.py, ``match_case``)."""
    if not namespace:
        return setting
    name = f"{namespace.rstrip('_')}_{setting}"
    return name.upper() if namespace.isupper() else name.lower()


def _bare(low: str, namespace: str | None) -> str:
    """The lower-case name without what may stand before it, as far as a setting's name remains."""
    prefixes = (f"{namespace.rstrip('_').lower()}_",) if namespace else ()
    for prefix in (*prefixes, *_MEANT_FOR_CELERY, "django_celery_"):
        if low.startswith(prefix):
            rest = low[len(prefix) :]
            for begins in ("", *_TELLING):  # CELERYD_TIME_LIMIT, CELERY_MAX_TASKS_PER_CHILD
                if begins + rest in SETTINGS:
                    return begins + rest
            former = OLD_NAMES.get(rest.upper())
            return former or rest
    return low


#: A letter or two. "worker_light_concurrency" comes near "worker_concurrency" (0.86) and is a project's own name.
_TYPO: Final = 0.9
_SPOKEN: Final = {"broker": "broker_url", "backend": "result_backend", "schedule": "beat_schedule"}


def _nearest(bare: str, cutoff: float = 0.85) -> str | None:
    return _SPOKEN.get(bare) or nearest(bare, SETTINGS, cutoff)
