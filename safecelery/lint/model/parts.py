"""What the parts of the executor have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from safecelery.lint.ir import Node
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import Deferred, Table, Val

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["OF_LOOPS", "Part", "Signal"]

Signal: TypeAlias = tuple[str, Val] | None
"""How a block ended: None at its end, else "ret", "brk", "cont" or "raise"."""

OF_LOOPS = ("brk", "cont")
"""Signals that a loop takes."""


class Part:
    """One group of statements. The whole is :class:`safecelery.lint.model.statements.Executor`."""

    it: Interpreter

    def block(self, body: list[Node], frame: Frame) -> Signal:
        """Run statements until one of them leaves the block."""
        raise NotImplementedError

    def store(self, target: Node, value: Val, frame: Frame, line: int) -> None:
        """Assign a value to a name, attribute, item or several of them."""
        raise NotImplementedError

    def put(self, table: Table, key: Any, value: Val) -> None:
        """Set an item, which may not happen at all."""
        raise NotImplementedError

    def fork(self, branches: Sequence[list[Node]], frame: Frame, why: str) -> Signal:
        """Run several blocks of which one is taken, and keep what they agree on."""
        raise NotImplementedError

    def trying(self, node: Node, frame: Frame) -> Signal:
        """A ``try`` statement."""
        raise NotImplementedError

    def items_of(self, value: Val) -> list[Val] | None:
        """What a loop over it meets; None if that is not known."""
        raise NotImplementedError

    def may_wait(self, frame: Frame) -> bool:
        """What stands here is evaluated once, and whatever surrounds it will be the same when somebody asks for it."""
        return (
            (frame.owner is not None or frame.names is frame.module.names)
            and not self.it.uncertain
            and not self.it.condition
            and not self.it.catching
        )

    def waiting(self, node: Node, name: str, frame: Frame, line: int, *, noted: bool = True) -> Val:
        """An expression that is evaluated when somebody needs its value."""
        value = Val(Deferred(node, frame, self.it.at(frame, line, name), self.it, noted))
        (frame.module.deferred if frame.owner is None else frame.module.in_classes).append(value)
        return value
