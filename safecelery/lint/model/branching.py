"""Branches: one is taken, or all are run and what they agree on is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safecelery.lint.ir import Node
from safecelery.lint.model.merging import merge
from safecelery.lint.model.parts import OF_LOOPS, Part, Signal
from safecelery.lint.model.quoting import describe_node
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import NONE, Deferred, Env, ExtInstance, Instance, Val, merge_env, unknown
from safecelery.policy.facts import UNKNOWN

__all__ = ["Branching", "assigned_in"]


class Branching(Part):
    """``if``, ``match``, ``with``, and what leaves a block."""

    def _if(self, node: Node, frame: Frame) -> Signal:
        test = self.it.evaluate(node[2], frame)
        decided = self.it.truth(test)
        if decided is not None:
            branch, other = (node[3], node[4]) if decided else (node[4], node[3])
            if not test.env:
                return self.block(branch, frame) if branch else None
            self._not_taken(other, frame, test.env)
            with self.it.under(test.env):
                signal = self.block(branch, frame)
            if signal is not None and signal[0] == "raise" and not self.it.catching:
                self._require(test.env, frame)
                return None
            return signal
        return self.fork([node[3], node[4]], frame, describe(test))

    def _not_taken(self, branch: list[Node], frame: Frame, env: Env) -> None:
        """Where the environment says otherwise this branch runs: what it sets depends on that."""
        for name in assigned_in(branch):
            if name in frame.names:
                frame.names[name] = frame.names[name].depending(env)
        if any(statement[0] == "ret" for statement in branch):
            self.it.condition = merge_env(self.it.condition, env)

    def _require(self, env: tuple[str, ...], frame: Frame) -> None:
        """The code raises without these variables; so where it is in use they are set, to what nobody can tell."""
        frame.required = merge_env(frame.required, env)
        for name, value in frame.names.items():
            if isinstance(value.data, Deferred) and value.data.value is not None:
                value = value.data.value
            if value.data in (None, "") and set(value.env) & set(env):
                frame.names[name] = unknown(f"environment variable {value.env[0]}", value.env, value.because)

    def fork(self, branches: Sequence[list[Node]], frame: Frame, why: str) -> Signal:
        """Run several blocks of which one is taken, and keep what they agree on."""
        before = dict(frame.names)
        endings: list[tuple[dict[str, Val], Signal]] = []
        with self.it.perhaps():
            for branch in branches:
                frame.names.clear()
                frame.names.update(before)
                signal = self.block(branch, frame)
                endings.append((dict(frame.names), signal))
        through = [names for names, signal in endings if signal is None or signal[0] in OF_LOOPS]
        left = [signal for _, signal in endings if signal is not None and signal[0] == "ret"]
        kept = through or [names for names, _ in endings]
        merged: dict[str, Val] = {}
        for name in dict.fromkeys(name for names in kept for name in names):
            value = merge([names.get(name) for names in kept], why)
            if value is not None:
                merged[name] = value
        frame.names.clear()
        frame.names.update(merged)
        if through:
            if left:
                # One way out returned: what follows may or may not run, and what is returned is one of several.
                earlier = [] if frame.returned is None else [frame.returned]
                frame.returned = merge([*earlier, *(signal[1] for signal in left)], why)
                self.it.uncertain += 1  # for the rest of the call
            return self._left_by(
                [signal for _, signal in endings if signal is None or signal[0] in OF_LOOPS], frame, why
            )
        if left:
            return "ret", merge([signal[1] for signal in left], why) or NONE
        return "raise", NONE

    def _left_by(self, signals: list[Signal], frame: Frame, why: str) -> Signal:
        """How branches end together of which some may leave a round of a loop."""
        kinds = {None if signal is None else signal[0] for signal in signals}
        if kinds == {None}:
            return None
        if len(kinds) > 1:
            frame.leaving, frame.stopping = why, frame.stopping or "brk" in kinds
        return None if None in kinds else ("brk" if kinds == {"brk"} else "cont", NONE)

    def _with(self, node: Node, frame: Frame) -> Signal:
        suppressed: set[str] = set()
        for context, target in node[2]:
            value = self.it.evaluate(context, frame)
            if isinstance(value.data, ExtInstance) and value.data.name == "contextlib.suppress":
                suppressed |= {str(getattr(a.data, "name", "")).rpartition(".")[2] for a in value.data.args}
            if target is not None:
                entered = value if isinstance(value.data, Instance) else unknown(describe_node(context))
                self.store(target, entered, frame, node[1])
        if not suppressed:
            return self.block(node[3], frame)
        handler: Node = [["t", node[1], [["n", node[1], name] for name in sorted(suppressed)]], None, []]
        return self.trying(["try", node[1], node[3], [handler], [], []], frame)

    def _match(self, node: Node, frame: Frame) -> Signal:
        subject = self.it.evaluate(node[2], frame)
        for pattern, body in zip(node[4], node[3], strict=True):
            fits = self._fits(subject, pattern, frame)
            if fits is None:
                return self.fork([*node[3], []], frame, f"match {describe_node(node[2])}")
            if fits:
                with self.it.under(subject.env):
                    return self.block(body, frame)
        return None

    def _fits(self, subject: Val, pattern: list[Node] | bool | None, frame: Frame) -> bool | None:
        """Whether a case is taken; None if that cannot be told."""
        if pattern is None or isinstance(pattern, bool):
            return pattern
        known, wanted = plain(subject), [plain(self.it.evaluate(node, frame)) for node in pattern]
        if known is UNKNOWN or any(value is UNKNOWN for value in wanted):
            return None
        return known in wanted

    def _return(self, node: Node, frame: Frame) -> Signal:
        value = NONE if node[2] is None else self.it.evaluate(node[2], frame)
        return "ret", value.depending(self.it.condition)

    def _raise(self, node: Node, frame: Frame) -> Signal:
        target = node[2]
        while target is not None and target[0] == "c":
            target = target[2]
        name = "Exception" if target is None else target[3] if target[0] == "a" else target[2]
        return "raise", Val(name if isinstance(name, str) else "Exception", self.it.condition)

    def _break(self, node: Node, frame: Frame) -> Signal:
        return "brk", NONE

    def _continue(self, node: Node, frame: Frame) -> Signal:
        return "cont", NONE


def assigned_in(branch: list[Node]) -> set[str]:
    """The names that a block may assign to, functions and classes inside left out."""
    found: set[str] = set()
    stack: list[Any] = list(branch)
    while stack:
        node = stack.pop()
        if not isinstance(node, list) or not node or node[0] in ("def", "class", "lam"):
            continue
        targets = {"=": node[2:3], "ann": [node[2:3]], "aug": [node[3:4]], "for": [node[2:3]]}.get(str(node[0]))
        for target in targets[0] if targets and len(node) > 3 else ():
            for part in target[2] if target[0] in ("t", "l") else [target]:
                if part[0] == "n":
                    found.add(part[2])
        stack.extend(part for part in node if isinstance(part, list))
    return found
