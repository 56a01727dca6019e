"""Functions and classes, with their decorators."""

from __future__ import annotations

from safecelery.lint.finding import Because
from safecelery.lint.ir import Node
from safecelery.lint.model.parts import Part, Signal
from safecelery.lint.model.quoting import describe_node, last_name
from safecelery.lint.model.reading import describe
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import Class, Function, Instance, Seq, Unknown, Val, unknown

__all__ = ["Defining"]

_WAITING = frozenset({"n", "a", "c"})


class Defining(Part):
    """``def`` and ``class``."""

    def _def(self, node: Node, frame: Frame) -> Signal:
        _, line, def_line, name, decorators, parameters, body, _ = node
        function = Function(
            name=name,
            module=frame.module,
            line=line,
            def_line=def_line,
            parameters=parameters,
            defaults=[None if d is None or body is None else self._default(d, frame) for d in parameters[2]],
            body=body,
            closure=frame.parent if frame.owner is not None else frame,
            owner=frame.owner,
            decorators=tuple(filter(None, (last_name(d) for d in decorators))),
        )
        frame.module.functions.append(function)
        value = Val(function)
        if decorators:
            written_ones = [node for node in decorators if not self._leaves_it(node, frame)]
            made = [self.it.evaluate(decorator, frame) for decorator in written_ones]
            for decorator, written in zip(reversed(made), reversed(written_ones), strict=True):
                at = self.it.at(frame, written[1], f"@{describe_node(written)}")
                result = self.it.call(decorator, [value], {}, at)
                if not isinstance(result.data, Unknown):
                    value = result
        if frame.owner is not None and "setter" in function.decorators:
            frame.names[f"{name}.setter"] = Val(function)  # the name still means the property
            return None
        self.it.bind(name, value, frame, line)
        return None

    def _default(self, node: Node, frame: Frame) -> Val:
        """The default of a parameter, which few functions that matter are called without."""
        if node[0] not in _WAITING or not self.may_wait(frame):
            return self.it.evaluate(node, frame)
        return self.waiting(node, describe_node(node), frame, node[1], noted=False)

    def _leaves_it(self, decorator: Node, frame: Frame) -> bool:
        """The function stays what it is, as far as we are concerned."""
        if self.it.is_irrelevant(decorator, frame):
            return True
        name = last_name(decorator)
        if name is None or name.endswith("task"):
            return False
        return self.it.is_outside(decorator, frame) and not self.it.acts(decorator, frame)

    def _class(self, node: Node, frame: Frame) -> Signal:
        _, line, _, name, decorators, bases, keywords, body = node
        values: list[Val] = []
        for base in bases:
            peeked = self.it.peek(base, frame) if base[0] in ("n", "a", "x") else None
            if peeked is not None:
                values.append(peeked)
                continue
            value = self.it.evaluate(base[2] if base[0] == "*" else base, frame)
            if base[0] == "*":
                values += value.data.items if isinstance(value.data, Seq) else [unknown(describe(value))]
            else:
                values.append(value)
        qualname = f"{frame.owner.qualname}.{name}" if frame.owner else name
        cls = Class(name=name, module=frame.module, line=line, bases=values, attributes={}, qualname=qualname)
        for key, value_node in keywords:
            cls.keywords[key or "**"] = self.it.evaluate(value_node, frame)
        cls.decorated = bool(decorators)
        parent = frame.parent if frame.owner is not None else frame
        inner = Frame(frame.module, cls.attributes, parent, owner=cls)
        self.block(body, inner)
        value = Val(cls)
        self.it.bind(name, value, frame, line)
        self._init_subclass(cls, self.it.at(frame, line, f"class {name}"))
        self.it.dialect.class_made(self.it, cls)
        for decorator in reversed(decorators):
            if self.it.is_irrelevant(decorator, frame):
                continue
            at = self.it.at(frame, decorator[1], f"@{describe_node(decorator)}")
            result = self.it.call(self.it.evaluate(decorator, frame), [value], {}, at)
            if isinstance(result.data, Class | Instance):
                value = result
        if decorators:
            self.it.bind(name, value, frame, line)
        return None

    def _init_subclass(self, cls: Class, at: Because) -> None:
        if not self.it.modules.uses_init_subclass:
            return
        for base in cls.mro():
            if base is not cls and isinstance(base, Class) and "__init_subclass__" in base.attributes:
                hook = base.attributes["__init_subclass__"]
                if isinstance(hook.data, Function):
                    kwargs = {k: v for k, v in cls.keywords.items() if k not in ("metaclass", "**") and " " not in k}
                    self.it.call(hook, [Val(cls)], kwargs, at)
                return
