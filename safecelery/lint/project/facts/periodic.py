"""Schedules that code adds: ``app.add_periodic_task(schedule, task.s(...), name=..., expires=...)``.

Such calls stand in handlers of ``on_after_configure``, which Celery calls when an app is ready; so every place that
makes one is taken to make it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from safecelery.lint.ir import Node
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.scope import Frame, Module
from safecelery.lint.model.values import Seq, Table, Val
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.facts.evidence import Subject
from safecelery.lint.project.facts.schedules import schedule_subject
from safecelery.lint.project.objects import App, Task
from safecelery.policy.facts import Place

__all__ = ["periodic_subjects"]

_PARAMETERS: Final = ("schedule", "sig", "args", "kwargs", "name")
"""``Celery.add_periodic_task``, in order; every other keyword is an option for ``apply_async``."""


def periodic_subjects(analysis: Analysis, app: App) -> Iterator[Subject]:
    """Every such call on this app; on one that cannot be told apart, if there is no other app."""
    found: dict[str, Any] | None = None
    for module in analysis.modules.running():
        for _, _, _, imports, call in module.calls:
            function = call[2]
            if function[0] != "a" or function[3] != "add_periodic_task":
                continue
            if found is None:
                found = {options.name: options for options in (analysis.options(t, app) for t in analysis.tasks)}
            frame = Frame(module, {})
            analysis.it.block(imports, frame)
            owner = analysis.it.evaluate(function[2], frame).data
            if owner is app or (not isinstance(owner, App) and analysis.judged_apps() == [app]):
                yield _entry(analysis, found, module, frame, call)


def _entry(analysis: Analysis, by_name: Mapping[str, Any], module: Module, frame: Frame, call: Node) -> Subject:
    _, line, _, positional, keywords = call
    nodes: dict[str, Node] = dict(zip(_PARAMETERS, positional, strict=False))
    nodes |= {key: node for key, node in keywords if key is not None}
    opened = any(key is None for key, _ in keywords)
    options = {key: analysis.it.evaluate(node, frame) for key, node in nodes.items() if key not in _PARAMETERS}
    task, args, kwargs = _signature(analysis, frame, nodes.get("sig"))
    fields = {
        "task": task,
        "schedule": analysis.it.evaluate(nodes["schedule"], frame) if "schedule" in nodes else Val(None),
        "options": Val(Table(dict(options), opened)),
        "args": args,
        "kwargs": kwargs,
    }
    name = plain(analysis.it.evaluate(nodes["name"], frame)) if "name" in nodes else None
    if not isinstance(name, str):
        name = (
            task.data.default_name
            if isinstance(task.data, Task)
            else describe(task)
            if task.is_unknown
            else str(plain(task) or "a task")
        )
    return schedule_subject(analysis, by_name, name, Place(module.path, line), fields)


def _signature(analysis: Analysis, frame: Frame, node: Node | None) -> tuple[Val, Val, Val]:
    """The task of ``task.s(1, b=2)`` or ``signature("name", args=..)``, and what it is given."""
    unread = Val(Seq("l", [], True)), Val(Table({}, True))
    if node is None or node[0] != "c":
        return Val(None), *unread
    _, _, function, positional, keywords = node
    method = function[3] if function[0] == "a" else function[2] if function[0] == "n" else ""
    if method in ("s", "si") and function[0] == "a":
        owner = analysis.it.evaluate(function[2], frame)
        if any(key is None for key, _ in keywords) or any(part[0] == "*" for part in positional):
            return owner, *unread
        args = [analysis.it.evaluate(part, frame) for part in positional]
        kwargs = {key: analysis.it.evaluate(part, frame) for key, part in keywords}
        return owner, Val(Seq("l", args)), Val(Table(kwargs))
    named = function[2] if function[0] == "a" else positional[0] if positional else None
    if method in ("signature", "subtask") and named is not None:
        return analysis.it.evaluate(named, frame), *unread
    return Val(None), *unread
