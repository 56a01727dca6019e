"""How long, how deep and under which conditions the interpreter runs; it knows nothing of what it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from safecelery.lint.model.protocols import Raised
from safecelery.lint.model.values import (
    Env,
    Function,
    merge_env,
)

__all__ = ["MOST_STEPS", "MOST_STEPS_OF_A_CALL", "Control"]

MOST_STEPS: Final = 4_000_000
"""Statements and expressions of a whole run; what a project of a million lines needs is a tenth of it."""
MOST_STEPS_OF_A_CALL: Final = 40_000
"""Steps of one call at a module's top level, with all the calls it makes."""
_MOST_RECURSION: Final = 3
"""Calls of a function within itself."""
_DEEPEST: Final = 28
"""Calls within calls."""


class Control:
    """Limits, so that every run ends, and the branches around what is being run."""

    def __init__(self) -> None:
        self.steps = 0
        self.depth = 0
        self.budget = 0
        self.limit = MOST_STEPS
        """The step at which what is running is given up."""
        self.uncertain = 0
        """Above 0: inside a branch that may not be taken, or a loop over unknown things."""
        self.condition: Env = ()
        """The environment variables that decided the branches being run."""
        self.catching: list[frozenset[str]] = []
        """What the ``try`` statements around catch."""

    def spend(self) -> None:
        """Count a step. Raises RecursionError when what is running has taken more than any project needs."""
        self.steps += 1
        if self.steps > self.limit:
            raise RecursionError("too many steps")

    def raise_if_caught(self, *names: str, env: Env = ()) -> None:
        """Raise :class:`Raised` if the interpreted program would catch it nearby; else go on with what is unknown."""
        for caught in reversed(self.catching):
            for name in names:
                if name in caught or "Exception" in caught or "BaseException" in caught:
                    raise Raised(name, merge_env(self.condition, env))

    @contextmanager
    def under(self, env: Env) -> Iterator[None]:
        """Inside a branch that these environment variables decided."""
        saved = self.condition
        self.condition = merge_env(saved, env)
        try:
            yield
        finally:
            self.condition = saved

    @contextmanager
    def perhaps(self) -> Iterator[None]:
        """Inside code that may not run."""
        self.uncertain += 1
        try:
            yield
        finally:
            self.uncertain -= 1

    @contextmanager
    def deeper(self, function: Function) -> Iterator[bool]:
        """One call deeper; yields False when that is too deep, or takes too long."""
        if self.depth == 0:
            self.budget = self.steps + MOST_STEPS_OF_A_CALL
        self.depth += 1
        function.active += 1
        try:
            yield self.depth <= _DEEPEST and function.active <= _MOST_RECURSION and self.steps < self.budget
        finally:
            self.depth -= 1
            function.active -= 1
