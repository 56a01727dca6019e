"""Embedded signatures stand where Celery looks for them, and are what they say they are.

``canvas`` holds every mapping with a ``task`` to the signer's grants. Celery makes signatures of more than those
(celery/canvas.py, ``signature`` and ``Signature.from_dict``): of a bare name; of whatever ``subtask_type`` names,
whatever ``task`` says; of a canvas task whose missing arguments the parent's result fills in. Nobody honest sends such.
Nor a map of a canvas task: which signatures that runs would stand in the items, which are data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from safecelery.errors import Reason, Rejected
from safecelery.firewall.interface import Body, Context, Received

__all__ = ["CANVAS_TASKS", "CanvasTask", "canvas_form", "check_members"]


@dataclass(frozen=True, slots=True)
class CanvasTask:
    """One of Celery's own tasks that run or publish signatures (celery/app/builtins.py)."""

    kind: str | None
    """Its ``subtask_type`` as an embedded signature; Celery writes none for maps and chunks."""
    parameters: tuple[str, ...] = ()
    """Names of its first parameters, for arguments given by position."""
    carries: frozenset[str] = frozenset()
    """Those that are signatures, or lists of them."""
    maps: bool = False
    """It calls the task that it carries once for each item, which nobody looks into."""


CANVAS_TASKS: Mapping[str, CanvasTask] = {
    "celery.accumulate": CanvasTask(None),
    "celery.chain": CanvasTask("chain", (), frozenset({"tasks"})),
    "celery.chord": CanvasTask("chord", ("header", "body"), frozenset({"header", "body"})),
    "celery.chord_unlock": CanvasTask(None, ("group_id", "callback"), frozenset({"callback"})),
    "celery.chunks": CanvasTask(None, ("task",), frozenset({"task"}), maps=True),
    "celery.group": CanvasTask("group", ("tasks",), frozenset({"tasks"})),
    "celery.map": CanvasTask(None, ("task",), frozenset({"task"}), maps=True),
    "celery.starmap": CanvasTask(None, ("task",), frozenset({"task"}), maps=True),
}
_NAMES = tuple(CANVAS_TASKS)
#: Sent by Celery itself, with its signature among the arguments by position.
_NEVER_EMBEDDED = frozenset({"celery.chord_unlock"})
#: Members of a signature (celery/canvas.py, ``Signature.__init__``). Of a chord, every other one becomes an option.
_MEMBERS = frozenset({"task", "args", "kwargs", "options", "subtask_type", "immutable"})
#: Options that are signatures, or lists of them.
_NESTING = ("link", "link_error", "chain", "chord")


#: What ``embed`` may hold (celery/app/amqp.py, ``as_task_v2``).
_EMBED = frozenset({"callbacks", "errbacks", "chain", "chord"})


def check_members(body: Body) -> None:
    """Refuse an ``embed`` with anything that Celery does not put there."""
    if unknown := body.embed.keys() - _EMBED:
        raise Rejected(Reason.BODY_MALFORMED, f"embedded canvas has {len(unknown)} unknown member(s)")


def canvas_form(message: Received, body: Body, context: Context) -> None:
    """Refuse anything but whole signatures where Celery expects signatures."""
    check_members(body)
    pending = [*body.embed.values(), *_carried(message.claims.hdr["task"], body.args, body.kwargs)]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(value)
        elif value is not None:
            pending.extend(_inside(value))


def _inside(value: object) -> Iterator[Any]:
    """Where the next signatures are, if this is one."""
    if not isinstance(value, dict) or not isinstance(value.get("task"), str):
        raise Rejected(Reason.BODY_MALFORMED, "an embedded signature is not an object with a task")
    task, kind, options = value["task"], value.get("subtask_type"), value.get("options")
    if odd := value.keys() - _MEMBERS:
        raise Rejected(Reason.BODY_MALFORMED, f"an embedded signature has {len(odd)} unknown member(s)")
    known = CANVAS_TASKS.get(task, CanvasTask(None))
    if kind != known.kind or task in _NEVER_EMBEDDED:
        raise Rejected(Reason.BODY_MALFORMED, f"embedded task {task!r} is not of the kind that its signature says")
    if isinstance(options, dict):
        yield from (options.get(name) for name in _NESTING)
    if known.carries:
        kwargs = value.get("kwargs")
        if not isinstance(kwargs, dict) or not known.carries <= kwargs.keys():
            raise Rejected(Reason.BODY_MALFORMED, f"embedded {task!r} lacks its signatures")
        yield from _carried(task, [], kwargs)


def _carried(task: str, args: list[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    """The arguments of a canvas task that are signatures. Those of any other task are its own business."""
    known = CANVAS_TASKS.get(task)
    if known is None:
        return []
    given = [value for name, value in zip(known.parameters, args, strict=False) if name in known.carries]
    carried = given + [value for name, value in kwargs.items() if name in known.carries]
    if known.maps and any(isinstance(value, dict) and value.get("task") in _NAMES for value in carried):
        raise Rejected(Reason.BODY_MALFORMED, f"{task!r} maps a canvas task, which runs what stands in the items")
    return carried
