"""``python -m service.caller``: a service that sends tasks and believes their results.

Commands come as lines of JSON on its input, what it believes goes out as lines of JSON. It uses the app as any
application does, and catches ``Exception`` as any application does: what is none ends it.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

from celery import chord, group
from celery.exceptions import TimeoutError as CeleryTimeout
from celery.result import GroupResult

from service.answers import app

#: What Celery says when nothing came; a stored exception of that class has another text.
NOTHING_CAME = "The operation timed out."
MOST_TEXT = 10_000

_sent: dict[str, Any] = {}


def _short(value: Any) -> Any:
    return value[:MOST_TEXT] if isinstance(value, str) else value


def _outcome(read: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"value": _short(read())}
    except Exception as error:
        if isinstance(error, CeleryTimeout) and str(error) == NOTHING_CAME:
            return {"timeout": True}
        kind = type(error)
        return {
            "raised": f"{kind.__module__}.{kind.__qualname__}",
            "text": str(error)[:MOST_TEXT],
            "reason": str(getattr(error, "reason", "") or ""),
        }


class _Once:
    """Says that it waits, once it has waited for a while."""

    said = False

    def __call__(self) -> None:
        if not self.said:
            self.said = True
            _say({"event": "waiting"})


def _send(given: dict[str, Any]) -> dict[str, Any]:
    options = {"task_id": given["id"]} if given.get("id") else {}
    result = app.tasks[given["task"]].apply_async(given["args"], **options)
    _sent[result.id] = result
    return {"id": result.id, "reply_to": app.thread_oid}


def _signatures(given: dict[str, Any]) -> list[Any]:
    return [app.tasks[task].s(*args) for task, args in given["header"]]


def _send_group(given: dict[str, Any]) -> dict[str, Any]:
    result = group(_signatures(given), app=app).apply_async()
    result.save()
    _sent[result.id] = result
    return {"id": result.id, "members": [one.id for one in result.results]}


def _send_chord(given: dict[str, Any]) -> dict[str, Any]:
    result = chord(_signatures(given), app=app)(app.tasks[given["body"]].s())
    _sent[result.id] = result
    return {"id": result.id, "group": result.parent.id, "members": [one.id for one in result.parent.results]}


def _peek(task_id: str) -> dict[str, Any]:
    """All that can be read without waiting."""
    other = app.AsyncResult(task_id)
    children = [getattr(child, "id", repr(child)) for child in other.children or []]
    return {
        "state": other.state, "result": _short(other.result), "traceback": other.traceback, "children": children,
        "name": other.name, "worker": other.worker,
    }  # fmt: skip


def _read(given: dict[str, Any]) -> dict[str, Any]:
    """Wait as the sender does, or look as somebody who has only the id."""
    result = app.AsyncResult(given["id"]) if given["fresh"] else _sent[given["id"]]
    options: dict[str, Any] = {"on_interval": _Once()} if given.get("settled") else {}
    if not options:
        _say({"event": "waiting"})
    report = {"get": _outcome(lambda: result.get(timeout=given["timeout"], **options))}
    if given.get("leaf"):
        report["leaf"] = _outcome(lambda: app.AsyncResult(given["id"]).get_leaf())
    if given["peek"]:
        report["peek"] = _outcome(lambda: _peek(given["id"]))
    return report


def _read_group(given: dict[str, Any]) -> dict[str, Any]:
    def restored() -> Any:
        found = GroupResult.restore(given["id"], app=app)
        return None if found is None else found.join(timeout=given["timeout"])

    _say({"event": "waiting"})
    return {"get": _outcome(restored)}


def _join(given: dict[str, Any]) -> dict[str, Any]:
    """The group as its sender has it, all at once."""
    _say({"event": "waiting"})
    return {"get": _outcome(lambda: _sent[given["id"]].join_native(timeout=given["timeout"]))}


def _call(given: dict[str, Any]) -> dict[str, Any]:
    """A task that nobody attacks."""
    return _outcome(lambda: app.tasks["service.add"].delay(*given["args"]).get(timeout=given["timeout"]))


COMMANDS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "send": _send,
    "send-group": _send_group,
    "send-chord": _send_chord,
    "read": _read,
    "read-group": _read_group,
    "join": _join,
    "call": _call,
}


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what, default=repr), flush=True)


def main() -> None:
    """Obey until there is no more input."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    _say({"event": "ready"})
    for line in sys.stdin:
        given = json.loads(line)
        _say({"event": "done", **COMMANDS[given["do"]](given)})


if __name__ == "__main__":
    main()
