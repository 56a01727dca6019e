"""The places that send tasks, as facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safecelery.lint.ir import Node
from safecelery.lint.model.interpreter import Interpreter
from safecelery.lint.model.quoting import describe_node
from safecelery.lint.model.reading import plain
from safecelery.lint.model.scope import Frame, Module
from safecelery.lint.model.values import Class, Table, Val
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.facts.evidence import Subject, stated
from safecelery.lint.project.names import SAFE_TASKS
from safecelery.lint.project.objects import Task
from safecelery.policy.facts import ABSENT, UNKNOWN, CallFacts, Place
from safecelery.policy.vocabulary import CALL_OPTIONS, SIGNATURE_OPTIONS, unknown_call_options

__all__ = ["call_subjects"]

_OF_POOLS = frozenset({"callback", "error_callback"})
"""What ``apply_async`` of ``multiprocessing`` takes, and no task's."""
_CALLING = frozenset({"apply_async", "apply_async_on_commit"})


def call_subjects(analysis: Analysis, visibility: Mapping[int, object]) -> Iterator[Subject]:
    """Every call that gives options."""
    by_name = {analysis.options(task, analysis.primary(task)).name: task for task in analysis.tasks}
    for module in analysis.modules.running():
        for _, column, _, imports, call in module.calls:
            subject = _call(analysis, module, by_name, imports, call, visibility)
            if subject is not None:
                yield Subject(subject[0], subject[1], column=column)


def _call(
    analysis: Analysis,
    module: Module,
    by_name: Mapping[str, Task],
    imports: list[Node],
    call: Node,
    visibility: Mapping[int, object],
) -> tuple[CallFacts, dict[str, Val]] | None:
    _, line, function, args, keywords = call
    method = function[3] if function[0] == "a" else function[2] if function[0] == "n" else ""
    if method not in _CALLING and method not in ("send_task", "signature", "subtask", "set"):
        return None
    if not keywords and method not in _CALLING:
        return None
    it = analysis.it
    frame = Frame(module, {})
    it.block(imports, frame)
    called = _called(it, frame, by_name, method, function, args)
    if called is None:
        return None
    task, name = called
    options, opened = _options(it, frame, keywords)
    if task is None and not _OF_POOLS.isdisjoint(options):
        return None
    if task is not None:
        app = analysis.primary(task)
        effective = analysis.options(task, app)
        name = effective.name
        limits = stated(effective.effective("time_limit")), stated(effective.effective("soft_time_limit"))
        expires = stated(effective.effective("expires"))
        if _overrides(effective.bases, method):
            opened = True
    else:
        app, limits, expires = None, (UNKNOWN, UNKNOWN), UNKNOWN
    known = SIGNATURE_OPTIONS if method in ("signature", "subtask", "set") else CALL_OPTIONS
    read = {key: stated(value) for key, value in options.items()}
    facts = CallFacts(
        task=name if isinstance(name, str) else describe_node(function[2]) if function[0] == "a" else "a task",
        where=Place(module.path, line),
        time_limit=_given(read, "time_limit", opened),
        soft_time_limit=_given(read, "soft_time_limit", opened),
        task_time_limit=limits[0],
        task_soft_time_limit=limits[1],
        serializer=_serializer(read, opened),
        retries=_given(read, "retries", opened),
        unknown_options=UNKNOWN if opened else unknown_call_options(read, known),
        delay_s=_delay(read, options),
        expires_s=_given(read, "expires", opened=False),
        visibility_timeout_s=visibility.get(id(app), UNKNOWN),
        task_expires_s=UNKNOWN if opened else expires,
    )
    return facts, options


def _called(
    it: Interpreter, frame: Frame, by_name: Mapping[str, Task], method: str, function: Node, args: list[Node]
) -> tuple[Task | None, object] | None:
    """The task that is called and the name it is called by; None if this is no call of a task."""
    task: Task | None = None
    name: object = UNKNOWN
    if method in _CALLING or (method in ("signature", "subtask") and function[0] == "a"):
        owner = it.evaluate(function[2], frame)
        if isinstance(owner.data, Task):
            task = owner.data
        elif method not in _CALLING:
            return None
    elif args:
        name = plain(it.evaluate(args[0], frame))
        task = by_name.get(name) if isinstance(name, str) else None
    if method == "send_task" and not isinstance(name, str) and not _telling(function):
        return None
    return task, name


def _options(it: Interpreter, frame: Frame, keywords: list[Any]) -> tuple[dict[str, Val], bool]:
    """The options a call states, and whether it may state more that cannot be read."""
    options: dict[str, Val] = {}
    opened = False
    for key, node in keywords:
        value = it.evaluate(node, frame)
        if key is not None:
            options[key] = value.via(it.at(frame, node[1], key))
        elif isinstance(value.data, Table):
            options.update({str(k): v for k, v in value.data.items.items()})
            opened |= value.data.open
        else:
            opened = True
    return options, opened


def _given(read: Mapping[str, Any], name: str, opened: bool) -> Any:
    if name in read:
        return read[name]
    return UNKNOWN if opened else ABSENT


def _serializer(read: Mapping[str, Any], opened: bool) -> Any:
    value = _given(read, "serializer", opened)
    return ABSENT if value is None else value


def _delay(read: Mapping[str, Any], options: Mapping[str, Val]) -> Any:
    if "countdown" in read:
        return ABSENT if read["countdown"] is None else read["countdown"]
    if "eta" in options:
        return UNKNOWN if read["eta"] is not None else ABSENT
    return ABSENT


def _overrides(bases: list[Any], method: str) -> bool:
    """A base class has the method itself, and may take options of its own."""
    for base in bases:
        if isinstance(base, Class):
            if method in base.attributes or "apply_async" in base.attributes:
                return True
        elif getattr(base, "name", "") not in (
            "celery.app.task.Task",
            "celery.Task",
            "celery.contrib.django.task.Task",
            *SAFE_TASKS,
        ):
            return True
    return False


def _telling(function: Node) -> bool:
    return function[0] == "a" and "celery" in describe_node(function).lower()
