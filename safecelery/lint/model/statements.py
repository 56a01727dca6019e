"""Statements, one method each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from safecelery.lint.finding import Because
from safecelery.lint.ir import Node
from safecelery.lint.model import surroundings
from safecelery.lint.model.scope import Frame, Module
from safecelery.lint.model.values import (
    NONE,
    Class,
    Deferred,
    Env,
    Ext,
    ExtInstance,
    Function,
    Instance,
    ModuleRef,
    Pending,
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

__all__ = ["Executor", "Signal", "describe_node", "merge"]

Signal: TypeAlias = tuple[str, Val] | None
"""How a block ended: None at its end, else "ret", "brk", "cont" or "raise"."""

_MOST_ROUNDS = 300
_MOST_STEPS_OF_A_LOOP = 40_000
_WAITING = frozenset({"c", "a", "n", "x", "b", "i", "o", "f", "comp", "q"})
"""Expressions worth deferring; displays and constants cost nothing."""

_OF_LOOPS = ("brk", "cont")
_IMPORT_FAILS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}

_FAMILY = {
    "ImportError": {"ImportError", "ModuleNotFoundError"},
    "LookupError": {"KeyError", "IndexError"},
    "Exception": set(),
}


class Executor:
    """Runs statements for an interpreter."""

    def __init__(self, it: Interpreter) -> None:
        self.it = it
        self.table: dict[str, Callable[[Node, Frame], Signal]] = {
            "=": self._assign, "ann": self._annotated, "aug": self._augmented, "e": self._expression, "if": self._if,
            "for": self._for, "while": self._while, "with": self._with, "try": self._try, "def": self._def,
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

    # --- assignments --------------------------------------------------------------------------------------------

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
            value[0] in _WAITING
            and (frame.owner is not None or frame.names is frame.module.names)
            and name not in frame.names
            and not self.it.uncertain
            and not self.it.condition
            and not self.it.catching
        )

    def _defer(self, value: Node, name: str, frame: Frame, line: int) -> None:
        waiting = Val(Deferred(value, frame, self.it.at(frame, line, name), self.it))
        frame.names[name] = waiting
        if frame.owner is None:
            frame.module.deferred.append(waiting)

    def _annotated(self, node: Node, frame: Frame) -> Signal:
        if node[4] is not None and node[2][0] == "n" and self._may_wait(node[4], node[2][2], frame):
            self._defer(node[4], node[2][2], frame, node[1])
        elif node[4] is not None:
            self.store(node[2], self.it.evaluate(node[4], frame), frame, node[1])
        elif frame.owner is not None and node[2][0] == "n":
            frame.owner.keywords.setdefault(f"annotation {node[2][2]}", NONE)
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
        if node[2][0] == "c" and self.it.is_irrelevant(node[2], frame):
            return None
        self.it.evaluate(node[2], frame)
        return None

    # --- control flow -------------------------------------------------------------------------------------------

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
        for name in _assigned_in(branch):
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
        through = [names for names, signal in endings if signal is None or signal[0] in _OF_LOOPS]
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
                [signal for _, signal in endings if signal is None or signal[0] in _OF_LOOPS], frame, why
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

    def _for(self, node: Node, frame: Frame) -> Signal:
        outer = frame.leaving, frame.stopping
        frame.leaving, frame.stopping = "", False
        signal = self._rounds(node, frame)
        frame.leaving, frame.stopping = outer
        return None if signal is not None and signal[0] in _OF_LOOPS else signal

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
                return None if signal is not None and signal[0] in _OF_LOOPS else signal
            test = self.it.evaluate(node[2], frame)
            if self.it.truth(test) is False:
                frame.leaving, frame.stopping = outer
                return None
        signal = self.fork([node[3], []], frame, describe_node(node[2]))
        frame.leaving, frame.stopping = outer
        return signal

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
        return self._try(["try", node[1], node[3], [handler], [], []], frame)

    def _try(self, node: Node, frame: Frame) -> Signal:
        from safecelery.lint.model.interpreter import Raised

        _, _, body, handlers, orelse, final = node
        caught = [self._caught(handler[0]) for handler in handlers]
        self.it.catching.append(frozenset().union(*caught))
        raised: str | None = None
        env: Env = ()
        signal: Signal = None
        try:
            signal = self.block(body, frame)
        except Raised as error:
            raised, env = error.name, error.env
        finally:
            self.it.catching.pop()
        if raised is None and signal is not None and signal[0] == "raise" and handlers:
            raised, env = str(plain(signal[1])), signal[1].env
            signal = None
        if raised is not None:
            for handler, names in zip(handlers, caught, strict=True):
                if raised in names or "Exception" in names or "BaseException" in names:
                    if handler[1]:
                        frame.names[handler[1]] = unknown(f"the {raised} caught")
                    with self.it.under(env):
                        signal = self.block(handler[2], frame)
                    break
            else:
                if final:
                    self.block(final, frame)
                if self.it.catching:
                    raise Raised(raised, env)
                return "raise", Val(raised, env)
        else:
            self._need_packages(node, caught, frame)
            if signal is None and orelse:
                signal = self.block(orelse, frame)
        if final:
            last = self.block(final, frame)
            signal = last or signal
        return signal

    def _need_packages(self, node: Node, caught: list[set[str]], frame: Frame) -> None:
        """What is assigned beside an import from outside, or where it fails, depends on what is installed."""
        if not any(names & _IMPORT_FAILS for names in caught):
            return
        packages = self._outside(node[2], frame)
        if not packages:
            return
        env = tuple(f"package {name}" for name in packages)
        for name in _assigned_in([*node[2], *(statement for handler in node[3] for statement in handler[2])]):
            value = frame.names.get(name)
            if value is not None and not isinstance(value.data, Ext | Function | Class | ModuleRef | Pending):
                frame.names[name] = value.depending(env)

    def _outside(self, body: list[Node], frame: Frame) -> list[str]:
        """The packages outside the tree and the standard library that a block imports."""
        import sys

        found: list[str] = []
        for statement in body:
            dotted = [statement[3]] if statement[0] == "from" and not statement[2] else []
            if statement[0] == "imp":
                dotted = [name for name, _ in statement[2]]
            for name in dotted:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and self.it.find(top, frame.module) is None:
                    found.append(top)
        return found

    def _caught(self, types: Node | None) -> set[str]:
        if types is None:
            return {"BaseException"}
        names: set[str] = set()
        for node in types[2] if types[0] == "t" else [types]:
            last = node[3] if node[0] == "a" else node[2] if node[0] == "n" else ""
            names |= {last} | _FAMILY.get(last, set())
        return names

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

    def _del(self, node: Node, frame: Frame) -> Signal:
        for target in node[2]:
            if target[0] == "n" and not self.it.uncertain:
                frame.names.pop(target[2], None)
            elif target[0] == "x":
                owner, key = self.it.evaluate(target[2], frame), plain(self.it.evaluate(target[3], frame))
                if isinstance(owner.data, Table) and isinstance(key, str) and not self.it.uncertain:
                    owner.data.items.pop(key, None)
        return None

    def _global(self, node: Node, frame: Frame) -> Signal:
        frame.shared.update(node[2])
        return None

    # --- definitions --------------------------------------------------------------------------------------------

    def _def(self, node: Node, frame: Frame) -> Signal:
        _, line, def_line, name, decorators, parameters, body, _ = node
        function = Function(
            name=name,
            module=frame.module,
            line=line,
            def_line=def_line,
            parameters=parameters,
            defaults=[None if d is None or body is None else self.it.evaluate(d, frame) for d in parameters[2]],
            body=body,
            closure=frame.parent if frame.owner is not None else frame,
            owner=frame.owner,
            decorators=tuple(filter(None, (_last(d) for d in decorators))),
        )
        frame.module.functions.append(function)
        value = Val(function)
        if decorators:
            written_ones = [node for node in decorators if not self.it.is_irrelevant(node, frame)]
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

    # --- imports ------------------------------------------------------------------------------------------------

    def _import(self, node: Node, frame: Frame) -> Signal:
        for dotted, name in node[2]:
            module = self.it.find(dotted, frame.module)
            if name is not None:
                value = Val(ModuleRef(module)) if module else Val(Ext(dotted))
                self._check_found(module, dotted, frame)
                self.it.bind(name, value, frame, node[1])
                continue
            top = dotted.partition(".")[0]
            first = self.it.find(top, frame.module)
            self.it.bind(top, Val(ModuleRef(first)) if first else Val(Ext(top)), frame, node[1])
        return None

    def _check_found(self, module: Module | None, dotted: str, frame: Frame) -> bool:
        """False if it must be a module of the tree and is not there; raises where that is caught."""
        if module is not None:
            return True
        top, _, rest = dotted.partition(".")
        if rest and self.it.find(top, frame.module) is not None:
            self.it.raise_if_caught("ImportError", "ModuleNotFoundError")
            return False
        return True

    def _from(self, node: Node, frame: Frame) -> Signal:
        _, line, level, dotted, names = node
        if level:
            package = frame.module.package
            for _ in range(level - 1):
                package = package.rpartition(".")[0]
            dotted = f"{package}.{dotted}" if package and dotted else package or dotted
        module = self.it.find(dotted, frame.module)
        if module is None:
            if level or not self._check_found(None, dotted, frame):
                self.it.raise_if_caught("ImportError", "ModuleNotFoundError")
                for name, alias in names:
                    if name != "*":
                        self.it.bind(alias or name, unknown(f"{dotted}.{name}"), frame, line)
                return None
            for name, alias in names:
                if name == "*":
                    if dotted not in frame.module.stars and not dotted.startswith("typing"):
                        frame.module.stars.append(dotted)
                else:
                    self.it.bind(alias or name, surroundings.named(f"{dotted}.{name}"), frame, line)
            return None
        for name, alias in names:
            if name == "*":
                self._star(module, frame, line)
            else:
                submodule = self.it.find(f"{module.name}.{name}", frame.module) if module.is_package else None
                if submodule is not None and module.state == "new" and not _binds(module, name):
                    self.it.bind(alias or name, Val(ModuleRef(submodule)), frame, line)
                else:
                    self.it.bind(alias or name, Val(Pending(module, name, self.it)), frame, line)
        return None

    def _star(self, module: Module, frame: Frame, line: int) -> None:
        self.it.run(module)
        listed = plain(module.names.get("__all__"))
        for name in listed if isinstance(listed, list | tuple) else list(module.names):
            if isinstance(name, str) and name in module.names and (listed is not UNKNOWN or not name.startswith("_")):
                value = module.names[name]
                frame.names[name] = value.depending(self.it.condition) if self.it.condition else value
        for star in module.stars:
            if star not in frame.module.stars:
                frame.module.stars.append(star)
        if module.unseen and not frame.module.hidden:
            frame.module.hidden = module.unseen


def _binds(module: Module, name: str) -> bool:
    """Does the package's own text bind that name, so that it may hide the submodule?"""
    for node in module.body:
        if node[0] in ("def", "class") and node[3] == name:
            return True
        if node[0] == "=" and any(target[0] == "n" and target[2] == name for target in node[2]):
            return True
        if node[0] == "from" and any((alias or imported) == name for imported, alias in node[4]):
            return True
    return False


