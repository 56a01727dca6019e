"""Headers have the types that Celery's worker assumes.

A header of the wrong type, signed or not, otherwise ends the worker process or is read as something else
(celery/worker/request.py, ``Request.__init__``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from safecelery.errors import Reason, Rejected
from safecelery.firewall.interface import Body, Context, Received

__all__ = ["COPIES", "OWN_HEADERS", "REQUEST_MEMBERS", "is_name", "shape"]


def is_name(value: object) -> TypeGuard[str]:
    """Text that names something, in logs and keys too: no line breaks, no halves of characters."""
    return isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_NAME


def _name_or_none(value: object) -> bool:
    return value is None or is_name(value)


def _text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _seconds_or_none(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value > 0)


def _time_limits(value: object) -> bool:
    return value is None or (isinstance(value, list) and len(value) == 2 and all(map(_seconds_or_none, value)))


def _texts_or_none(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _mapping_or_none(value: object) -> bool:
    return value is None or isinstance(value, dict)


_LONGEST_NAME = 1024


def _priority(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255)


#: Property -> what it must be.
PROPERTIES: dict[str, Callable[[object], bool]] = {
    "correlation_id": _name_or_none,
    "reply_to": _name_or_none,
    "priority": _priority,
}
#: Header -> what it must be. ``task`` and ``id`` must be there.
REQUIRED: dict[str, Callable[[object], bool]] = {"task": is_name, "id": is_name}
OPTIONAL: dict[str, Callable[[object], bool]] = {
    "eta": _text_or_none,
    "expires": _text_or_none,
    "timelimit": _time_limits,
    "shadow": _name_or_none,
    "root_id": _name_or_none,
    "parent_id": _name_or_none,
    "group": _name_or_none,
    "group_index": lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool)),
    "argsrepr": _text_or_none,
    "kwargsrepr": _text_or_none,
    "origin": _name_or_none,
    "ignore_result": lambda value: value is None or isinstance(value, bool),
    "stamped_headers": _texts_or_none,
    "stamps": _mapping_or_none,
    "replaced_task_nesting": lambda value: isinstance(value, int) and not isinstance(value, bool),
}
#: Headers that Celery itself makes (celery/app/amqp.py, ``as_task_v2``).
OWN_HEADERS = frozenset({*REQUIRED, *OPTIONAL, "lang", "retries", "compression", "safecelery"})
#: Members of ``task.request`` that come from the body, the properties or the worker, and its methods
#: (celery/app/task.py, ``Context``). Celery merges headers into the request, so a header of that name would stand in
#: for them: signed ``errbacks`` beside a body without any would run, and ``headers`` would be sent along by a retry.
REQUEST_MEMBERS = frozenset(
    {
        "_children", "_filter_x_death_headers", "_get_custom_headers", "_protected", "args", "as_execution_options",
        "callbacks", "called_directly", "chain", "children", "chord", "clear", "correlation_id", "delivery_info",
        "errbacks", "get", "headers", "hostname", "is_eager", "kwargs", "logfile", "loglevel", "properties",
        "reply_to", "soft_time_limit", "taskset", "time_limit", "update", "utc",
    }
)  # fmt: skip


#: Headers that name further queues, to which RabbitMQ sends copies (https://www.rabbitmq.com/docs/sender-selected): the
#: worker would send them its own retries and callbacks, with what came of the task, wherever the signer likes.
COPIES = frozenset({"BCC", "CC"})


def shape(message: Received, body: Body, context: Context) -> None:
    """Refuse missing names, wrong types, and names that are not for headers."""
    headers = message.claims.hdr
    for name, fits in REQUIRED.items():
        if not fits(headers.get(name)) or not headers[name]:
            raise Rejected(Reason.CLAIMS_MALFORMED, f"header {name!r} is missing or not text")
    for name, fits in OPTIONAL.items():
        if name in headers and not fits(headers[name]):
            raise Rejected(Reason.CLAIMS_MALFORMED, f"header {name!r} has the wrong type")
    for name, value in message.claims.props.items():
        if name not in PROPERTIES or not PROPERTIES[name](value):
            raise Rejected(Reason.CLAIMS_MALFORMED, f"property {name[:40]!r} is unknown or has the wrong type")
    for name in headers:
        if name in REQUEST_MEMBERS or name in COPIES or name.startswith("__"):
            raise Rejected(Reason.CLAIMS_MALFORMED, f"header {name[:40]!r} is not for a message to set")
