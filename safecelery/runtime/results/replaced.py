"""``Task.replace``: another task runs under the same id, and answers for the one that was sent (E12.7).

Whoever sends it says so in a header, which the firewall grants like the task itself (firewall/checks/grants.py):
without that, anybody could have a task of his own answer under the id of somebody else's.
"""

from __future__ import annotations

from typing import Any

from safecelery.firewall.checks.canvas import BUILTIN_CANVAS
from safecelery.message.result import REPLACES

__all__ = ["answers_for", "stands_in"]


def answers_for(request: Any, task_id: str) -> str | None:
    """The name of the task whose result this request's is."""
    replaced = getattr(request, REPLACES, None)
    if isinstance(replaced, dict) and replaced.get("id") == task_id and isinstance(replaced.get("task"), str):
        return str(replaced["task"])
    name = getattr(request, "task", None)
    return str(name) if name else None


def stands_in(signature: Any, task_id: str, name: str) -> None:
    """Mark the task inside ``signature`` that got the id of the one that it replaces."""
    pending = [signature]
    while pending:
        value = pending.pop()
        if isinstance(value, list | tuple):
            pending.extend(value)
        elif isinstance(value, dict) and isinstance(value.get("task"), str):
            options = value.get("options") or {}
            if value["task"] in BUILTIN_CANVAS and value.get("subtask_type"):
                pending += list((value.get("kwargs") or {}).values())
            elif options.get("task_id") == task_id:
                options["headers"] = {**(options.get("headers") or {}), REPLACES: {"id": task_id, "task": name}}
