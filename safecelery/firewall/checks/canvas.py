"""Every signature embedded in the message is granted to its signer too.

The worker publishes them later under its own key: chain, chord, callbacks, errbacks, and those nested in
them. Without this check a sender could make the worker send what the sender may not (a confused deputy).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks.canvas_form import CANVAS_TASKS, check_members
from safecelery.firewall.checks.canvas_options import check_options
from safecelery.firewall.interface import Body, Context
from safecelery.keys.trust import TrustedKey
from safecelery.message.result import REPLACES
from safecelery.message.stages import VerifiedMessage

__all__ = ["BUILTIN_CANVAS", "canvas", "check_replaced", "embedded", "signatures"]

#: Celery's tasks that do nothing but run or publish the signatures inside them.
BUILTIN_CANVAS = frozenset(CANVAS_TASKS)


def canvas(message: VerifiedMessage, body: Body, context: Context) -> None:
    """Refuse an embedded task, queue or option that the signer may not use, or too many of them."""
    check_members(body)
    check_chord(message.claims.hdr["task"], body.kwargs)
    found = embedded(message.claims.hdr["task"], body.args, body.kwargs, body.embed)
    for count, signature in enumerate(found, start=1):
        if count > context.limits.max_canvas_signatures:
            raise Rejected(Reason.CANVAS_NOT_GRANTED, f"more than {count - 1} embedded signatures")
        task = signature["task"]
        if not isinstance(task, str):
            raise Rejected(Reason.BODY_MALFORMED, "an embedded signature's task is not text")
        if task not in BUILTIN_CANVAS and not message.key.may_send_task(task):
            raise Rejected(Reason.CANVAS_NOT_GRANTED, f"key {message.key.kid!r} may not send embedded task {task!r}")
        check_options(signature.get("options"), message.key, context)
        check_replaced(_headers_of(signature), message.key, Reason.CANVAS_NOT_GRANTED)


def check_chord(task: object, kwargs: Mapping[str, Any]) -> None:
    """Refuse what Celery's old task would make an option of header and body, whoever may ask for it: each signature has
    options of its own.
    """
    if task == "celery.chord" and (odd := kwargs.keys() - _OF_CHORD):
        raise Rejected(Reason.CANVAS_OPTION, f"celery.chord has {len(odd)} argument(s) that would become options")


#: Parameters of ``celery.chord`` (celery/app/builtins.py). Whatever else it is given goes to ``chord.run``.
_OF_CHORD = frozenset({"header", "body", "partial_args", "interval", "countdown", "max_retries", "eager"})


def check_replaced(headers: Mapping[str, Any], key: TrustedKey, reason: Reason) -> None:
    """Refuse a task that answers for another one which its signer may not send (E12.7)."""
    replaced = headers.get(REPLACES)
    if replaced is None:
        return
    if not isinstance(replaced, dict) or replaced.keys() != {"id", "task"}:
        raise Rejected(Reason.CLAIMS_MALFORMED, f"header {REPLACES} is not an id and a task")
    task = replaced["task"]
    if not isinstance(task, str) or not key.may_send_task(task):
        raise Rejected(reason, f"key {key.kid!r} may not send task {task!r}, so nor what answers for it")


def _headers_of(signature: Mapping[str, Any]) -> Mapping[str, Any]:
    options = signature.get("options")
    headers = options.get("headers") if isinstance(options, dict) else None
    return headers if isinstance(headers, dict) else {}


def embedded(task: object, args: Any, kwargs: Any, embed: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every signature inside a message of ``task``; none, and at no cost, where there is no canvas."""
    roots: list[Any] = [embed]
    if task in BUILTIN_CANVAS:
        roots += [args, _canvas_arguments(kwargs)]
    elif not any(embed.values()):
        return iter(())
    return signatures(roots)


def signatures(roots: list[Any]) -> Iterator[dict[str, Any]]:
    """Every mapping with a ``task`` below the roots, however deep.

    Arguments of an embedded user task are its own business and are not searched; all options are, and those
    arguments of Celery's canvas tasks that are signatures.
    """
    pending = list(roots)
    while pending:
        value = pending.pop()
        if isinstance(value, list | tuple):  # a tuple is a list that was not sent yet
            pending.extend(value)
        elif isinstance(value, dict):
            if "task" not in value:
                pending.extend(value.values())
                continue
            yield value
            pending.extend(inner for name, inner in value.items() if name not in ("args", "kwargs"))
            if isinstance(value["task"], str) and value["task"] in BUILTIN_CANVAS:
                pending += [value.get("args"), _canvas_arguments(value.get("kwargs"))]


def _canvas_arguments(kwargs: Any) -> list[Any]:
    """The arguments of a canvas task that are signatures; ``it`` of a map is the users' data."""
    return [inner for name, inner in kwargs.items() if name != "it"] if isinstance(kwargs, dict) else []
