"""Assignments, and expressions that stand alone."""

from __future__ import annotations

from typing import Any

from safecelery.lint.finding import Because
from safecelery.lint.ir import Node
from safecelery.lint.model.merging import merge
from safecelery.lint.model.parts import Part, Signal
from safecelery.lint.model.quoting import describe_node
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import NONE, Class, Function, Instance, ModuleRef, Seq, Table, Val, unknown
from safecelery.policy.facts import UNKNOWN

__all__ = ["DISPLAYS", "Assigning"]

_WAITING = frozenset({"c", "a", "n", "x", "b", "i", "o", "f", "comp", "q"})
"""Expressions worth deferring; displays and constants cost nothing."""


DISPLAYS = frozenset({"t", "l", "s"})
"""Tuples, lists and sets, which are deferred if all they hold is names, constants and attributes."""


def _names_attributes(display: Node) -> bool:
    """Names, constants and attributes, of which the last may take the running of another module."""
    tags = {element[0] for element in display[2]}
    return "a" in tags and tags <= {"n", "k", "a"}


class Assigning(Part):
    """Names, attributes and items get values."""

    def _assign(self, node: Node, frame: Frame) -> Signal:
        if len(node[2]) == 1 and node[2][0][0] == "n" and self._may_wait(node[3], node[2][0][2], frame):
            self._defer(node[3], node[2][0][2], frame, node[1])
            return None
        value = self.it.evaluate(node[3], frame)
        for target in node[2]:
            self.store(target, value, frame, node[1])
        return None

    def _may_wait(self, value: Node, name: str, frame: Frame) -> bool:
        """Nothing but the name changes, and the name is new: then it is soon enough when somebody asks for it."""
        return (
            (value[0] in _WAITING or (value[0] in DISPLAYS and _names_attributes(value)))
            and name not in frame.names
            and self.may_wait(frame)
        )

    def _defer(self, value: Node, name: str, frame: Frame, line: int) -> None:
        frame.names[name] = self.waiting(value, name, frame, line)

    def _annotated(self, node: Node, frame: Frame) -> Signal:
        if frame.owner is not None and node[2][0] == "n" and "ClassVar" not in describe_node(node[3]):
            frame.owner.keywords.setdefault(f"annotation {node[2][2]}", NONE)
        if node[4] is not None and node[2][0] == "n" and self._may_wait(node[4], node[2][2], frame):
            self._defer(node[4], node[2][2], frame, node[1])
        elif node[4] is not None:
            self.store(node[2], self.it.evaluate(node[4], frame), frame, node[1])
        return None

    def _augmented(self, node: Node, frame: Frame) -> Signal:
        _, line, operator, target, value = node
        current = self.it.evaluate(target, frame)
        change = self.it.evaluate(value, frame)
        if isinstance(current.data, Seq) and current.data.kind == "l" and operator == "Add":
            self._extend(current.data, change)
            return None
        if isinstance(current.data, Table) and operator == "BitOr" and isinstance(change.data, Table):
            for key, item in change.data.items.items():
                self.put(current.data, key, item)
            current.data.open |= change.data.open
            return None
        result = self.it.evaluate(["b", line, operator, ["val", line, current], ["val", line, change]], frame)
        self.store(target, result, frame, line)
        return None

    def _extend(self, into: Seq, value: Val) -> None:
        if isinstance(value.data, Seq) and not self.it.uncertain:
            into.take([item.depending(self.it.condition) for item in value.data.items], value.data.open)
        else:
            into.open = True

    def store(self, target: Node, value: Val, frame: Frame, line: int) -> None:
        """Assign a value to a name, attribute, item or several of them."""
        tag = target[0]
        if tag == "n":
            self.it.bind(target[2], value, frame, line)
        elif tag in ("t", "l"):
            self._unpack(target[2], value, frame, line)
        elif tag == "a":
            self._set_attribute(
                self.it.evaluate(target[2], frame), target[3], value, self.it.at(frame, line, target[3])
            )
        elif tag == "x":
            owner, key = self.it.evaluate(target[2], frame), self.it.evaluate(target[3], frame)
            self._set_item(owner, key, value, self.it.at(frame, line, describe(key)))
        elif tag == "*":
            self.store(target[2], unknown("the rest of an unpacking"), frame, line)

    def _unpack(self, targets: list[Node], value: Val, frame: Frame, line: int) -> None:
        data = value.data
        exact = isinstance(data, Seq) and not data.open and len(data.items) == len(targets)
        starred = any(target[0] == "*" for target in targets)
        if starred and isinstance(data, Seq) and not data.open and len(data.items) >= len(targets) - 1:
            at = next(index for index, target in enumerate(targets) if target[0] == "*")
            after = len(targets) - at - 1
            middle = Val(Seq("l", data.items[at : len(data.items) - after]))
            parts = [*data.items[:at], middle, *(data.items[-after:] if after else [])]
            for target, part in zip(targets, parts, strict=True):
                self.store(target[2] if target[0] == "*" else target, part.depending(value.env), frame, line)
            return
        for index, target in enumerate(targets):
            if exact and not starred:
                item = data.items[index].depending(value.env)
            else:
                item = unknown(describe(value), value.env, value.because)
            self.store(target, item, frame, line)

    def _set_attribute(self, owner: Val, name: str, value: Val, at: Because) -> None:
        if self.it.condition:
            value = value.depending(self.it.condition)
        value = value.via(at)
        if self.it.dialect.assign(self.it, owner, name, value, at):
            return
        data = owner.data
        if isinstance(data, Instance):
            for base in data.cls.mro():
                setter = base.attributes.get(f"{name}.setter") if isinstance(base, Class) else None
                if setter is not None and not setter.data.active:
                    self.it.call(setter, [owner, value], {}, at)
                    return
        if isinstance(data, Instance | Class | Function):
            if self.it.uncertain:
                value = merge([self._before(owner, name, at), value], "a condition") or value
            data.attributes[name] = value
        elif isinstance(data, ModuleRef):
            self.it.run(data.module)
            data.module.names[name] = value
        elif hasattr(data, "attributes") and isinstance(data.attributes, dict):
            data.attributes[name] = value

    def _before(self, owner: Val, name: str, at: Because) -> Val | None:
        """What an attribute is before it may be set."""
        data: Any = owner.data
        if name in data.attributes or isinstance(data, Function):
            found: Val | None = data.attributes.get(name)
            return found
        from safecelery.lint.model.attributes import class_attribute

        if isinstance(data, Instance):
            return class_attribute(self.it, data.cls, name, owner, at)
        return class_attribute(self.it, data, name, None, at)

    def _set_item(self, owner: Val, key: Val, value: Val, at: Because) -> None:
        if self.it.condition:
            value = value.depending(self.it.condition)
        value = value.via(at)
        if self.it.dialect.assign_item(self.it, owner, key, value, at):
            return
        data = owner.data
        name = plain(key)
        if isinstance(data, Table):
            if name is UNKNOWN or isinstance(name, list | dict):
                data.open = True
            else:
                self.put(data, name, value)
        elif isinstance(data, Seq):
            if isinstance(name, int) and -len(data.items) <= name < len(data.items) and not self.it.uncertain:
                data.items[name] = value
            else:
                data.open = True

    def put(self, table: Table, key: Any, value: Val) -> None:
        """Set an item, which may not happen at all."""
        if self.it.uncertain:
            value = merge([table.items.get(key), value], "a condition") or value
        try:
            table.items[key] = value
        except TypeError:
            table.open = True

    def _expression(self, node: Node, frame: Frame) -> Signal:
        value = node[2]
        if value[0] != "c" or (not self.it.is_irrelevant(value, frame) and self.it.acts(value, frame)):
            self.it.evaluate(value, frame)
        return None

    def _del(self, node: Node, frame: Frame) -> Signal:
        for target in node[2]:
            if target[0] == "n" and not self.it.uncertain and target[2] in frame.names:
                self.it.settle_before(target[2], frame.names, frame)
                del frame.names[target[2]]
            elif target[0] == "x":
                owner, key = self.it.evaluate(target[2], frame), plain(self.it.evaluate(target[3], frame))
                if isinstance(owner.data, Table) and isinstance(key, str) and not self.it.uncertain:
                    owner.data.items.pop(key, None)
        return None

    def _global(self, node: Node, frame: Frame) -> Signal:
        frame.shared.update(node[2])
        return None
