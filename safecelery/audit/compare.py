"""Where the facts read from source and those of the live app disagree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias

from safecelery.audit.secrets import without_secrets

__all__ = ["Comparison", "Difference", "compare"]

Document: TypeAlias = Mapping[str, Any]
"""A facts document, schema 1."""

Kind: TypeAlias = Literal["differs", "environment", "abstained", "unseen", "not-registered"]
"""differs: source says one thing, the live app another. environment: so, but the source's value is the default of an
environment variable. abstained: source cannot tell. unseen: a live task that source does not know. not-registered: the
other way round; a module that this app does not import, say."""

_WRONG: Final = ("differs", "unseen")

_WHEN_ABSENT: Final[Mapping[str, object]] = {
    "acks_late": False,
    "reject_on_worker_lost": False,
    "ignore_result": False,
    "track_started": False,
    "autoretry_for": [],
    "retry_backoff": False,
    "retry_backoff_max": 600,
    "retry_jitter": True,
}
"""What no value amounts to (celery/app/task.py, celery/app/autoretry.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One option or setting, or one whole task."""

    kind: Kind
    subject: str
    """The task's name, or ``app NAME``."""
    file: str
    line: int
    option: str = ""
    source: Any = None
    live: Any = None
    env: tuple[str, ...] = ()
    """The variables that the source's value depends on."""
    because: str = ""
    """Where source has its value from, or what it could not read."""


@dataclass(slots=True)
class Comparison:
    """All of it."""

    differences: list[Difference] = field(default_factory=list)
    compared: int = 0
    """Options and settings that were looked at."""
    tasks: int = 0
    """Live tasks of the tree that source was read from."""

    @property
    def agrees(self) -> bool:
        """Nothing is known wrongly, and no task was missed. To abstain is no disagreement."""
        return not any(item.kind in _WRONG for item in self.differences)

    def count(self, kind: Kind) -> int:
        """How many there are of a kind."""
        return sum(item.kind == kind for item in self.differences)

    def as_json(self) -> dict[str, Any]:
        """For tools."""
        return {
            "schema": 1,
            "agrees": self.agrees,
            "tasks": self.tasks,
            "compared": self.compared,
            "differences": [asdict(item) for item in self.differences],
        }


def compare(source: Document, live: Document) -> Comparison:
    """Join tasks by place, then by name; apps by name, or one to one.

    Live tasks that lie outside of the current directory (installed packages) are left out: no source was read there.
    """
    found = Comparison()
    _compare_apps(source, live, found)
    by_place = {(task["file"], task["line"]): task for task in source["tasks"]}
    by_name = {task["name"]: task for task in source["tasks"]}
    joined: set[int] = set()
    for task in live["tasks"]:
        if task["file"].startswith("/") or "site-packages/" in task["file"]:
            continue
        found.tasks += 1
        twin = by_place.get((task["file"], task["line"])) or by_name.get(task["name"])
        if twin is None:
            found.differences.append(_whole("unseen", task))
            continue
        joined.add(id(twin))
        for option, value in task["options"].items():
            if option in twin["options"]:
                _compare_value(found, task["name"], task, option, twin["options"][option], value)
    found.differences += [_whole("not-registered", task) for task in source["tasks"] if id(task) not in joined]
    return found


def _compare_apps(source: Document, live: Document, found: Comparison) -> None:
    (app,) = live["apps"]
    twins = [twin for twin in source["apps"] if twin["name"] == app["name"]]
    twins = [twin for twin in twins if twin["file"] == app["file"]] or twins
    if not twins and len(source["apps"]) == 1:
        twins = list(source["apps"])
    for twin in twins[:1]:
        for setting, value in twin["conf"].items():
            if setting in app["conf"]:
                _compare_value(found, f"app {app['name']}", app, setting, value, app["conf"][setting])


def _compare_value(
    found: Comparison, subject: str, place: Document, option: str, source: Document, live: Document
) -> None:
    found.compared += 1
    kind: Kind
    if source["state"] == "unknown":
        kind = "abstained"
    elif _normal(option, source["value"]) == _normal(option, live["value"]):
        return
    else:
        kind = "environment" if source["state"] == "default" and source.get("env") else "differs"
    found.differences.append(
        Difference(
            kind=kind,
            subject=subject,
            file=place["file"],
            line=place["line"],
            option=option,
            source=without_secrets(option, source.get("value")),
            live=live["value"],
            env=tuple(source.get("env") or ()),
            because="; ".join(_chain(source)),
        )
    )


def _whole(kind: Kind, task: Document) -> Difference:
    return Difference(kind=kind, subject=task["name"], file=task["file"], line=task["line"])


def _chain(value: Document) -> Iterator[str]:
    for link in value.get("because") or ():
        place = f"{link['file']}:{link['line']}" if link.get("line") else link.get("file") or ""
        yield f"{link['what']} at {place}" if place else str(link["what"])


def _normal(option: str, value: Any) -> Any:
    """What can be compared: durations in seconds, masked passwords alike, exceptions by their last name."""
    if value is None and option in _WHEN_ABSENT:
        value = _WHEN_ABSENT[option]
    if option in ("autoretry_for", "dont_autoretry_for") and isinstance(value, list | tuple):
        return sorted(str(name).rpartition(".")[2] for name in value)
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        return re.sub(r"://([^/@\s:]*):[^@\s]*@", r"://\1:***@", value)
    if isinstance(value, list | tuple):
        return [_normal("", item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _normal("", item) for key, item in value.items()}
    return value
