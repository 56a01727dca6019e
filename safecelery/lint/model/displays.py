"""Expressions that make a container, a text or a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safecelery.lint.ir import Node
from safecelery.lint.model.methods import hide
from safecelery.lint.model.operators import LONGEST, truth
from safecelery.lint.model.quoting import describe_node
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import Env, Function, Seq, Table, Val, merge_env, unknown
from safecelery.policy.facts import UNKNOWN

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Displays"]


class Displays:
    """Lists, dicts, f-strings, lambdas, comprehensions."""

    it: Interpreter

    def evaluate(self, node: Node, frame: Frame) -> Val:
        """The value of an expression."""
        raise NotImplementedError

    def _sequence(self, node: Node, frame: Frame) -> Val:
        found = Seq(node[0], [])
        for element in node[2]:
            value = self.evaluate(element, frame)
            if element[0] != "*":
                found.items.append(value)
            elif isinstance(value.data, Seq):
                found.take(value.data.items, value.data.open)
            elif isinstance(value.data, Table):
                found.take([Val(key) for key in value.data.items], value.data.open)
            else:
                found.open = True
        return Val(found)

    def _dict(self, node: Node, frame: Frame) -> Val:
        table = Table()
        env: Env = ()
        for key, element in node[2]:
            value = self.evaluate(element, frame)
            if key is None:
                if isinstance(value.data, Table):
                    if value.data.open:
                        hide(table, describe_node(element))
                    table.items.update(value.data.items)
                else:
                    hide(table, describe_node(element))
                continue
            name = plain(self.evaluate(key, frame))
            try:
                if name is UNKNOWN:
                    table.open = True
                else:
                    table.items[name] = value.via(self.it.at(frame, element[1], str(name)))
            except TypeError:
                table.open = True
        return Val(table, env)

    def _joined(self, node: Node, frame: Frame) -> Val:
        text = ""
        env: Env = ()
        for part in node[2]:
            value = self.evaluate(part, frame)
            env = merge_env(env, value.env)
            item = plain(value)
            if item is UNKNOWN or isinstance(item, list | tuple | dict):
                return unknown(describe(value), env, value.because)
            text += str(item)
        return Val(text[:LONGEST], env)

    def _lambda(self, node: Node, frame: Frame) -> Val:
        parameters = node[2]
        return Val(
            Function(
                name="<lambda>",
                module=frame.module,
                line=node[1],
                def_line=node[1],
                parameters=parameters,
                defaults=[None if d is None else self.evaluate(d, frame) for d in parameters[2]],
                body=None,
                closure=frame.parent if frame.owner is not None else frame,
                expression=node[3],
            )
        )

    def _comprehension(self, node: Node, frame: Frame) -> Val:
        _, _, kind, element, generators = node
        inner = Frame(frame.module, {}, frame, method_of=frame.method_of, this=frame.this)
        results: list[Any] = []
        env: Env = ()
        if len(generators) == 1:
            source = self.evaluate(generators[0][1], frame)
            env = source.env
            generators = [[generators[0][0], ["val", node[1], source], generators[0][2]]]
        complete = self._generate(generators, 0, element, kind, inner, results)
        if not complete:
            return unknown(describe_node(generators[0][1]))
        if kind == "d":
            table = Table()
            for key, value in results:
                name = plain(key)
                try:
                    if name is UNKNOWN:
                        table.open = True
                    else:
                        table.items[name] = value
                except TypeError:
                    table.open = True
            return Val(table, env)
        return Val(Seq("l" if kind == "g" else kind, results), env)

    def _generate(
        self, generators: list[Node], depth: int, element: Node, kind: str, frame: Frame, into: list[Any]
    ) -> bool:
        if depth == len(generators):
            if kind == "d":
                into.append((self.evaluate(element[0], frame), self.evaluate(element[1], frame)))
            else:
                into.append(self.evaluate(element, frame))
            return len(into) < LONGEST
        target, iterable, conditions = generators[depth]
        from safecelery.lint.model.statements import Executor

        executor = Executor(self.it)
        items = executor.items_of(self.evaluate(iterable, frame))
        if items is None or len(items) > 2000:
            return False
        for item in items:
            executor.store(target, item, frame, 0)
            decided: bool | None = True
            for condition in conditions:
                decided = truth(self.evaluate(condition, frame))
                if decided is not True:
                    break
            if decided is None:
                return False
            if decided and not self._generate(generators, depth + 1, element, kind, frame, into):
                return False
        return True
