"""Which task this process sent with which id: what comes back for that id has to be that task's."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from safecelery.firewall.checks.canvas import signatures
from safecelery.message.result import REPLACES

__all__ = ["MOST", "SentTasks"]

#: Ids remembered, the youngest; about 200 bytes each. Beyond them, grants alone decide.
MOST: Final = 10_000


class SentTasks:
    """A bounded map from task ids to names."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._names: OrderedDict[str, str] = OrderedDict()

    def add(self, task_id: str, name: str) -> None:
        """This process sends this task with that id; the last one sent under an id is the one waited for."""
        self._names[task_id] = name
        self._names.move_to_end(task_id)
        while len(self._names) > self._most:
            try:
                self._names.popitem(last=False)
            except KeyError:  # another thread was faster
                break

    def add_message(self, headers: Mapping[str, Any], body: Any) -> None:
        """The task of a message about to be published, and those that it carries in chain, chord and callbacks."""
        self.add(str(headers.get("id")), _name(headers["task"], headers))
        embed = body[2] if isinstance(body, tuple | list) and len(body) == 3 else None
        if not isinstance(embed, dict) or not any(embed.values()):
            return
        for signature in signatures([list(embed.values())]):
            options, name = signature.get("options"), signature["task"]
            if not isinstance(options, dict):
                continue
            task_id = options.get("task_id")
            if isinstance(task_id, str) and isinstance(name, str):
                self.add(task_id, _name(name, options.get("headers")))

    def name_of(self, task_id: str) -> str | None:
        """The task, if this process sent it lately."""
        return self._names.get(task_id)


def _name(task: str, headers: Any) -> str:
    """The task, or the one that it replaces (safecelery/runtime/results/replaced.py)."""
    replaced = headers.get(REPLACES) if isinstance(headers, Mapping) else None
    return str(replaced["task"]) if isinstance(replaced, dict) and "task" in replaced else task
