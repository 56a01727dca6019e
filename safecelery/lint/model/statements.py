"""Statements, one method each, in the parts that this brings together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from safecelery.lint.ir import Node
from safecelery.lint.model.assigning import Assigning
from safecelery.lint.model.branching import Branching
from safecelery.lint.model.defining import Defining
from safecelery.lint.model.importing import Importing
from safecelery.lint.model.looping import Looping
from safecelery.lint.model.parts import Signal
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.trying import Trying

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Executor"]


class Executor(Assigning, Branching, Looping, Trying, Defining, Importing):
    """Runs statements for an interpreter."""

    def __init__(self, it: Interpreter) -> None:
        self.it = it
        self.table: dict[str, Callable[[Node, Frame], Signal]] = {
            "=": self._assign, "ann": self._annotated, "aug": self._augmented, "e": self._expression, "if": self._if,
            "for": self._for, "while": self._while, "with": self._with, "try": self.trying, "def": self._def,
            "class": self._class, "imp": self._import, "from": self._from, "ret": self._return, "raise": self._raise,
            "del": self._del, "glob": self._global, "brk": self._break, "cont": self._continue,
            "match": self._match,
        }  # fmt: skip

    def block(self, body: list[Node], frame: Frame) -> Signal:
        """Run statements until one of them leaves the block."""
        for index, node in enumerate(body):
            self.it.spend()
            signal = self.table[node[0]](node, frame)
            if signal is not None:
                if signal[0] == "raise" and self._at_top_level(frame):
                    continue  # the module is in use, so in its real environment it does not come to this
                return signal
            if frame.leaving and index + 1 < len(body):
                return self._unless_left(body[index + 1 :], frame)
        return None

    def _at_top_level(self, frame: Frame) -> bool:
        """In no branch that something decides and no ``try``: of a module, not of a function."""
        it = self.it
        return frame.names is frame.module.names and not (it.catching or it.condition or it.uncertain)

    def _unless_left(self, rest: list[Node], frame: Frame) -> Signal:
        """What follows a ``break`` or ``continue`` in a branch that may have been taken."""
        why, stopping, frame.leaving = frame.leaving, frame.stopping, ""
        signal = self.fork([rest, []], frame, why)
        frame.leaving, frame.stopping = why, stopping or frame.stopping
        return signal
