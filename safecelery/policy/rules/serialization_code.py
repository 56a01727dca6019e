"""1xx: code that switches unsafe serializers on, or that decodes, evaluates or imports what a message says.

JSON in the settings does not help where the task's own code unpickles an argument.
"""

from __future__ import annotations

from safecelery.policy.facts import CodeFacts
from safecelery.policy.rule import Rule, Severity
from safecelery.policy.rules.task_place import place_rule

__all__ = ["RULES"]

RULES: tuple[Rule[CodeFacts], ...] = (
    place_rule(
        "SFC110",
        "insecure-serializers-enabled",
        Severity.CRITICAL,
        "enables decoding of formats that run code, for every connection of the process",
        "remove the call; kombu keeps these serializers disabled by itself",
    ),
    place_rule(
        "SFC111",
        "code-running-serializer-registered",
        Severity.CRITICAL,
        "registers a serializer whose decoder runs what a message says",
        "decode into plain data (JSON), and build objects from it in the task",
    ),
    place_rule(
        "SFC112",
        "payload-names-imports",
        Severity.CRITICAL,
        "uses a serializer that imports the class a message names",
        "let the task's signature say which model an argument is: annotate it, and pass plain data",
    ),
    place_rule(
        "SFC113",
        "signing-with-code-running-serializer",
        Severity.CRITICAL,
        "lets every holder of a trusted certificate run code",
        "leave serializer at 'json' and allowed_serializers out of setup_security()",
    ),
    place_rule(
        "SFC114",
        "task-unpickles-argument",
        Severity.CRITICAL,
        "unpickles an argument, so the sender of a JSON message still runs code",
        "pass plain data, or a reference to a record that the task loads",
    ),
    place_rule(
        "SFC115",
        "task-evaluates-argument",
        Severity.CRITICAL,
        "evaluates an argument as code",
        "look the wanted operation up in a table of allowed ones",
    ),
    place_rule(
        "SFC116",
        "task-imports-what-argument-names",
        Severity.HIGH,
        "imports and uses whatever an argument names",
        "look the name up in a table of allowed functions, or make each of them a task",
    ),
)
