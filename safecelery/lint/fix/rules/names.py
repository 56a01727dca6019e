"""Options under a name that nobody reads (SFC415, SFC901, SFC902).

Safe, for the declaration then does what it says; but for options such as ``ignore_result``, which takes results away
from callers that may wait for them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from safecelery.lint.finding import Finding
from safecelery.lint.fix.arguments import rename_keyword
from safecelery.lint.fix.declaration import declaration_at
from safecelery.lint.fix.edits import Fix
from safecelery.lint.fix.places import calls_at, mentions
from safecelery.lint.fix.rules.fixer import one
from safecelery.lint.fix.source import Source
from safecelery.policy.limits import Limits
from safecelery.policy.vocabulary import SIGNATURE_OPTIONS, TASK_MEMBERS, TASK_OPTIONS, TASK_OPTIONS_WITHHELD

__all__ = ["call_options", "meant", "task_options"]

_NEAR: Final = 0.8
_APART: Final = 0.05
"""How much nearer than the second the nearest name must be, so that there is only one to choose."""
_CHANGES_RESULTS: Final = frozenset({"ignore_result", "serializer", "compression"})


def meant(name: str, known: Iterable[str]) -> str | None:
    """The one known name that a misspelt one stands for, if there is only one."""
    from difflib import SequenceMatcher

    bare = name.lower().removeprefix("celery_").removeprefix("task_")
    options = sorted(known)
    if bare in options:
        return bare
    ranked = sorted(((SequenceMatcher(None, bare, option).ratio(), option) for option in options), reverse=True)
    (best, nearest), (second, _) = ranked[:2]
    return nearest if best >= _NEAR and best - second >= _APART else None


def task_options(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Rename a misspelt option of a task, or drop it where the right one is stated beside it."""
    declaration = declaration_at(source, finding.line)
    if declaration is None:
        return ()
    stated = declaration.stated
    fixes: list[Fix] = []
    for name in stated:
        if name in TASK_OPTIONS | TASK_MEMBERS | set(TASK_OPTIONS_WITHHELD) or not mentions(finding, name):
            continue
        right = meant(name, TASK_OPTIONS)
        if right is None:
            continue
        if right in stated:
            fixes += one(f"remove {name}, as {right} is stated", declaration.remove(name), safe=True)
        elif not isinstance(declaration.node, ast.Call) or all(k.arg for k in declaration.node.keywords):
            # "**more" might bring the right name too, and a name twice is an error
            safe = right not in _CHANGES_RESULTS
            fixes += one(f"rename {name} to {right}", declaration.rename(name, right), safe=safe)
    return tuple(fixes)


def call_options(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Rename a misspelt option of ``apply_async`` and its like."""
    fixes: list[Fix] = []
    for call in calls_at(source, finding.line):
        names = {keyword.arg for keyword in call.keywords}
        for keyword in call.keywords:
            name = keyword.arg
            if name is None or name in SIGNATURE_OPTIONS or not mentions(finding, name):
                continue
            right = meant(name, SIGNATURE_OPTIONS)
            if right is not None and right not in names and None not in names:
                safe = right not in _CHANGES_RESULTS
                fixes += one(f"rename {name} to {right}", rename_keyword(source, keyword, right), safe=safe)
    return tuple(fixes)
