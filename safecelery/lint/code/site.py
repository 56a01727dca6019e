"""One place that a detector met, and the order of detectors."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from safecelery.lint.code.body import Body
    from safecelery.lint.code.module import Module

__all__ = ["Detector", "ModuleDetector", "Site"]


class Site(NamedTuple):
    """A place of one ``kind`` (safecelery.policy.kinds)."""

    kind: str
    node: ast.AST
    """Anything with a position."""
    detail: str
    certain: bool = True
    """False: a part that would decide cannot be seen."""


Detector: TypeAlias = "Callable[[Body], Iterator[Site]]"
"""Looks at one function."""

ModuleDetector: TypeAlias = "Callable[[Module], Iterator[Site]]"
"""Looks at a whole module: for what stands outside of functions."""
