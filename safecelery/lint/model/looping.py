"""Loops: over known things round by round, else as a branch that may be taken."""

from __future__ import annotations

from safecelery.lint.ir import Node
from safecelery.lint.model.parts import OF_LOOPS, Part, Signal
from safecelery.lint.model.quoting import describe_node
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import Ext, Seq, Table, Val, unknown

__all__ = ["Looping"]

_MOST_ROUNDS = 300
_MOST_STEPS_OF_A_LOOP = 40_000


class Looping(Part):
    """``for`` and ``while``."""

    def _for(self, node: Node, frame: Frame) -> Signal:
        outer = frame.leaving, frame.stopping
        frame.leaving, frame.stopping = "", False
        signal = self._rounds(node, frame)
        frame.leaving, frame.stopping = outer
        return None if signal is not None and signal[0] in OF_LOOPS else signal

    def _rounds(self, node: Node, frame: Frame) -> Signal:
        _, line, target, iterable, body, orelse = node
        items = self.items_of(self.it.evaluate(iterable, frame))
        if items is None or len(items) > _MOST_ROUNDS:
            return self._perhaps_a_round(node, describe_node(iterable), frame)
        start = self.it.steps
        for item in items:
            if self.it.steps - start > _MOST_STEPS_OF_A_LOOP:
                return self._perhaps_a_round(node, f"a long loop over {describe_node(iterable)}", frame)
            self.store(target, item, frame, line)
            signal = self.block(body, frame)
            if signal is not None and signal[0] != "cont":
                return signal
            if frame.stopping:
                return self._perhaps_a_round(node, frame.leaving, frame)
            frame.leaving = ""
        return self.block(orelse, frame) if orelse else None

    def _perhaps_a_round(self, node: Node, why: str, frame: Frame) -> Signal:
        """Any number of rounds over nobody knows what, and perhaps what follows them."""
        _, line, target, _, body, orelse = node
        frame.leaving = ""
        item: Node = ["=", line, [target], ["val", line, unknown(why)]]
        signal = self.fork([[item, *body], []], frame, why)
        frame.leaving = ""
        return self.fork([orelse, []], frame, why) if orelse and signal is None else signal

    def items_of(self, value: Val) -> list[Val] | None:
        """What a loop over it meets; None if that is not known."""
        data = value.data
        if isinstance(data, Seq) and not data.open:
            return [item.depending(value.env) for item in data.items]
        if isinstance(data, Table) and not data.open:
            return [Val(key, value.env) for key in data.items]
        if isinstance(data, Ext) and data.name == "os.environ":
            return []
        if isinstance(data, str):
            return [Val(character, value.env) for character in data[: _MOST_ROUNDS + 1]]
        return None

    def _while(self, node: Node, frame: Frame) -> Signal:
        test = self.it.evaluate(node[2], frame)
        if self.it.truth(test) is False:
            return None
        outer = frame.leaving, frame.stopping
        frame.leaving, frame.stopping = "", False
        for _ in range(_MOST_ROUNDS):
            # Rounds that are certain run one by one; what is left after them is any number of rounds.
            if self.it.truth(test) is not True or test.env:
                break
            signal = self.block(node[3], frame)
            if frame.leaving or (signal is not None and signal[0] != "cont"):
                frame.leaving, frame.stopping = outer
                return None if signal is not None and signal[0] in OF_LOOPS else signal
            test = self.it.evaluate(node[2], frame)
            if self.it.truth(test) is False:
                frame.leaving, frame.stopping = outer
                return None
        signal = self.fork([node[3], []], frame, describe_node(node[2]))
        frame.leaving, frame.stopping = outer
        return signal
