"""Expressions, one method each, and what truth and operators mean on values that may be unknown."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from safecelery.lint.ir import Node
from safecelery.lint.model import attributes
from safecelery.lint.model.environment import ENVIRON
from safecelery.lint.model.merging import merge
from safecelery.lint.model.methods import hide
from safecelery.lint.model.quoting import describe_node
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import (
    NONE,
    Bound,
    Class,
    Env,
    Ext,
    ExtInstance,
    Function,
    Instance,
    ModuleRef,
    Native,
    Partial,
    Seq,
    Table,
    Unknown,
    Val,
    describe,
    merge_env,
    plain,
    unknown,
)
from safecelery.policy.facts import UNKNOWN

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Evaluator", "truth"]

_LONGEST: Final = 100_000
"""Characters or items a computed value may have."""

_ASSUMED: Final[dict[str, bool]] = {"typing.TYPE_CHECKING": False, "typing_extensions.TYPE_CHECKING": False}


def truth(value: Val) -> bool | None:
    """Whether it counts as true; None if that is unknown."""
    data = value.data
    if data is None or isinstance(data, bool | int | float | str):
        return bool(data)
    if isinstance(data, Seq):
        return True if data.items else None if data.open else False
    if isinstance(data, Table):
        return True if data.items else None if data.open else False
    if isinstance(data, Function | Class | ModuleRef | Bound | Native | Partial):
        return True
    if isinstance(data, Ext):
        return _ASSUMED.get(data.name)
    if isinstance(data, ExtInstance | Unknown | Instance):
        return None
    return True


class Evaluator:
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

    # --- displays -----------------------------------------------------------------------------------------------

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
        return Val(text[:_LONGEST], env)

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
            return len(into) < _LONGEST
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

    def _walrus(self, node: Node, frame: Frame) -> Val:
        value = self.evaluate(node[3], frame)
        self.it.bind(node[2], value, frame, node[1])
        return value

    # --- operators ----------------------------------------------------------------------------------------------

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
                return unknown(f"{describe(left)} {_WORDS.get(name, name)} {describe(right)}", env, blocker.because)
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


_WORDS: Final = {
    "Eq": "==", "NotEq": "!=", "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Is": "is", "IsNot": "is not",
    "In": "in", "NotIn": "not in",
}  # fmt: skip
_ORDER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt,
    "GtE": operator.ge,
}  # fmt: skip
_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Div": operator.truediv,
    "FloorDiv": operator.floordiv, "Mod": operator.mod, "BitOr": operator.or_, "BitAnd": operator.and_,
    "BitXor": operator.xor, "LShift": operator.lshift, "RShift": operator.rshift, "Pow": operator.pow,
}  # fmt: skip
_VERSIONS: Final = frozenset({"sys.version_info", "django.VERSION", "celery.VERSION", "celery.version_info_t"})


def compare(name: str, left: Val, right: Val) -> bool | None:
    """One comparison; None if unknown."""
    if isinstance(left.data, Ext) and left.data.name in _VERSIONS:
        return name in ("Gt", "GtE", "NotEq")  # whoever asks means an older version
    if name in ("Is", "IsNot"):
        same = _same(left, right)
        return None if same is None else same is (name == "Is")
    if name in ("In", "NotIn"):
        inside = _inside(left, right)
        return None if inside is None else inside is (name == "In")
    first, second = plain(left), plain(right)
    if first is UNKNOWN or second is UNKNOWN:
        if name in ("Eq", "NotEq"):
            same = _same(left, right)
            if same is not None and (left.data is None or right.data is None or same):
                return same is (name == "Eq")
        return None
    try:
        return bool(_ORDER[name](first, second))
    except (TypeError, ValueError, KeyError):
        return None


def _same(left: Val, right: Val) -> bool | None:
    for one, other in ((left, right), (right, left)):
        if one.data is None or isinstance(one.data, bool):
            if isinstance(other.data, Unknown | Ext | ExtInstance):
                return None if not isinstance(other.data, Ext) else False
            return one.data is other.data
    if isinstance(left.data, Ext) and isinstance(right.data, Ext):
        return left.data == right.data
    if isinstance(left.data, Class | Function | Instance) and isinstance(right.data, Class | Function | Instance):
        return left.data is right.data
    return None


def _inside(item: Val, container: Val) -> bool | None:
    data, key = container.data, plain(item)
    if isinstance(data, str) and isinstance(key, str):
        return key in data
    if key is UNKNOWN:
        return None
    if isinstance(data, Table):
        try:
            return True if key in data.items else None if data.open else False
        except TypeError:
            return None
    if isinstance(data, Seq):
        known = [plain(element) for element in data.items]
        if any(element is not UNKNOWN and element == key and type(element) is type(key) for element in known):
            return True
        return None if data.open or UNKNOWN in known else False
    return None


def binary(name: str, left: Val, right: Val) -> Val:
    """A binary operation."""
    env = merge_env(left.env, right.env)
    because = left.because or right.because
    one, other = left.data, right.data
    if isinstance(one, Seq) and isinstance(other, Seq) and name in ("Add", "BitOr"):
        joined = Seq(one.kind, list(one.items), one.open)
        joined.take(other.items, other.open)
        return Val(joined, env, because)
    if isinstance(one, Seq) and name == "Add":
        return Val(Seq(one.kind, list(one.items), True), env, because)
    if isinstance(one, Table) and isinstance(other, Table) and name == "BitOr":
        return Val(Table({**one.items, **other.items}, one.open or other.open), env, because)
    first, second = plain(left), plain(right)
    if first is not UNKNOWN and second is not UNKNOWN and _small(name, first, second):
        if isinstance(one, ExtInstance) or isinstance(other, ExtInstance):  # durations, in seconds
            if not isinstance(first, int | float) or not isinstance(second, int | float):
                return unknown(_operation(left, name, right), env, because)
            if name in ("Add", "Sub", "Mult"):
                total = _ARITHMETIC[name](first, second)
                return Val(ExtInstance("datetime.timedelta", [], {"seconds": Val(total)}), env, because)
        try:
            result = _ARITHMETIC[name](first, second)
        except (TypeError, ValueError, ArithmeticError, KeyError):
            return unknown(_operation(left, name, right), env, because)
        if isinstance(result, bool | int | float | str):
            return Val(result, env, because)
    if isinstance(one, ExtInstance | Ext | Instance) and not isinstance(other, Unknown):
        return Val(ExtInstance("operator.result", [left, right], {}), env, because)
    blocker = left if first is UNKNOWN else right
    return unknown(describe(blocker), env, blocker.because)


_SIGNS: Final = {
    "Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**", "LShift": "<<",
    "RShift": ">>", "BitOr": "|", "BitAnd": "&", "BitXor": "^", "MatMult": "@",
}  # fmt: skip


def _operation(left: Val, name: str, right: Val) -> str:
    """The operation as somebody would write it."""
    return f"{describe(left)} {_SIGNS.get(name, name)} {describe(right)}"


def _small(name: str, first: Any, second: Any) -> bool:
    """The operation cannot take long or fill the memory."""
    if name in ("Pow", "LShift"):
        return (
            isinstance(first, int | float)
            and isinstance(second, int | float)
            and abs(second) <= 64
            and abs(first) < 1e9
        )
    if name == "Mult":
        for text, count in ((first, second), (second, first)):
            if isinstance(text, str | list | tuple):
                return isinstance(text, str) and isinstance(count, int) and len(text) * count < _LONGEST
        return all(not isinstance(number, int) or number.bit_length() < 4096 for number in (first, second))
    if name == "Mod" and isinstance(first, str):
        return len(first) < 1000 and _FILLED.search(first) is None and len(repr(second)) < _LONGEST // 100
    return not isinstance(first, str) or not isinstance(second, str) or len(first) + len(second) < _LONGEST


_FILLED: Final = re.compile(r"%[^a-zA-Z%]*(?:\*|\d{4})")
"""A width or precision that is given apart, or of thousands of characters."""
