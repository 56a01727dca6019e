"""Expressions, one method each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from safecelery.lint.ir import Node
from safecelery.lint.model import attributes
from safecelery.lint.model.displays import Displays
from safecelery.lint.model.environment import ENVIRON
from safecelery.lint.model.merging import merge
from safecelery.lint.model.operators import WORDS, binary, compare, truth
from safecelery.lint.model.quoting import describe_node
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import NONE, Env, Ext, Seq, Table, Val, merge_env, unknown
from safecelery.policy.facts import UNKNOWN

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Evaluator"]


class Evaluator(Displays):
    """Evaluates expressions for an interpreter."""

    def __init__(self, it: Interpreter) -> None:
        self.it = it
        self.table: dict[str, Callable[[Node, Frame], Val]] = {
            "k": self._constant, "n": self._name, "a": self._attribute, "c": self._call, "*": self._starred,
            "t": self._sequence, "l": self._sequence, "s": self._sequence, "d": self._dict, "b": self._binary,
            "u": self._unary, "o": self._boolean, "q": self._comparison, "i": self._conditional,
            "x": self._subscript, "sl": self._slice, "f": self._joined, "lam": self._lambda,
            "comp": self._comprehension, "w": self._walrus, "?": self._other, "val": self._ready,
        }  # fmt: skip

    def evaluate(self, node: Node, frame: Frame) -> Val:
        """The value of an expression; unknown rather than an exception, unless the program raises."""
        self.it.spend()
        return self.table[node[0]](node, frame)

    def _constant(self, node: Node, frame: Frame) -> Val:
        return Val(node[2])

    def _ready(self, node: Node, frame: Frame) -> Val:
        value: Val = node[2]
        return value

    def _other(self, node: Node, frame: Frame) -> Val:
        return unknown(node[2])

    def _name(self, node: Node, frame: Frame) -> Val:
        name = node[2]
        found = self.it.lookup(name, frame)
        if found is not None:
            return found
        if name in attributes.BUILTINS:
            return Val(Ext(f"builtins.{name}"))
        return unknown(name)

    def _attribute(self, node: Node, frame: Frame) -> Val:
        owner = self.evaluate(node[2], frame)
        return attributes.read(self.it, owner, node[3], self.it.at(frame, node[1], describe_node(node)), frame)

    def _starred(self, node: Node, frame: Frame) -> Val:
        return self.evaluate(node[2], frame)

    def _call(self, node: Node, frame: Frame) -> Val:
        function = self.evaluate(node[2], frame)
        args: list[Val] = []
        kwargs: dict[str, Val] = {}
        for argument in node[3]:
            value = self.evaluate(argument, frame)
            if argument[0] == "*":
                if isinstance(value.data, Seq) and not value.data.open:
                    args += value.data.items
                elif not (isinstance(value.data, Seq) and not value.data.items):
                    args.append(Val(Ext("*"), value.env, value.because))
            else:
                args.append(value)
        for key, argument in node[4]:
            value = self.evaluate(argument, frame)
            if key is not None:
                kwargs[key] = value.via(self.it.at(frame, argument[1], key))
            elif isinstance(value.data, Table):
                kwargs.update({name: item for name, item in value.data.items.items() if isinstance(name, str)})
                if value.data.open:
                    kwargs["**"] = unknown(describe_node(argument), value.env, value.because)
            else:
                kwargs["**"] = unknown(describe_node(argument), value.env, value.because)
        at = self.it.at(frame, node[1], describe_node(node))
        if isinstance(function.data, Ext) and function.data.name == "builtins.super":
            return attributes.superclass(frame, args)
        if isinstance(function.data, Ext) and function.data.name in ("builtins.locals", "builtins.globals"):
            names = frame.names if function.data.name == "builtins.locals" else frame.module.names
            if names is not frame.module.names:
                return Val(Table(names))
            if frame.module.table is None:
                frame.module.table = Table(names)
            return Val(frame.module.table)
        return self.it.call(function, args, kwargs, at)

    def _walrus(self, node: Node, frame: Frame) -> Val:
        value = self.evaluate(node[3], frame)
        self.it.bind(node[2], value, frame, node[1])
        return value

    def _binary(self, node: Node, frame: Frame) -> Val:
        left, right = self.evaluate(node[3], frame), self.evaluate(node[4], frame)
        return binary(node[2], left, right)

    def _unary(self, node: Node, frame: Frame) -> Val:
        value = self.evaluate(node[3], frame)
        if node[2] == "Not":
            decided = truth(value)
            return (
                unknown(describe(value), value.env, value.because) if decided is None else Val(not decided, value.env)
            )
        number = plain(value)
        if isinstance(number, int | float):
            if node[2] in ("USub", "UAdd"):
                return Val(-number if node[2] == "USub" else +number, value.env, value.because)
            if node[2] == "Invert" and isinstance(number, int):
                return Val(~number, value.env, value.because)
        return unknown(describe(value), value.env, value.because)

    def _boolean(self, node: Node, frame: Frame) -> Val:
        env: Env = ()
        unsure: list[Val] = []
        for index, part in enumerate(node[3]):
            value = self.evaluate(part, frame)
            env = merge_env(env, value.env)
            decided = truth(value)
            last = index == len(node[3]) - 1
            if decided is None:
                unsure.append(value)
                continue
            ends = decided is (node[2] == "Or")
            if ends and (not unsure or isinstance(value.data, bool)):
                if unsure and node[2] == "Or":
                    return merge([*unsure, value], describe(unsure[0])) or value
                return value.depending(env)
            if last:
                if unsure:
                    return merge([*unsure, value], describe(unsure[0])) or value
                return value.depending(env)
        blocker = unsure[0]
        return blocker if len(unsure) == 1 else unknown(describe(blocker), env, blocker.because)

    def _conditional(self, node: Node, frame: Frame) -> Val:
        test = self.evaluate(node[2], frame)
        decided = truth(test)
        if decided is not None:
            return self.evaluate(node[3] if decided else node[4], frame).depending(test.env)
        with self.it.perhaps():
            branches = [self.evaluate(node[3], frame), self.evaluate(node[4], frame)]
        return merge(branches, describe(test)) or NONE

    def _comparison(self, node: Node, frame: Frame) -> Val:
        left = self.evaluate(node[2], frame)
        env = left.env
        for name, other in node[3]:
            right = self.evaluate(other, frame)
            env = merge_env(env, right.env)
            if isinstance(right.data, Ext) and right.data.name in ENVIRON and name in ("In", "NotIn"):
                return self._in_environment(left, negated=name == "NotIn")
            decided = compare(name, left, right)
            if decided is None:
                blocker = right if plain(left) is not UNKNOWN else left
                return unknown(f"{describe(left)} {WORDS.get(name, name)} {describe(right)}", env, blocker.because)
            if not decided:
                return Val(False, env)
            left = right
        return Val(True, env)

    def _in_environment(self, key: Val, *, negated: bool) -> Val:
        name = plain(key)
        if not isinstance(name, str):
            return unknown("a variable in os.environ", key.env)
        return Val((name in self.it.environ) is not negated, (name,))

    def _subscript(self, node: Node, frame: Frame) -> Val:
        owner, key = self.evaluate(node[2], frame), self.evaluate(node[3], frame)
        return attributes.item(self.it, owner, key, self.it.at(frame, node[1], describe_node(node)))

    def _slice(self, node: Node, frame: Frame) -> Val:
        bounds = [NONE if part is None else self.evaluate(part, frame) for part in node[2:5]]
        numbers = [plain(bound) for bound in bounds]
        if any(number is not None and not isinstance(number, int) for number in numbers):
            return unknown("a slice")
        return Val(slice(*numbers))