def _assigned_in(branch: list[Node]) -> set[str]:
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


def merge(values: Sequence[Val | None], why: str) -> Val | None:
    """What is left after branches: the value they share, else unknown; of functions and classes the first."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    first = there[0]
    if len(there) == len(values) and all(value is first or value.data is first.data for value in there):
        return first
    for value in there:
        if isinstance(value.data, Function | Class | Ext | ModuleRef | Pending | Deferred):
            return value
    if len(there) == len(values):
        known = [plain(value) for value in there]
        if known[0] is not UNKNOWN and all(type(item) is type(known[0]) and item == known[0] for item in known[1:]):
            return first
        if all(isinstance(value.data, Table) for value in there):
            return _merged_tables(there, why)
    elif len(there) == 1 and not isinstance(first.data, bool | int | float | str | Seq | Table | type(None) | Unknown):
        return first
    env = tuple(dict.fromkeys(name for value in there for name in value.env))
    return unknown(why, env, there[-1].because)


def _merged_tables(values: list[Val], why: str) -> Val:
    result = Table()
    for key in dict.fromkeys(key for value in values for key in value.data.items):
        merged = merge([value.data.items.get(key) for value in values], why)
        if merged is not None:
            result.items[key] = merged
    result.open = any(value.data.open for value in values)
    return Val(result, values[0].env, values[0].because)


def _last(node: Node) -> str | None:
    while node[0] == "c":
        node = node[2]
    if node[0] == "a":
        return str(node[3])
    return str(node[2]) if node[0] == "n" else None


def describe_node(node: Node) -> str:
    """The expression, shortened, as somebody would quote it."""
    tag = node[0]
    if tag == "n":
        return str(node[2])
    if tag == "a":
        return f"{describe_node(node[2])}.{node[3]}"
    if tag == "c":
        inside = ", ".join([*(describe_node(a) for a in node[3][:2]), *(f"{k or '**'}=..." for k, _ in node[4][:2])])
        return f"{describe_node(node[2])}({inside})"
    if tag == "x":
        return f"{describe_node(node[2])}[{describe_node(node[3])}]"
    if tag == "k":
        return repr(node[2])[:40]
    if tag == "?":
        return str(node[2])
    return {"t": "(...)", "l": "[...]", "d": "{...}", "f": "an f-string", "i": "... if ... else ..."}.get(tag, "...")
