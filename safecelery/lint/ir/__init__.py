"""The reduced module: what of a module's code may matter to its tasks and settings, as plain lists.

A file is parsed once, reduced to this form, and the form is kept in the cache: it is JSON, so reading it back runs
nothing. The interpreter in ``lint/model`` works on it and on nothing else.

Every node is a list whose first item is its tag. Expressions carry their line second::

    ["k", line, value]                     text, number, True, False, None
    ["n", line, name]                      a name
    ["a", line, value, attribute]
    ["c", line, function, [argument], [[keyword or null, value]]]
    ["*", line, value]                     a starred argument or element
    ["t" | "l" | "s", line, [element]]     tuple, list, set
    ["d", line, [[key or null, value]]]    dict; null stands for **more
    ["b", line, operator, left, right]     binary operation, by the name of its ast class: "Add"
    ["u", line, operator, operand]
    ["o", line, "And" | "Or", [value]]
    ["q", line, left, [[operator, right]]] comparison
    ["i", line, test, body, orelse]        conditional expression
    ["x", line, value, index]              subscript
    ["sl", line, lower, upper, step]       slice, null for what is not there
    ["f", line, [part]]                    f-string
    ["lam", line, parameters, body]
    ["comp", line, "l" | "s" | "d" | "g", element or [key, value], [[target, iterable, [condition]]]]
    ["w", line, name, value]               walrus
    ["?", line, text]                      anything else, with a shortened source text for messages

and statements likewise::

    ["=", line, [target], value]           ["ann", line, target, annotation, value or null]
    ["aug", line, operator, target, value] ["e", line, expression]
    ["if", line, test, body, orelse]       ["for", line, target, iterable, body, orelse]
    ["while", line, test, body]            ["with", line, [[context, target or null]], body]
    ["try", line, body, [[types or null, name or null, body]], orelse, final]
    ["def", line of the first decorator, line of def, name, [decorator], parameters, body or null, asynchronous]
    ["class", line, line of class, name, [decorator], [base], [[keyword or null, value]], body]
    ["imp", line, [[module, as or null]]]  ["from", line, level, module, [[name, as or null]]]
    ["ret", line, value or null]           ["raise", line, exception or null]
    ["del", line, [target]]                ["glob", line, [name]]
    ["brk", line]                          break
    ["cont", line]                         continue
    ["match", line, subject, [body], [pattern]]   constants one of which fits; true: anything; null: not told

``parameters`` is ``[[name], number of positional-only and plain ones, [default], *args name or null, **kwargs name or
null]``, keyword-only names last; ``default`` is parallel to the names, null for none. A function's body is null where
it cannot matter: see ``_keeps_body`` in ``statements.py``.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

__all__ = ["IR_VERSION", "Node", "Reduced"]

IR_VERSION: Final = 9
"""Raised whenever the form changes, so that no cache of an older one is used."""

Node: TypeAlias = list[Any]
Reduced: TypeAlias = dict[str, Any]
