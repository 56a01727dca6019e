"""Options of task declarations and of calls: nothing that nobody reads, nothing beyond what the policy grants."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from celery import Celery

from safecelery.errors import PolicyViolationError, UnknownOptionError, did_you_mean
from safecelery.policy.facts import Place
from safecelery.policy.vocabulary import CALL_OPTIONS, TASK_MEMBERS, TASK_OPTIONS, TASK_OPTIONS_WITHHELD
from safecelery.runtime.facts import call_facts
from safecelery.runtime.guard import guard_of

__all__ = ["check_call", "check_declaration"]


def check_declaration(name: str, base: type[Any], options: Iterable[str], where: Place) -> None:
    """Options of a decorator: those of Celery, and attributes that the base class has.

    Raises:
        UnknownOptionError: an option that nothing would read, or one that would take a guard away.
    """
    for option in options:
        if reason := TASK_OPTIONS_WITHHELD.get(option):
            raise UnknownOptionError(f"task {name!r} [{where}]: {option!r} is not for declarations to set: {reason}")
    unknown = [
        option
        for option in options
        if option not in TASK_OPTIONS and (option in TASK_MEMBERS or not hasattr(base, option))
    ]
    if unknown:
        raise UnknownOptionError(
            f"task {name!r} [{where}]: nothing reads the option {_suggest(unknown, TASK_OPTIONS)}; "
            "remove it, or correct the name"
        )


def check_call(app: Celery, name: str, options: Mapping[str, Any], *, task: Any = None) -> None:
    """Options of one call.

    Args:
        app: the calling app.
        name: the task's name.
        options: as given to ``apply_async``, ``send_task`` or ``signature``.
        task: the registered task, where its code is at hand; else the worker's clamp is what holds its limits.

    Raises:
        UnknownOptionError: an option that nothing would read.
        PolicyViolationError: the call asks for more than the policy grants.
    """
    if not options:
        return
    guard = guard_of(app)
    facts = call_facts(name, options, task=task, where=_SOMEWHERE)
    try:
        guard.enforce(facts, unknown="fail" if task is not None else "pass")
    except PolicyViolationError:
        where = _caller()  # looked for only now: finding it costs more than the check
        if isinstance(facts.unknown_options, tuple) and facts.unknown_options:
            raise UnknownOptionError(
                f"call of task {name!r} [{where}]: nothing reads the option "
                f"{_suggest(facts.unknown_options, CALL_OPTIONS)}; remove it, or correct the name"
            ) from None
        guard.enforce(call_facts(name, options, task=task, where=where), unknown="fail" if task is not None else "pass")
        raise


_SOMEWHERE = Place("call")


def _suggest(unknown: Iterable[str], known: Iterable[str]) -> str:
    return ", ".join(f"{option!r}{did_you_mean(option, known)}" for option in unknown)


def _caller() -> Place:
    """The first frame outside safecelery and Celery."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _package(frame.f_globals) in ("safecelery", "celery"):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)


def _package(module: Mapping[str, Any]) -> str:
    return str(module.get("__name__", "")).partition(".")[0]
