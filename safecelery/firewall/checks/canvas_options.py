"""What the options of an embedded signature may say. The worker will publish with them, under its own key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks.schedule import check_eta, moment
from safecelery.firewall.checks.shape import COPIES, OWN_HEADERS, REQUEST_MEMBERS, is_name
from safecelery.firewall.checks.sizes import amiss
from safecelery.firewall.interface import Context
from safecelery.keys.trust import TrustedKey
from safecelery.message.inflate import COMPRESSIONS
from safecelery.message.result import REPLACES, SALT
from safecelery.policy.vocabulary import CALL_OPTIONS

__all__ = ["check_options"]

Accepts = Callable[[Any, TrustedKey, Context], bool]


def _signatures(value: Any, key: TrustedKey, context: Context) -> bool:
    """``canvas`` and ``canvas_form`` look into these."""
    return True


def _name(value: Any, key: TrustedKey, context: Context) -> bool:
    return is_name(value) or value is None


def _switch(value: Any, key: TrustedKey, context: Context) -> bool:
    return value is None or isinstance(value, bool)


def _count(value: Any, key: TrustedKey, context: Context) -> bool:
    return value is None or (isinstance(value, int) and _number(value, 0, _LARGEST_COUNT))


def _seconds(value: Any, key: TrustedKey, context: Context) -> bool:
    return value is None or _number(value, 0, context.limits.max_message_age_s)


def _expires(value: Any, key: TrustedKey, context: Context) -> bool:
    """A date, or seconds from when the worker sends it. What is past is discarded by whoever gets it."""
    if value is None or _number(value, -_FAR_S, _FAR_S):
        return True
    moment(value, "expires")
    return True


def _names(value: Any, key: TrustedKey, context: Context) -> bool:
    return value is None or (isinstance(value, list) and all(map(is_name, value)))


def _publish_retries(value: Any, key: TrustedKey, context: Context) -> bool:
    """kombu's policy for a broker that is not there: numbers, and an end (kombu/connection.py, ``ensure``)."""
    if value is None:
        return True
    known = isinstance(value, dict) and value.keys() <= _RETRY_POLICY
    return known and all(_number(number, 0, context.limits.max_retry_backoff_s) for number in value.values())


def _queue(value: Any, key: TrustedKey, context: Context) -> bool:
    return value is None or (is_name(value) and key.may_use_queue(value))


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


_NO_HEADERS = OWN_HEADERS | REQUEST_MEMBERS | COPIES


def _headers(value: Any, key: TrustedKey, context: Context) -> bool:
    """Celery lets these overwrite its own, ``task`` included (celery/app/amqp.py, ``_create_task_sender``)."""
    if value is None:
        return True
    return isinstance(value, dict) and not (value.keys() & _NO_HEADERS) and amiss(value) is None


#: Option -> whether its value is acceptable. What is not listed is refused.
#: Nested signatures (link, link_error, chain, chord) are found and checked by ``canvas`` itself.
_RETRY_POLICY = frozenset({"max_retries", "interval_start", "interval_step", "interval_max"})
#: Members of a chord, place in a group.
_LARGEST_COUNT = 2**31
#: A hundred years: what is further off is no date any more somewhere.
_FAR_S = 100 * 366 * 86_400
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
    "expires": _expires,
    "retries": _retries,
    "task_id": _name,
    "root_id": _name,
    "parent_id": _name,
    "group_id": _name,
    "group_index": _count,
    "reply_to": _name,
    "shadow": _name,
    "origin": _name,
    "priority": lambda value, key, context: value is None or (isinstance(value, int) and _number(value, 0, 255)),
    "ignore_result": _switch,
    "add_to_parent": _switch,
    "chord_size": _count,
    "replaced_task_nesting": _count,
    "retry": _switch,
    "retry_policy": _publish_retries,
    # AMQP 0-9-1, basic.delivery-mode: 1 is lost when the broker restarts, 2 is not.
    "delivery_mode": lambda value, key, context: value in (None, 1, 2, "transient", "persistent"),
    "headers": _headers,
    "stamped_headers": _names,
    "link": _signatures,
    "link_error": _signatures,
    "chain": _signatures,
    "chord": _signatures,
    "group": _name,
    SALT: _name,
    # Of the task that waits for a chord.
    "interval": _seconds,
    "max_retries": _count,
    "propagate": _switch,
}


#: Parameters of what a worker calls with the options of a signature (celery/canvas.py, celery/app/base.py): what is
#: named like one of them is none of the stamps that a message carries. ``header_delay`` has options of its own. Nor is
#: what a header of that name says: the options of a task that fails with its chain are its request.
_NO_STAMPS = CALL_OPTIONS | frozenset(
    {
        "_id", "app", "append_stamps", "body", "callbacks", "chord_body", "clone", "content_encoding", "content_type",
        "create_sent_event", "eager", "errbacks", "force", "from_dict", "header", "header_delay", "header_result",
        "header_result_args", "immutable", "last_task_id", "name", "now", "options", "p", "partial_args",
        "partial_kwargs", "self", "self_headers", "subtask_type", "task", "tasks", "timezone", "visitor",
        "visitor_headers", REPLACES,
    }
)  # fmt: skip


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
            if name in stamps and name not in _NO_STAMPS:
                continue
            raise Rejected(Reason.CANVAS_OPTION, f"embedded option {name[:40]!r} is not one that callers may set")
        if not accepts(value, key, context):
            raise Rejected(Reason.CANVAS_OPTION, f"embedded option {name!r} goes beyond what {key.kid!r} may ask for")
