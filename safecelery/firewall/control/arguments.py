"""What each command takes, and of which type: no handler of Celery's looks (celery/worker/control.py).

The table is also the list of Celery's commands that there are: ``election`` is none of them, since it makes a worker
publish a task that nobody signed.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from safecelery.errors import Reason, Rejected

__all__ = ["ALIASES", "COMMANDS", "Takes", "check_arguments"]

Is = Callable[[Any], bool]

_LONGEST: Final = 1024
#: Most processes that one command adds or takes away.
_MOST_PROCESSES: Final = 1000
#: Longest limit in seconds that means anything.
_MOST_SECONDS: Final = 366 * 86_400
_RATE: Final = re.compile(r"\d{1,9}(?:\.\d{1,9})?(?:/[smh])?", re.ASCII)


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _nothing(value: Any) -> bool:
    return value is None


def _list_of(item: Is) -> Is:
    return lambda value: isinstance(value, list) and all(map(item, value))


def _map_to(item: Is) -> Is:
    return lambda value: isinstance(value, dict) and all(_text(name) and item(inner) for name, inner in value.items())


def _either(*kinds: Is) -> Is:
    return lambda value: any(kind(value) for kind in kinds)


def _whole(least: int, most: int) -> Is:
    return lambda value: type(value) is int and least <= value <= most


def _seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value <= _MOST_SECONDS


def _rate(value: Any) -> bool:
    """As celery/utils/time.py, ``rate``, reads it; nothing, zero and the empty text take a limit away."""
    if isinstance(value, str):
        return not value or _RATE.fullmatch(value) is not None
    return value is None or (type(value) in (int, float) and 0 <= value <= 10**9)


def _signal(value: Any) -> bool:
    """A name as celery/platforms.py, ``Signals.signum``, takes it, or a number."""
    if type(value) is int:
        return value in set(signal.Signals)
    return isinstance(value, str) and f"SIG{value.removeprefix('SIG')}" in signal.Signals.__members__


def _stamp(value: Any) -> bool:
    return _text(value) and value.count("=") == 1


def _one_of(*names: str) -> Is:
    return lambda value: isinstance(value, str) and value in names


def _attribute(value: Any) -> bool:
    return _text(value) and value.isidentifier()


@dataclass(frozen=True, slots=True)
class Takes:
    """The arguments of one command."""

    required: Mapping[str, Is] = field(default_factory=dict)
    optional: Mapping[str, Is] = field(default_factory=dict)


_ids = _either(_text, _list_of(_text))
_maybe_signal = _either(_nothing, _signal)
_maybe_text = _either(_nothing, _text)
_maybe_seconds = _either(_nothing, _seconds)
_processes = _whole(1, _MOST_PROCESSES)
_NONE: Final = Takes()

#: Celery's commands by their proper names.
COMMANDS: Final[Mapping[str, Takes]] = MappingProxyType(
    {
        # That only look
        "active": Takes(optional={"safe": _either(_nothing, _flag)}),
        "active_queues": _NONE,
        "clock": _NONE,
        "conf": Takes(optional={"with_defaults": _flag}),
        "hello": Takes({"from_node": _text}, {"revoked": _either(_nothing, _list_of(_text))}),
        "memdump": Takes(optional={"samples": _whole(1, 1000)}),
        "memsample": _NONE,
        "objgraph": Takes(optional={"num": _whole(1, 10_000), "max_depth": _whole(1, 100), "type": _attribute}),
        "ping": _NONE,
        "query_task": Takes({"ids": _ids}),
        "registered": Takes(optional={"taskinfoitems": _either(_nothing, _list_of(_attribute)), "builtins": _flag}),
        "report": _NONE,
        "reserved": _NONE,
        "revoked": _NONE,
        "scheduled": _NONE,
        "stats": _NONE,
        # That change something
        "add_consumer": Takes(
            {"queue": _text},
            {
                "exchange": _maybe_text,
                "exchange_type": _either(_nothing, _one_of("direct", "topic", "fanout")),
                "routing_key": _maybe_text,
                "durable": _flag,
                "auto_delete": _flag,
            },
        ),
        "autoscale": Takes(
            optional={
                "max": _either(_nothing, _whole(1, _MOST_PROCESSES)),
                "min": _either(_nothing, _whole(0, _MOST_PROCESSES)),
            }
        ),
        "cancel_consumer": Takes({"queue": _text}),
        "disable_events": _NONE,
        "enable_events": _NONE,
        "heartbeat": _NONE,
        "pool_grow": Takes(optional={"n": _processes}),
        "pool_restart": Takes(
            optional={
                "modules": _either(_nothing, _list_of(_text)),
                "reload": _flag,
                "reloader": _nothing,
            }
        ),
        "pool_shrink": Takes(optional={"n": _processes}),
        "rate_limit": Takes({"task_name": _text, "rate_limit": _rate}),
        "revoke": Takes({"task_id": _ids}, {"terminate": _flag, "signal": _maybe_signal}),
        "revoke_by_stamped_headers": Takes(
            {"headers": _either(_map_to(_ids), _list_of(_stamp))}, {"terminate": _flag, "signal": _maybe_signal}
        ),
        "shutdown": Takes(optional={"msg": _text}),
        "terminate": Takes({"signal": _signal, "task_id": _ids}),
        "time_limit": Takes({"task_name": _text}, {"hard": _maybe_seconds, "soft": _maybe_seconds}),
    }
)

#: Older names of some, as celery/worker/control.py registers them. A grant names the proper one.
ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dump_active": "active",
        "dump_conf": "conf",
        "dump_reserved": "reserved",
        "dump_revoked": "revoked",
        "dump_schedule": "scheduled",
        "dump_tasks": "registered",
    }
)


def check_arguments(method: str, arguments: Mapping[str, Any]) -> None:
    """The arguments of one of Celery's commands are those it takes (E11.5).

    Raises:
        Rejected: one is missing, unknown, or not of its type. Names those of the table, never what was sent.
        KeyError: no command of the table.
    """
    takes = COMMANDS[method]
    missing = sorted(takes.required.keys() - arguments.keys())
    if missing:
        raise Rejected(Reason.COMMAND_ARGUMENTS, f"{method}: {missing[0]} is missing")
    known = {**takes.required, **takes.optional}
    if not arguments.keys() <= known.keys():
        raise Rejected(Reason.COMMAND_ARGUMENTS, f"{method}: an argument that it does not take")
    for name, value in arguments.items():
        if not known[name](value):
            raise Rejected(Reason.COMMAND_ARGUMENTS, f"{method}: {name} is of another type, or out of range")
