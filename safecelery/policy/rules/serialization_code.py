"""1xx: code that switches unsafe serializers on, or that decodes, evaluates or imports what a message says.

JSON in the settings does not help where the task's own code unpickles an argument.
"""

from __future__ import annotations

from safecelery.policy.facts import CodeFacts
from safecelery.policy.rule import Rule, Severity
from safecelery.policy.rules.code import no_place_of_kind

__all__ = ["RULES"]

RULES = (
    Rule(
        code="SFC110",
        name="insecure-serializers-enabled",
        subject=CodeFacts,
        severity=Severity.CRITICAL,
        check=no_place_of_kind("insecure-serializer-enabled"),
        message="enables decoding of formats that run code, for every connection of the process",
        fix="remove the call; kombu keeps these serializers disabled by itself",
    ),
    Rule(
        code="SFC111",
        name="code-running-serializer-registered",
        subject=CodeFacts,
        severity=Severity.CRITICAL,
        check=no_place_of_kind("unsafe-serializer-registered"),
        message="registers a serializer whose decoder runs what a message says",
        fix="decode into plain data (JSON), and build objects from it in the task",
    ),
    Rule(
        code="SFC112",
        name="payload-names-imports",
        subject=CodeFacts,
        severity=Severity.CRITICAL,
        check=no_place_of_kind("payload-names-imports"),
        message="uses a serializer that imports the class a message names",
        fix="let the task's signature say which model an argument is: annotate it, and pass plain data",
    ),
    Rule(
        code="SFC113",
        name="signing-with-code-running-serializer",
        subject=CodeFacts,
        severity=Severity.CRITICAL,
        check=no_place_of_kind("signing-with-unsafe-serializer"),
        message="lets every holder of a trusted certificate run code",
        fix="leave serializer at 'json' and allowed_serializers out of setup_security()",
    ),
    Rule(
        code="SFC114",
        name="task-unpickles-argument",
        subject=CodeFacts,
        severity=Severity.CRITICAL,
        check=no_place_of_kind("argument-unpickled"),
        message="unpickles an argument, so the sender of a JSON message still runs code",
        fix="pass plain data, or a reference to a record that the task loads",
    ),
    Rule(
        code="SFC115",
        name="task-evaluates-argument",
        subject=CodeFacts,
        severity=Severity.CRITICAL,
        check=no_place_of_kind("argument-evaluated"),
        message="evaluates an argument as code",
        fix="look the wanted operation up in a table of allowed ones",
    ),
    Rule(
        code="SFC116",
        name="task-imports-what-argument-names",
        subject=CodeFacts,
        severity=Severity.HIGH,
        check=no_place_of_kind("argument-imported"),
        message="imports and uses whatever an argument names",
        fix="look the name up in a table of allowed functions, or make each of them a task",
    ),
)
