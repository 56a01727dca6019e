"""What the options of an embedded signature may say. The worker will publish with them, under its own key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks.schedule import check_eta
from safecelery.firewall.checks.shape import OWN_HEADERS, REQUEST_MEMBERS
from safecelery.firewall.interface import Context
from safecelery.keys.trust import TrustedKey
from safecelery.message.inflate import COMPRESSIONS
from safecelery.policy.vocabulary import CALL_OPTIONS

__all__ = ["check_options"]

Accepts = Callable[[Any, TrustedKey, Context], bool]


def _anything(value: Any, key: TrustedKey, context: Context) -> bool:
    return True


def _text(value: Any, key: TrustedKey, context: Context) -> bool:
    return value is None or isinstance(value, str)


def _queue(value: Any, key: TrustedKey, context: Context) -> bool:
    return value is None or (isinstance(value, str) and key.may_use_queue(value))


def _number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _limit(value: Any, key: TrustedKey, context: Context) -> bool:
    return value is None or _number(value, 0.001, context.limits.max_time_limit_s)


def _countdown(value: Any, key: TrustedKey, context: Context) -> bool:
    return value is None or _number(value, 0, context.limits.max_eta_s)


def _eta(value: Any, key: TrustedKey, context: Context) -> bool:
    check_eta(value, context)
    return True


def _retries(value: Any, key: TrustedKey, context: Context) -> bool:
    return isinstance(value, int) and _number(value, 0, context.limits.max_retries)


def _serializer(value: Any, key: TrustedKey, context: Context) -> bool:
    return value in (None, "json")


def _compression(value: Any, key: TrustedKey, context: Context) -> bool:
    return value is None or (isinstance(value, str) and value in COMPRESSIONS)


def _headers(value: Any, key: TrustedKey, context: Context) -> bool:
    """Celery lets these overwrite its own, ``task`` included (celery/app/amqp.py, ``_create_task_sender``)."""
    return value is None or (isinstance(value, dict) and not (value.keys() & (OWN_HEADERS | REQUEST_MEMBERS)))


#: Option -> whether its value is acceptable. What is not listed is refused.
#: Nested signatures (link, link_error, chain, chord) are found and checked by ``canvas`` itself.
OPTIONS: dict[str, Accepts] = {
    "queue": _queue,
    # kombu's default exchange: the routing key then is a queue name. Any other exchange could reach any queue.
    "exchange": lambda value, key, context: value in (None, ""),
    "routing_key": _queue,
    "serializer": _serializer,
    "compression": _compression,
    "time_limit": _limit,
    "soft_time_limit": _limit,
    "countdown": _countdown,
    "eta": _eta,
    "expires": _anything,
    "retries": _retries,
    "task_id": _text,
    "root_id": _text,
    "parent_id": _text,
    "group_id": _text,
    "group_index": _anything,
    "reply_to": _text,
    "shadow": _text,
    "origin": _text,
    "priority": _anything,
    "ignore_result": _anything,
    "add_to_parent": _anything,
    "chord_size": _anything,
    "replaced_task_nesting": _anything,
    "retry": _anything,
    "retry_policy": _anything,
    "delivery_mode": _anything,
    "headers": _headers,
    "stamped_headers": _anything,
    "link": _anything,
    "link_error": _anything,
    "chain": _anything,
    "chord": _anything,
    "group": _anything,
    "interval": _anything,
    "max_retries": _anything,
    "propagate": _anything,
}


def check_options(options: Any, key: TrustedKey, context: Context) -> None:
    """Refuse an option that is unknown or goes beyond what the signer may ask for."""
    if options is None:
        return
    if not isinstance(options, dict):
        raise Rejected(Reason.BODY_MALFORMED, "an embedded signature's options are not an object")
    stamped = options.get("stamped_headers") or ()
    stamps = {name for name in stamped if isinstance(name, str)} if isinstance(stamped, list) else set()
    for name, value in options.items():
        accepts = OPTIONS.get(name)
        if accepts is None:
            if name in stamps and name not in CALL_OPTIONS:
                continue
            raise Rejected(Reason.CANVAS_OPTION, f"embedded option {name[:40]!r} is not one that callers may set")
        if not accepts(value, key, context):
            raise Rejected(Reason.CANVAS_OPTION, f"embedded option {name!r} goes beyond what {key.kid!r} may ask for")
