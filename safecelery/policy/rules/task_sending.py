"""7xx, 700 to 719: what is sent, when, and with what."""

from __future__ import annotations

from safecelery.policy.facts import CodeFacts
from safecelery.policy.rule import Rule, Severity
from safecelery.policy.rules.task_place import place_rule

__all__ = ["RULES"]

RULES: tuple[Rule[CodeFacts], ...] = (
    place_rule(
        "SFC701",
        "result-waited-in-task",
        Severity.HIGH,
        "waits for the result of another task",
        "chain the two tasks, or give the second one as a callback with link= or a chord",
    ),
    place_rule(
        "SFC702",
        "dispatch-in-transaction",
        Severity.HIGH,
        "sends a task before the database transaction is committed",
        "send it with delay_on_commit(), or in transaction.on_commit(lambda: ...)",
    ),
    place_rule(
        "SFC703",
        "dispatch-before-commit",
        Severity.HIGH,
        "sends a task between a change of the session and its commit",
        "commit first, then send",
    ),
    place_rule(
        "SFC704",
        "on-commit-called-now",
        Severity.HIGH,
        "calls the task at once instead of after the commit",
        "hand over a function: on_commit(lambda: task.delay(x)) or on_commit(partial(task.delay, x))",
    ),
    place_rule(
        "SFC705",
        "on-commit-late-binding",
        Severity.HIGH,
        "sends the last item of the loop each time",
        "bind the value: on_commit(partial(task.delay, x.pk))",
    ),
    place_rule(
        "SFC706",
        "model-instance-as-argument",
        Severity.HIGH,
        "hands a model object to a task",
        "pass the primary key, and load the object in the task",
    ),
    place_rule(
        "SFC707",
        "handle-as-argument",
        Severity.HIGH,
        "hands a task something that only exists in this process",
        "pass what the task needs of it: a path or key in a shared storage, an identifier, plain values",
    ),
    place_rule(
        "SFC708",
        "secret-as-argument",
        Severity.HIGH,
        "puts a secret into a message",
        "pass an identifier, and read the secret in the task; or encrypt the message",
    ),
    place_rule(
        "SFC709",
        "non-json-argument",
        Severity.MEDIUM,
        "hands a task a value that JSON cannot hold",
        "turn it into plain data first: list(...), a number of seconds, a dictionary",
    ),
    place_rule(
        "SFC710",
        "argument-not-plain-json",
        Severity.LOW,
        "hands a task a value that is only JSON with kombu's extensions",
        "pass plain data: dt.isoformat(), str(amount), str(uuid)",
    ),
    place_rule(
        "SFC711",
        "naive-eta",
        Severity.MEDIUM,
        "gives a time without a time zone",
        "use countdown=, or an aware time: datetime.now(UTC) + ...",
    ),
    place_rule(
        "SFC712",
        "task-per-item",
        Severity.LOW,
        "sends one message for each item of a loop",
        "send pieces: task.chunks(...), a group, or one task for a hundred identifiers",
    ),
    place_rule(
        "SFC713",
        "endless-self-dispatch",
        Severity.HIGH,
        "sends itself again at once, in every run",
        "let beat send it, or give a condition or a countdown",
    ),
    place_rule(
        "SFC714",
        "task-called-inline",
        Severity.LOW,
        "runs another task inside of itself",
        "send it with delay(), or move the common code into a plain function",
    ),
)
